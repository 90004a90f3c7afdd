"""Measures the advice on real data: fits the losses it chooses between, and counts the cost.

For each problem of `real_problems` (or, with `--data r`, of `r_problems`): the out-of-fold errors
of the L2 model are written as a log, `lossreport.report` advises, and the model is fitted again
with L2, Huber (the advice's delta) and L1 on other folds. The regret of a rule is how much larger
the metric of the loss it picks is than the smallest of the three, at most 1: RMSE for the goal
"totals", MAE for "typical".

    python -m benchmarks.advice_real
    python -m benchmarks.advice_real --model linear --save refits.json
    python -m benchmarks.advice_real --saved refits.json    # another rule, the same refits
    python -m benchmarks.advice_real --data r --model "trees, 60" --every 3 --repeats 1
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer

import lossreport
from benchmarks.r_problems import r_problems
from benchmarks.real_problems import Floats, Problem, problems
from benchmarks.refits import KINDS, REPEATS, ROWS_OF_TREES, Delta, Kind, out_of_fold
from lossreport.advice.advice import LOSSES, Advice, Goal

METRICS: dict[Goal, str] = {"totals": "RMSE", "typical": "MAE"}
HIT = 0.01
"""A pick within this share of the best metric is a hit."""
FEW = 300
BOOTSTRAPS = 10_000


@dataclass(frozen=True)
class Measured:
    """What the advice said of one problem, and what its losses cost."""

    data: str
    target: str
    errors: tuple[float, ...]
    """Of the log, predicted - actual."""
    ratio: float
    """RMSE/MAE about the mean error."""
    advised: dict[str, str | None]
    """By goal, "unknown" among them; None where the advice is none."""
    efficiency: dict[str, float]
    metric: dict[Goal, dict[str, float]]
    """By goal and loss: the mean over the repeats."""

    def regret(self, goal: Goal, loss: str) -> float:
        """Return the excess of a loss's metric over the smallest of the three, at most 1."""
        smallest = min(self.metric[goal].values())
        return min(1.0, self.metric[goal][loss] / smallest - 1) if smallest > 0 else 0.0


Rule = Callable[[Measured, Goal], str]


def by_advice(of: Measured, goal: Goal) -> str:
    """Return what the advice says; without one, or with weights first, L2 stays."""
    loss = of.advised[goal]
    return loss if loss in LOSSES else "L2"


RULES: dict[str, Rule] = {
    "always L2": lambda *_: "L2",
    "always Huber": lambda *_: "Huber",
    "always L1": lambda *_: "L1",
    "train on your metric": lambda _, goal: "L2" if goal == "totals" else "L1",
    "ratio 1.277, L2 or Huber": lambda of, _: "Huber" if of.ratio > 1.277 else "L2",
    "efficiency only": lambda of, _: max(of.efficiency or {"L2": 1.0}, key=of.efficiency.get),  # type: ignore[arg-type]
    "advice, goal unknown": lambda of, _: by_advice(of, "unknown"),
    "advice, goal given": by_advice,
}
ADVICE = "advice, goal given"


def measure(problem: Problem, kind: Kind, repeats: int, folder: Path) -> Measured:
    """Write the L2 model's log, ask for advice, and fit again on other folds."""
    x, y = _at_most(problem, kind)
    first = out_of_fold(kind, "L2", None, x, y, repeat=0).totals
    log = folder / "log.csv"
    pl.DataFrame({"actual": y, "predicted": first}).write_csv(log)
    advised, efficiency, about = _advised(log)
    away = first - y
    centred = away - away.mean()
    return Measured(
        problem.data,
        problem.target,
        errors=tuple(away.tolist()),
        ratio=float(np.sqrt((centred**2).mean()) / np.abs(centred).mean()),
        advised=advised,
        efficiency=efficiency,
        metric=_metrics(kind, repeats, _delta(about, away), x, y),
    )


def _at_most(problem: Problem, kind: Kind) -> tuple[Floats, Floats]:
    if kind == "linear" or len(problem.y) <= ROWS_OF_TREES:
        return problem.x, problem.y
    chosen = np.random.default_rng(500).choice(len(problem.y), ROWS_OF_TREES, replace=False)
    chosen.sort()
    return problem.x[chosen], problem.y[chosen]


def measured_before(saved: Measured, folder: Path) -> Measured:
    """Ask for advice again on the saved errors; the refits, and Huber's delta, stay."""
    log = folder / "log.csv"
    pl.DataFrame({"predicted": saved.errors}).with_columns(actual=0.0).write_csv(log)
    advised, efficiency, _ = _advised(log)
    return replace(saved, advised=advised, efficiency=efficiency)


def _advised(log: Path) -> tuple[dict[str, str | None], dict[str, float], Advice]:
    """Return the loss for each goal, the losses' efficiencies, and the advice without a goal."""
    goals: tuple[Goal, ...] = ("totals", "typical", "unknown")
    each = {
        goal: lossreport.report(log, goal=goal, by=(), time="").predictions[0].recommendation.advice
        for goal in goals
    }
    about = each["unknown"]
    efficiency = {e.loss: e.value for e in about.efficiency}
    return {goal: advice.loss for goal, advice in each.items()}, efficiency, about


def _delta(advice: Advice, away: Floats) -> Delta:
    """Return the advice's delta; where there is none, the usual 1.345 robust deviations."""
    if advice.delta is not None and advice.delta_quantile is not None:
        return Delta(advice.delta, advice.delta_quantile)
    delta = 1.345 * 1.4826 * float(np.median(np.abs(away - np.median(away))))
    return Delta(delta, float(np.mean(np.abs(away) < delta)))


def _metrics(
    kind: Kind, repeats: int, delta: Delta, x: Floats, y: Floats
) -> dict[Goal, dict[str, float]]:
    found: dict[Goal, dict[str, float]] = {goal: {} for goal in METRICS}
    for loss in LOSSES:
        each = [out_of_fold(kind, loss, delta, x, y, 1 + r) for r in range(repeats)]
        rmse = [np.sqrt(np.mean((p.totals - y) ** 2)) for p in each]
        mae = [np.mean(np.abs(p.typical - y)) for p in each]
        found["totals"][loss], found["typical"][loss] = float(np.mean(rmse)), float(np.mean(mae))
    return found


def regrets(of: Sequence[Measured], rule: Rule) -> Floats:
    """Return a rule's regret per problem and goal, shape (problems, 2)."""
    return np.array([[m.regret(goal, rule(m, goal)) for goal in METRICS] for m in of])


def interval(difference: Floats, cluster: Sequence[str]) -> tuple[float, float]:
    """Return the 95 % interval of a mean over problems, whole clusters of them redrawn."""
    _, which = np.unique(np.array(cluster), return_inverse=True)
    sums = np.bincount(which, difference)
    sizes = np.bincount(which)
    drawn = np.random.default_rng(0).integers(len(sizes), size=(BOOTSTRAPS, len(sizes)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def table(of: Sequence[Measured]) -> list[str]:
    """Return the rules' regrets as a Markdown table; shares in %, differences in points."""
    lines = [
        "| rule | hit | regret | worst | less the advice's | over problems | over data sets "
        "| RMSE, totals | MAE, typical |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    ours = regrets(of, RULES[ADVICE]).mean(axis=1)
    for name, rule in RULES.items():
        regret = regrets(of, rule)
        more = 100 * (regret.mean(axis=1) - ours)
        ranges = [
            "{:+.2f} to {:+.2f}".format(*interval(more, cluster)) if name != ADVICE else ""
            for cluster in ([f"{m.data} {m.target}" for m in of], [m.data for m in of])
        ]
        by_goal = [f"{100 * r.mean():.2f} (worst {100 * r.max():.1f})" for r in regret.T]
        each = (
            name,
            f"{np.mean(regret <= HIT):.2f}",
            f"{100 * regret.mean():.2f} %",
            f"{100 * regret.mean(axis=1).max():.1f} %",
            f"{more.mean():+.2f}" if name != ADVICE else "",
            *ranges,
            *by_goal,
        )
        lines.append(f"| {' | '.join(each)} |")
    return lines


def main(
    model: Annotated[list[str] | None, typer.Option(help=f"Any of: {', '.join(KINDS)}.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Of the five folds; else 8, trees 3.")] = None,
    save: Annotated[Path | None, typer.Option(help="Where to keep all figures as JSON.")] = None,
    saved: Annotated[Path | None, typer.Option(help="Figures kept before: no refits.")] = None,
    data: Annotated[str, typer.Option(help="python: two libraries' data; r: R's.")] = "python",
    every: Annotated[int, typer.Option(help="Take one problem in so many.")] = 1,
) -> None:
    source = {"python": problems, "r": r_problems}[data]
    chosen: list[Kind] = [kind for kind in KINDS if not model or kind in model]
    before = json.loads(saved.read_text()) if saved else None
    kept = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in chosen if before is None else [kind for kind in chosen if kind in before]:
            if before is None:
                each = [
                    _shown(i, p, kind, repeats or REPEATS[kind], folder)
                    for i, p in enumerate(itertools.islice(source(), 0, None, every))
                ]
            else:
                each = [measured_before(Measured(**m), folder) for m in before[kind]]
            few = [m for m in each if len(m.errors) <= FEW]
            print(f"\n{kind}: {len(each)} problems\n", *table(each), sep="\n")
            print(f"\n{kind}: {len(few)} problems of at most {FEW} rows\n", *table(few), sep="\n")
            kept[kind] = [asdict(m) for m in each]
            if save:
                save.write_text(json.dumps(kept))


def _shown(at: int, problem: Problem, kind: Kind, repeats: int, folder: Path) -> Measured:
    print(f"\r{kind}: {at + 1}", end="", file=sys.stderr, flush=True)
    return measure(problem, kind, repeats, folder)


if __name__ == "__main__":
    typer.run(main)
