"""Patterns: what many of the worst rows have in common, and few other rows of the log have.

A value that repeats, a unit's factor, a turned sign, shifted rows, one id, group,
file, hour or day. Each is counted among the worst rows and among the others: all of them, or the
rows kept for the checks. It is told if that many are no chance (Fisher's exact test, multiplied by
the number of patterns looked at) and it is much rarer elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from lossreport.checks.view import View
from lossreport.formats import percent
from lossreport.reports.groups import RawGroups
from lossreport.reports.place_fits import By, one_file, one_group, one_id, one_time
from lossreport.reports.row_fits import (
    FEWEST,
    Fit,
    Rows,
    equal_values,
    shifted,
    turned_signs,
    unit_factors,
)
from lossreport.reports.where import Kind, Pattern, Verb

CHANCE = 0.001
"""Of any pattern in worst rows that have none."""
RARER = 3.0
"""The share of the worst rows that fit is at least so many times that of the others."""
MOST_TOLD = 3
IN_THE_ROW: tuple[Kind, ...] = ("value", "factor", "sign", "shift")
KINDS: tuple[Kind, ...] = (*IN_THE_ROW, "id", "group", "file", "hour", "day")
"""Of two patterns of the same rows the first is told."""
ONE: dict[Verb, str] = {"have": "has", "are": "is"}


def worst_patterns(
    view: View | None,
    groupings: Mapping[By, RawGroups],
    names: Mapping[By, By],
    unit: str | None = None,
) -> tuple[Pattern, ...]:
    """Return what the worst rows have in common, what most have first; at most three patterns.

    Parameters
    ----------
    view
        None: of a profile that kept no rows nothing is told.
    groupings, names
        The groups by each set of columns, and what the columns are called.

    Returns
    -------
    tuple of Pattern
        Empty where there is none, and where fewer than three worst rows are kept.
    """
    if view is None or view.worst.height < FEWEST:
        return ()
    worst = view.worst.with_columns(pl.col("file").cast(pl.String))
    rows = Rows(view, worst, view.rows.join(worst, on=["file", "row"], how="anti"))
    with np.errstate(all="ignore"):  # values near the largest float are compared, not trusted
        looked = [
            equal_values(rows, "actual", unit),
            equal_values(rows, "predicted", unit),
            unit_factors(rows),
            turned_signs(rows),
        ]
        looked += [shifted(rows)]
    looked += [one_id(rows), one_file(rows), one_time(rows)]
    looked += [one_group(rows, by, names[by], raw) for by, raw in groupings.items()]
    tests = sum(n for _, n in looked)
    found = [f for fits, _ in looked for f in fits if _is_pattern(f, tests)]
    found.sort(key=lambda f: (-int(f.fits.sum()), KINDS.index(f.kind)))
    told: list[Fit] = []
    for fit in found:
        if not any(_says_the_same(fit, f) for f in told):
            told.append(fit)
    return tuple(_pattern(f) for f in told[:MOST_TOLD])


def chance(fits: int, of: int, elsewhere: int, others: int) -> float:
    """Return how likely it is that so many of `of` rows fit, if they were drawn from all rows.

    Fisher's exact test, one-sided: the upper tail of the hypergeometric distribution.
    """
    total, fitting = of + others, fits + elsewhere

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    def one(k: int) -> float:
        ways = log_choose(fitting, k) + log_choose(total - fitting, of - k)
        return math.exp(min(0.0, ways - log_choose(total, of)))

    least = max(fits, of - (total - fitting))
    return min(1.0, math.fsum(one(k) for k in range(least, min(of, fitting) + 1)))


def _is_pattern(fit: Fit, tests: int) -> bool:
    k, of = int(fit.fits.sum()), len(fit.fits)
    if k < FEWEST or k * fit.others < RARER * fit.elsewhere * of:
        return False
    return tests * chance(k, of, fit.elsewhere, fit.others) < CHANCE


def _says_the_same(fit: Fit, told: Fit) -> bool:
    """Return whether all rows of a pattern are rows of another of its kind: in it, or around it."""
    alike = (fit.kind in IN_THE_ROW) == (told.kind in IN_THE_ROW)
    return alike and not bool((fit.fits & ~told.fits).any())


def _pattern(fit: Fit) -> Pattern:
    positions = tuple(np.flatnonzero(fit.fits).tolist())
    of = len(fit.fits)
    said = in_words(len(positions), of, f"the {of:,} worst rows", fit.verb, fit.what)
    looked_at = " looked at" if fit.sampled else ""
    does, do = ("is", "are") if fit.verb == "are" else ("does", "do")
    if not fit.elsewhere:
        rest = f"None of the other {fit.others:,} rows{looked_at} {does}."
    else:
        share = percent(fit.elsewhere / fit.others)
        rest = f"Of the other {fit.others:,} rows{looked_at} {share} {do}."
    return Pattern(
        fit.kind, fit.verb, fit.what, positions, of, fit.elsewhere, fit.others, f"{said} {rest}"
    )


def in_words(fits: int, of: int, whom: str, verb: Verb, what: str) -> str:
    """Return how many rows fit and how many do not: "2 of the 3 have actual = 0; 1 does not."."""
    if fits == of:
        return (
            f"All {whom.removeprefix('the ')} {verb} {what}."
            if of > 1
            else f"It {ONE[verb]} {what}."
        )
    rest = of - fits
    some = ONE[verb] if fits == 1 else verb
    do = {"have": "does" if rest == 1 else "do", "are": "is" if rest == 1 else "are"}[verb]
    return f"{fits:,} of {whom} {some} {what}; {rest:,} {do} not."


def of_these(patterns: Sequence[Pattern], rows: int) -> str | None:
    """Return what most of the `rows` worst rows have in common; None if nothing is known."""
    for pattern in patterns:
        if rows > pattern.of:
            if 2 * pattern.rows >= pattern.of:
                return in_words(
                    pattern.rows, pattern.of, f"the {pattern.of:,} worst", pattern.verb,
                    pattern.what,
                )  # fmt: skip
            continue
        fits = sum(p < rows for p in pattern.positions)
        if 2 * fits >= rows:
            return in_words(fits, rows, f"the {rows:,}", pattern.verb, pattern.what)
    return None
