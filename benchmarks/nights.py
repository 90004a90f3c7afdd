"""Simulates histories of 120 nights and counts what is told: rightly, late, twice, or for nothing.

40 groups of 400 to 1,600 rows a night; Gaussian, Laplace and t3 errors; a weekly pattern of 15 %
in their size, a common factor from night to night of 2 % and, if asked, one of each group's own of
at most so much. Beside quiet nights: one bad night (errors twice as large), a shift from 3.1 to
4.0, both in one group at night 60, creeping of 0.3 % a night in one group, a group that vanishes, a
night of NaNs, and a night with 1 % of its rows.

    .venv/bin/python -m benchmarks.nights             # three histories of each
    .venv/bin/python -m benchmarks.nights --seeds 10 --own 0.1
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from datetime import date

from lossreport.nights.changes import Event
from lossreport.nights.events import History, events_of, ordinary_nights
from tests.simulated_nights import AT, GROUP, LAWS, Simulated, simulated

WANTED = {
    "quiet": None,
    "bad night": "bad night",
    "shift": "shift",
    "creep": "creep",
    "vanished": "vanished",
    "nothing scored": "nothing scored",
    "few rows": "few rows",
}


def events_in(made: Simulated) -> tuple[Event, ...]:
    ordinary = tuple(ordinary_nights(made.series))
    return events_of(History(made.series, made.days, ordinary, 0), None)[0]


def judged(scenario: str, made: Simulated) -> tuple[int | None, int, int]:
    """Return the night it was first named, how often, and how many other alarms there are.

    That a shift is a night off before a second one bears it out is no other alarm.
    """
    named, others = list[int](), 0
    for event in events_in(made):
        at = (date.fromisoformat(str(event.found)) - made.days[0]).days
        ours = event.place.key in ((str(GROUP),), ())
        if event.kind == WANTED[scenario] and ours:
            named.append(at)
        elif not (scenario == "shift" and event.kind == "bad night" and at - AT in (0, 1) and ours):
            others += 1
    return (named[0] if named else None), len(named), others


def line(scenario: str, law: str, results: Sequence[tuple[int | None, int, int]]) -> str:
    """Return a row of the table."""
    first = Counter(r[0] for r in results if r[0] is not None)
    when = ", ".join(f"{night} ({n})" for night, n in sorted(first.items()))
    once = sum(r[1] == 1 for r in results)
    others = [r[2] for r in results]
    if WANTED[scenario] is None:
        return f"| {scenario} | {law} | {len(results)} | | | {sum(others)} | {max(others)} |"
    told = f"{once} of {len(results)}"
    return (
        f"| {scenario} | {law} | {len(results)} | {told} | {when} | {sum(others)} | {max(others)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--own", type=float, default=0.0)
    asked = parser.parse_args()
    print("| what happens | errors | histories | told once | on night | other alarms | most |")
    print("|---|---|--:|--:|---|--:|--:|")
    for scenario in WANTED:
        for law in LAWS:
            made = (
                simulated(scenario, law, 1000 + seed, own=asked.own) for seed in range(asked.seeds)
            )
            print(line(scenario, law, [judged(scenario, m) for m in made]), flush=True)


if __name__ == "__main__":
    main()
