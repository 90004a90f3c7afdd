"""The tables of the simulation, as Markdown, from the judged logs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import mean

from benchmarks.judged import AS_GOOD, CLEARLY_WORSE, Judged
from benchmarks.laws import LAWS, LOSSES, Law, truth
from benchmarks.rules import RULES

Logs = Sequence[Judged]

PICKS = (*LOSSES, "weighted L2")
VERDICTS = {
    "clear": "clear", "no-clear-winner": "no clear winner", "depends": "depends",
    "check-rows-first": "check rows", "weights": "weights", "cannot-say": "cannot say",
}  # fmt: skip


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines))


def share(part: int, whole: int) -> str:
    """Return a share of a number of logs, "0.93 (150)"."""
    return f"{part / whole:.3f} ({whole:,})" if whole else "-"


def sizes(logs: Logs) -> list[int]:
    """Return the numbers of rows."""
    return sorted({j.rows for j in logs})


def efficiency(law: Law) -> str:
    """Return the law's efficiencies, "1/.95/.64" for L2/Huber/L1."""
    best = min(truth(law).factors)
    return "/".join(f"{best / v:.2f}".replace("1.00", "1").lstrip("0") for v in truth(law).factors)


def rules_table(logs: Logs) -> str:
    """Return the near-optimal share and the mean regret of every rule, by number of rows."""

    def cell(name: str | None, rows: int) -> str:
        regrets = [j.regret(name) for j in logs if j.rows == rows]
        return f"{mean(r <= AS_GOOD for r in regrets):.3f} / {mean(regrets):.3f}"

    head = ("rule", *(f"n={rows:,}" for rows in sizes(logs)))
    rules = [("**lossreport**", None), *((name, name) for name in RULES)]
    return table(head, [(said, *(cell(name, n) for n in sizes(logs))) for said, name in rules])


def picks_table(logs: Logs) -> str:
    """Return by law what is true, what was picked, what that wastes and how it was said."""

    def cell(law: Law, rows: int) -> str:
        mine = [j for j in logs if j.law == law and j.rows == rows]
        picked = Counter(j.pick for j in mine)
        shares = "/".join(f"{picked[p] / len(mine):.2f}".lstrip("0") for p in LOSSES)
        said = Counter(j.verdict for j in mine)
        special = [
            f"{VERDICTS[v]} {said[v] / len(mine):.2f}"
            for v in ("depends", "check-rows-first", "weights", "cannot-say")
            if said[v]
        ]
        return "; ".join([f"{shares} r{mean(j.regret() for j in mine):.3f}", *special])

    head = ("law", "efficiency", *(f"n={rows:,}" for rows in sizes(logs)))
    lines = [(law.name, efficiency(law), *(cell(law, n) for n in sizes(logs))) for law in LAWS]
    return table(head, lines)


def _by_size(logs: Logs, cells: dict[str, Callable[[Logs], str]]) -> str:
    lines = []
    for rows in sizes(logs):
        mine = [j for j in logs if j.rows == rows]
        lines.append((f"{rows:,}", *(cell(mine) for cell in cells.values())))
    return table(("n", *cells), lines)


def confidence_table(logs: Logs) -> str:
    """Return how often each confidence was near-optimal; laws with faulty rows left out."""

    def cell(level: str) -> Callable[[Logs], str]:
        def of(mine: Logs) -> str:
            said = [j for j in mine if j.confidence == level]
            return share(sum(j.near for j in said), len(said))

        return of

    sound = [j for j in logs if not j.law.fault]
    return _by_size(sound, {level: cell(level) for level in ("high", "moderate", "low")})


def ruled_out_table(logs: Logs) -> str:
    """Return how often a loss that was ruled out is good."""

    def wrong(limit: float) -> Callable[[Logs], str]:
        def of(mine: Logs) -> str:
            wastes = [truth(j.law).regrets[loss] for j in mine for loss in j.ruled_out]
            return share(sum(w <= limit for w in wastes), len(wastes))

        return of

    return _by_size(
        [j for j in logs if not j.law.fault],
        {
            "as good as the best": wrong(AS_GOOD),
            "less than 15 % worse": wrong(CLEARLY_WORSE),
            "logs with one ruled out": lambda mine: share(
                sum(bool(j.ruled_out) for j in mine), len(mine)
            ),
        },
    )


def alarms_table(logs: Logs) -> str:
    """Return how often rows were said to lie apart in logs without a fault."""

    def of(mine: Logs) -> str:
        return share(sum(j.broken > 0 for j in mine), len(mine))

    def worst(mine: Logs) -> str:
        by_law = Counter(j.law.name for j in mine if j.broken)
        told = [f"{name} {n}" for name, n in by_law.most_common(4)]
        return ", ".join(told) or "none"

    sound = [j for j in logs if not j.law.fault]
    return _by_size(sound, {"false alarms": of, "where (logs)": worst})


def surely_wrong(logs: Logs) -> dict[int, list[str]]:
    """Return, by rows, the laws of logs in which lossreport was sure and wrong."""
    return {
        n: [j.law.name for j in logs if j.rows == n and j.confidence == "high" and not j.near]
        for n in sizes(logs)
    }


def coverage_table(logs: Logs) -> str:
    """Return how often the 95 % interval of the ratio holds the true one."""

    def cell(law: Law, rows: int) -> str:
        intervals = [j.ratio for j in logs if j.law == law and j.rows == rows and j.ratio]
        held = sum(low <= truth(law).ratio <= high for low, high in intervals)
        return f"{held / len(intervals):.2f}" if intervals else "-"

    finite = [law for law in LAWS if math.isfinite(truth(law).ratio)]
    head = ("law", "RMSE/MAE", *(f"n={rows:,}" for rows in sizes(logs)))
    lines = [
        (law.name, f"{truth(law).ratio:.3f}", *(cell(law, n) for n in sizes(logs)))
        for law in finite
    ]
    return table(head, lines)
