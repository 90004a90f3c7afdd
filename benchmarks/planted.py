"""Logs in which one thing was planted, or nothing: whether lossreport sees it, and only then."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

import lossreport
from benchmarks.laws import SCALES
from benchmarks.tables import share, table
from lossreport.reports.results import Prediction

Floats = npt.NDArray[np.float64]
Source = tuple[tuple[str, ...], tuple[str, ...]]

BODIES: dict[str, Any] = {"Gaussian": stats.norm(), "Laplace": stats.laplace(), "t3": stats.t(3)}
CLEAN: dict[str, Any] = {
    "uniform": stats.uniform(-1, 2), "Laplace": stats.laplace(), "t5": stats.t(5),
    "lognormal 0.5": stats.lognorm(0.5),
}  # fmt: skip
FAULTS: tuple[tuple[str, float, float], ...] = (
    ("Gaussian", 1, 30), ("Gaussian", 3, 15), ("Gaussian", 0.002, 100), ("Gaussian", 0.005, 12),
    ("Laplace", 0.002, 100), ("t3", 0.002, 100),
)  # fmt: skip
"""Body, how many rows (or their share), and how far out in standard deviations of a Gaussian."""
GROUPINGS = ("region", "model", "segment", "region,model")
SOURCES: dict[Source, float] = {
    (("region",), ("r2",)): 0.02,
    (("segment",), ("s07",)): 0.08,
    (("region", "model"), ("r2", "a")): 0.04,
}
"""A group, and the share of its rows whose error is 60 times as large."""


def reported(log: pl.DataFrame, folder: Path, by: Any = "") -> Prediction:
    """Return what lossreport says of a log that it reads from a file."""
    path = folder / "planted.parquet"
    log.write_parquet(path)
    report = lossreport.report(path, actual="actual", predicted="predicted", by=by)
    return report.predictions[0]


def _log(errors: Floats, rng: np.random.Generator, **groups: Any) -> pl.DataFrame:
    actual = rng.normal(50, 10, len(errors))
    return pl.DataFrame({"actual": actual, "predicted": actual + errors, **groups})


def _named(number: npt.NDArray[np.int64]) -> pl.Series:
    return "g" + pl.Series(number).cast(pl.String)


def faults(seed: int, times: int, folder: Path) -> str:
    """Return how often exactly the planted rows were found."""

    def found(body: str, planted: float, away: float, rows: int, i: int) -> bool:
        rng = np.random.default_rng((seed, 1, rows, i))
        errors = BODIES[body].rvs(rows, random_state=rng)
        count = round(planted if planted >= 1 else max(1, planted * rows))
        errors[:count] = away * rng.choice([-1, 1], count) * rng.uniform(1, 1.1, count)
        broken = reported(_log(errors, rng), folder).recommendation.advice.broken
        return broken is not None and broken.rows == count

    lines = []
    for body, planted, away in FAULTS:
        what = f"{planted:g} row{'s' * (planted > 1)}" if planted >= 1 else f"{100 * planted:g} %"
        cells = [
            share(sum(found(body, planted, away, n, i) for i in range(times)), times)
            for n in (300, 1_000, 10_000)
        ]
        lines.append((f"{body}, {what} at {away:g}", *cells))
    return table(("planted", "n=300", "n=1,000", "n=10,000"), lines)


def mixing(seed: int, times: int, folder: Path) -> str:
    """Return how often weights were advised, with ten groups of equal or different scale."""

    def advised(body: str, scales: Floats, rows: int, i: int) -> bool:
        rng = np.random.default_rng((seed, 2, rows, i))
        group = np.repeat(np.arange(len(scales)), rows)
        errors = BODIES[body].rvs(len(group), random_state=rng) * scales[group]
        log = _log(errors, rng, group=_named(group))
        return reported(log, folder, "group").recommendation.advice.verdict == "weights"

    lines = []
    for body, scales, said in (
        ("Gaussian", SCALES, "Gaussian, scales 0.3 to 3 (to be found)"),
        ("t3", SCALES, "t3, scales 0.3 to 3"),
        ("Gaussian", np.ones(10), "Gaussian, equal scales"),
        ("Laplace", np.ones(10), "Laplace, equal scales"),
        ("t3", np.ones(10), "t3, equal scales"),
    ):
        cells = [
            share(sum(advised(body, scales, rows, i) for i in range(times)), times)
            for rows in (50, 100, 200, 1_000)
        ]
        lines.append((said, *cells))
    return table(("rows in each of 10 groups", "50", "100", "200", "1,000"), lines)


def flags(seed: int, logs: dict[int, int], folder: Path) -> str:
    """Return how many of clean groups were flagged as outlier-driven, and in how many logs."""

    def flagged(law: Any, groups: int, rows: int, i: int) -> int:
        rng = np.random.default_rng((seed, 3, groups, rows, i))
        errors = law.rvs(groups * rows, random_state=rng)
        log = _log(errors, rng, group=_named(np.repeat(np.arange(groups), rows)))
        (grouping,) = reported(log, folder, "group").groupings
        return sum(g.flagged for g in grouping.groups)

    laws = [("Gaussian", stats.norm(), rows) for rows in (50, 200, 1_000)]
    laws += [(name, law, 200) for name, law in CLEAN.items()]
    lines = []
    for name, law, rows in laws:
        cells = []
        for groups, times in logs.items():
            often = times if name == "Gaussian" else max(2, times // 5)
            found = [flagged(law, groups, rows, i) for i in range(often)]
            cells.append(
                f"{sum(found):,} of {groups * often:,}; {sum(map(bool, found))} of {often}"
            )
        lines.append((f"{name}, {rows:,} rows a group", *cells))
    return table(
        ("groups flagged; logs with any flag", *(f"{g:,} group{'s' * (g > 1)}" for g in logs)),
        lines,
    )


def _attributed_log(seed: tuple[int, ...], body: str, source: Source | None, part: float) -> Any:
    rng = np.random.default_rng(seed)
    rows = 10_000
    columns = {
        "region": rng.choice([f"r{i}" for i in range(5)], rows),
        "model": rng.choice(["a", "b", "c"], rows),
        "segment": rng.choice([f"s{i:02d}" for i in range(20)], rows),
    }
    inside = np.ones(rows, dtype=bool)
    for column, value in zip(*source, strict=True) if source else ():
        inside &= columns[column] == value
    far = inside & (rng.random(rows) < part)
    errors = BODIES[body].rvs(rows, random_state=rng)
    return _log(np.where(far, 60 * errors, errors), rng, **columns)


def sources(seed: int, times: int, folder: Path) -> str:
    """Return how often the planted source, and nothing else, was named."""

    def right(body: str, source: Source | None, part: float, i: int) -> bool:
        log = _attributed_log((seed, 4, int(10_000 * part), i), body, source, part)
        found = reported(log, folder, GROUPINGS).attribution
        named = [(o.by, o.key) for o in found.origins] if found else []
        return named == ([source] if source else [])

    cases: list[tuple[str, Source | None, float]] = [
        (" and ".join(f"{c} = {v}" for c, v in zip(*source, strict=True)), source, part)
        for source, part in SOURCES.items()
    ]
    cases += [("none, all groups alike", None, 0.0), ("none, 0.5 % x60 everywhere", None, 0.005)]
    lines = [
        (
            said,
            *(
                share(sum(right(body, source, part, i) for i in range(often)), often)
                for body in BODIES
            ),
        )
        for said, source, part in cases
        for often in (times if source else times * 3 // 2,)
    ]
    return table(("source", *BODIES), lines)


def many_groups(seed: int, groups: int, folder: Path) -> str:
    """Return how long a report with advice for so many groups takes."""
    rng = np.random.default_rng((seed, 5))
    group = np.repeat(np.arange(groups), 60)
    log = _log(rng.standard_t(3, len(group)), rng, group=_named(group))
    start, cpu = time.perf_counter(), time.process_time()
    (grouping,) = reported(log, folder, "group").groupings
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    advised = sum(g.recommendation.advice.loss is not None for g in grouping.groups)
    return (
        f"{groups:,} groups of 60 rows, {advised:,} of them advised: "
        f"{wall:.1f} s, {used:.1f} CPU s, the log's reading and checks among them."
    )


CALIBRATIONS: dict[str, Callable[[int, bool, Path], str]] = {
    "Broken rows that were planted: exactly these found": lambda s, quick, f: faults(
        s, 4 if quick else 20, f
    ),
    "Weights advised": lambda s, quick, f: mixing(s, 4 if quick else 15, f),
    "Clean groups flagged as outlier-driven": lambda s, quick, f: flags(
        s, {1: 10, 50: 2} if quick else {1: 100, 50: 20, 1_000: 5}, f
    ),
    "Source of the large errors: right": lambda s, quick, f: sources(s, 2 if quick else 12, f),
    "Time": lambda s, quick, f: many_groups(s, 1_000 if quick else 10_000, f),
}
