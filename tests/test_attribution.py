"""One source is found where one was planted, none where none was, and symptoms fall back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.reports.attribution import attribute, chance_of
from lossreport.reports.figures import figures, outlier_driven
from lossreport.reports.groups import groups_of
from lossreport.reports.where import Attribution
from tests.conftest import Ran

ROWS = 10_000
GROUPINGS = ["region", "model", "segment", "region,model"]
BODIES = {
    "gaussian": lambda rng: rng.normal(size=ROWS),
    "laplace": lambda rng: rng.laplace(size=ROWS),
    "t3": lambda rng: rng.standard_t(3, ROWS),
}
SOURCES = {
    (("region",), ("r2",)): 0.02,
    (("segment",), ("s07",)): 0.08,
    (("region", "model"), ("r2", "a")): 0.04,
}


def a_log(seed: int, body: str, source: object = None, share: float = 0.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "region": rng.choice([f"r{i}" for i in range(5)], ROWS),
            "model": rng.choice(["a", "b", "c"], ROWS),
            "segment": rng.choice([f"s{i:02d}" for i in range(20)], ROWS),
        }
    )
    errors = BODIES[body](rng)
    inside = np.ones(ROWS, dtype=bool)
    if source is not None:
        for column, value in zip(*source, strict=True):
            inside &= (frame[column] == value).to_numpy()
    far = inside & (rng.random(ROWS) < share)
    return frame.with_columns(actual=pl.lit(0.0), predicted=np.where(far, 60 * errors, errors))


def attributed(frame: pl.DataFrame) -> Attribution:
    profile = lossreport.profile(frame, by=GROUPINGS)
    raw = {by: groups_of(profile.table(by), 0) for by in profile.columns.groupings}
    flagged = {
        by: tuple(outlier_driven([figures(g.sums, g.histogram) for g in groups.groups], 50))
        for by, groups in raw.items()
    }
    made, _ = attribute(profile, 0, raw, flagged)
    assert made is not None
    return made


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("source", SOURCES)
def test_a_planted_source_is_found(body: str, source: tuple) -> None:
    found = [
        [(o.by, o.key) for o in attributed(a_log(seed, body, source, SOURCES[source])).origins]
        for seed in range(8)
    ]
    assert sum(f == [source] for f in found) >= 7


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("share", [0.0, 0.005])
def test_no_source_is_named_where_all_groups_are_alike(body: str, share: float) -> None:
    found = [attributed(a_log(seed, body, share=share)).origins for seed in range(8)]
    assert sum(f != () for f in found) == 0


def test_symptoms_fall_back_without_the_source() -> None:
    source = (("region",), ("r2",))
    made = attributed(a_log(1, "gaussian", source, 0.02))
    assert made.roles[source] == "source"
    assert made.roles[("region", "model"), ("r2", "b")] == "part of the source"
    assert made.roles[("model",), ("a",)] == "affected"
    assert made.count("heavy tail") == 0
    assert made.count("affected") > 10
    assert made.without is not None
    frame = a_log(1, "gaussian", source, 0.02).filter(pl.col("region") != "r2")
    assert made.without.n == frame.height
    assert made.without.mae == pytest.approx(frame["predicted"].abs().mean(), rel=1e-12)


def test_groups_with_a_heavy_tail_of_their_own_stay() -> None:
    source = (("segment",), ("s07",))
    made = attributed(a_log(2, "t3", source, 0.08))
    assert made.count("source") == 1
    assert made.count("heavy tail") > 10


def test_shares_of_a_source_are_those_of_its_rows() -> None:
    source = (("region",), ("r2",))
    frame = a_log(3, "gaussian", source, 0.02)
    (origin,) = attributed(frame).origins
    mine = frame.filter(pl.col("region") == "r2")["predicted"]
    assert origin.rows == len(mine)
    assert origin.share_of_rows == pytest.approx(len(mine) / ROWS)
    whole = frame["predicted"]
    assert origin.share_of_sq_error == pytest.approx((mine**2).sum() / (whole**2).sum(), rel=1e-9)
    assert origin.share_of_abs_error == pytest.approx(
        mine.abs().sum() / whole.abs().sum(), rel=1e-9
    )


@pytest.mark.parametrize(("inside", "large", "share"), [(3, 3, 0.1), (8, 10, 0.3), (60, 100, 0.4)])
def test_thechance_of_is_a_bound_of_the_binomial_tail(
    inside: int, large: int, share: float
) -> None:
    from scipy.stats import binom

    tail = float(binom.sf(inside - 1, large, share))
    assert tail * (1 - 1e-9) <= chance_of(inside, large, share) <= 30 * tail
    assert chance_of(1, 10, 0.3) == 1
    assert chance_of(0, 0, 0.3) == 1


def test_one_source_is_said_to_be_one_problem(run: Callable[..., Ran], tmp_path: Path) -> None:
    frame = a_log(1, "gaussian", (("region",), ("r2",)), 0.02)
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", *(word for by in GROUPINGS for word in ("--by", by)))
    (prediction,) = ran.json["predictions"]
    found = prediction["attribution"]
    assert [(s["by"], s["key"]) for s in found["sources"]] == [(["region"], ["r2"])]
    groups = [g for grouping in prediction["groupings"] for g in grouping["groups"]]
    flagged = sum(g["flagged"] for g in groups)
    roles = Counter(g["role"] for g in groups)
    assert roles["source"] == 1
    assert roles["affected"] == found["affected"]
    assert roles["part of the source"] == found["part_of_the_source"]
    only = found["affected"] + found["part_of_the_source"]
    said = (
        f"{flagged} of {len(groups)} groups have more outlier-driven error than the number of rows "
        f"explains, {only} of them only because of region = r2: one source, not {flagged} problems."
    )
    assert said in ran.html
    (finding,) = (f for f in ran.json["findings"] if f["code"] == "LR005")
    assert finding["message"] == said
    table = ran.html[ran.html.index('<table class="groups"') :]
    assert table[: table.index("</table>")].count("Only by the source") == found["affected"]


def test_a_file_can_be_a_source(tmp_path: Path) -> None:
    for i in range(4):
        frame = a_log(10 + i, "gaussian", None)
        far = pl.when(pl.int_range(pl.len()) % 50 == 0).then(60).otherwise(1)
        (frame if i else frame.with_columns(pl.col("predicted") * far)).write_csv(
            tmp_path / f"part{i}.csv"
        )
    report = lossreport.report(tmp_path, by=["@file", "model"])
    found = report.predictions[0].attribution
    assert found is not None
    assert [(o.by, o.key) for o in found.origins] == [(("file",), ("part0",))]
    group = next(g for g in report.predictions[0].groupings[0].groups if g.key == ("part0",))
    assert group.role == "source"
