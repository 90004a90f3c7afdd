"""Runs lossreport on simulated logs and judges its picks by what is true of their laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import lossreport
from benchmarks.laws import LAWS, Law, log_of, truth
from benchmarks.rules import RULES

AS_GOOD = 0.05
"""A pick that wastes no more than this share of the rows is near-optimal."""
CLEARLY_WORSE = 0.15
"""What "ruled out" claims of a loss."""
CSV_EVERY = 10
"""One log in so many is written as CSV, the others as Parquet."""


@dataclass(frozen=True)
class Judged:
    """One log: what lossreport said of it, and what a user would pick by another rule."""

    law: Law
    rows: int
    verdict: str
    pick: str
    """For a goal that is not known; where lossreport abstains, Huber."""
    confidence: str | None
    ruled_out: tuple[str, ...]
    broken: int
    ratio: tuple[float, float] | None
    """95 % interval of RMSE/MAE."""
    others: dict[str, str]
    """Picks of the other rules."""

    def regret(self, rule: str | None = None) -> float:
        """Return the share of rows that the pick (of a rule) wastes."""
        return truth(self.law).regrets[self.pick if rule is None else self.others[rule]]

    @property
    def near(self) -> bool:
        """Whether the pick is as good as the best loss."""
        return self.regret() <= AS_GOOD


def judge(law: Law, rows: int, seed: Sequence[int], folder: Path) -> Judged:
    """Write one log of a law, have lossreport read it, and take its advice."""
    log = log_of(law, np.random.default_rng(seed), rows)
    as_text = seed[-1] % CSV_EVERY == 0
    path = folder / ("log.csv" if as_text else "log.parquet")
    (log.write_csv if as_text else log.write_parquet)(path)
    by = "group" if law.groups else ""
    report = lossreport.report(path, actual="actual", predicted="predicted", by=by)
    (prediction,) = report.predictions
    advice, figures = prediction.recommendation.advice, prediction.overall
    errors = (log["predicted"] - log["actual"]).to_numpy()
    weights = advice.verdict == "weights"
    interval = None
    if figures.ratio_low is not None and figures.ratio_high is not None:
        interval = figures.ratio_low, figures.ratio_high
    return Judged(
        law=law,
        rows=rows,
        verdict=advice.verdict,
        pick="weighted L2" if weights else advice.best_guess or "Huber",
        confidence=advice.confidence,
        ruled_out=advice.ruled_out,
        broken=advice.broken.rows if advice.broken else 0,
        ratio=interval,
        others={name: rule(errors) for name, rule in RULES.items()},
    )


def simulated(seed: int, logs: dict[int, int], folder: Path) -> Iterator[Judged]:
    """Judge so many logs of every law for each number of rows."""
    for rows, times in logs.items():
        for number, law in enumerate(LAWS):
            for i in range(times):
                yield judge(law, rows, (seed, number, rows, i), folder)
