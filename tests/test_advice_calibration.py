"""What lossreport says of its own advice holds: a small seeded run of benchmarks.advice."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from scipy import integrate, stats

from benchmarks.judged import AS_GOOD, Judged, judge
from benchmarks.laws import LAWS, LOSSES, errors_of, truth
from benchmarks.rules import RULES
from tests import oracle

SEED = 20261127
LOGS = {100: 2, 300: 2, 1_000: 3}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    folder: Path = tmp_path_factory.mktemp("logs")
    return [
        judge(law, rows, (SEED, number, rows, i), folder)
        for rows, times in LOGS.items()
        for number, law in enumerate(LAWS)
        for i in range(times)
    ]


# The required figures, less two standard errors of so few logs.
@pytest.mark.parametrize(
    ("rows", "near", "regret"), [(100, 0.70, 0.12), (300, 0.79, 0.08), (1_000, 0.92, 0.03)]
)
def test_picks_are_near_optimal(
    judged: list[Judged], rows: int, near: float, regret: float
) -> None:
    mine = [j for j in judged if j.rows == rows]
    assert mean(j.near for j in mine) >= near
    assert mean(j.regret() for j in mine) <= regret


def test_from_a_thousand_rows_the_pick_is_better_than_any_rule_of_thumb(
    judged: list[Judged],
) -> None:
    mine = [j for j in judged if j.rows == 1_000]
    wasted = {rule: mean(j.regret(rule) for j in mine) for rule in RULES}
    assert mean(j.regret() for j in mine) < min(wasted.values()) / 2


def test_high_confidence_and_ruled_out_are_right(judged: list[Judged]) -> None:
    sound = [j for j in judged if not j.law.fault]
    sure = [j for j in sound if j.confidence == "high"]
    out = [truth(j.law).regrets[loss] for j in sound for loss in j.ruled_out]
    assert len(sure) > 50
    assert len(out) > 100
    assert sum(not j.near for j in sure) <= 1
    assert sum(wasted <= AS_GOOD for wasted in out) <= 1


def test_broken_rows_are_found_and_no_others(judged: list[Judged]) -> None:
    alarms = [j for j in judged if j.broken and not j.law.fault]
    sound = sum(not j.law.fault for j in judged)
    assert len(alarms) <= 0.03 * sound
    large = [j for j in judged if j.law.fault and j.rows == 1_000]
    assert mean(j.verdict == "check-rows-first" for j in large) >= 0.6


def test_there_are_33_laws_of_different_names() -> None:
    assert len({law.name for law in LAWS}) == len(LAWS) == 33


@pytest.mark.parametrize("name", ["Gaussian", "Laplace", "t3", "10 % x5", "exponential"])
def test_the_truth_of_a_law_is_that_of_many_rows(name: str) -> None:
    law = next(law for law in LAWS if law.name == name)
    errors, _ = errors_of(law, np.random.default_rng(5), 400_000)
    wanted = oracle.variance_factors(errors)
    factors = dict(zip(LOSSES, truth(law).factors, strict=True))
    for loss in LOSSES:
        found = factors[loss] / factors["Huber"]
        assert found == pytest.approx(wanted[loss] / wanted["Huber"], rel=0.06), loss


def test_the_truth_of_huber_is_that_of_its_density() -> None:
    law, errors = next(law for law in LAWS if law.name == "t3"), stats.t(3)
    delta = 1.345 * 1.4826 * float(errors.ppf(0.75))
    near = 2 * integrate.quad(lambda x: x**2 * errors.pdf(x), 0, delta)[0]
    inside = 1 - 2 * float(errors.sf(delta))
    wanted = (near + 2 * delta**2 * float(errors.sf(delta))) / inside**2
    assert truth(law).factors[1] == pytest.approx(wanted, rel=1e-8)
    assert truth(law).factors[0] == pytest.approx(3)
