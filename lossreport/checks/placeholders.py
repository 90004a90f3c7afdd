"""Looks for values that stand for "no value": codes that systems write, and values that pile up."""

from __future__ import annotations

import numpy as np
import polars as pl

from lossreport.checks.finding import Finding
from lossreport.checks.view import (
    MINIMUM,
    TOO_FEW,
    Floats,
    Severity,
    View,
    examples,
    extent,
    finite,
    issue,
    passed,
    plain,
    skipped,
    whole_numbers,
)
from lossreport.formats import number

CODES = frozenset(
    sign * value
    for value in (*(10.0**k - 1 for k in range(2, 11)), 99999.99, 999.9, 9999.9, 1e20, 1e30, 1e36)
    for sign in (1, -1)
) | {-1.0, 32767.0, -32768.0, 65535.0, 2.0**31 - 1, -(2.0**31), 2.0**32 - 1, 2.0**63, -(2.0**63)}
"""Numbers that systems write where there is no value."""
PILE = 0.005
"""From this share on, one value of many different ones is a pile."""
STANDS_OUT = 5
MOST_PILES = 4
"""A pile has so many times the rows of the value that is next in frequency after this many."""
FEW_VALUES = 5
"""Among fewer different values (labels, answers) none is told from the others."""
OFTEN = 0.05
"""From this share on, zeros of an amount are more likely amounts than placeholders."""


def placeholders(view: View, side: str) -> Finding:
    """Look for values that stand for "no value"."""
    code = {"actual": "LR016", "predicted": "LR017"}[side]
    title = f"No {side} value looks like a placeholder"
    name = view.name if side == "predicted" else None
    rows = finite(view.every, side)
    values = rows[side].to_numpy()
    if len(values) < MINIMUM:
        return skipped(code, title, TOO_FEW, name)
    found = _piles(values, bounds=side == "actual")
    among_worst = _codes_among_worst(view.worst[side].to_numpy(), values)
    if not found and not among_worst:
        return passed(code, title, name)
    if not found:
        value = among_worst[0]
        at = view.worst.filter(pl.col(side) == value)
        message = (
            f"{plain(value)} is the {side} value of {at.height:,} of the {view.worst.height:,} "
            f"worst rows, far from all others: a placeholder for a missing value?"
        )
        return issue(code, title, message, _placeholder_todo(value), name=name, at=examples(at))
    value = found[0]
    marks = values == value
    known = view.worst.filter(pl.col(side) == value).height
    size = extent(int(marks.sum()), len(values), view.scored, whole=view.whole, at_least=known)
    others = values[~np.isin(values, found)]
    among = fits_in(value, others)
    severity: Severity = "info" if among or _nothing(value, others, size.share) else "warning"
    where = "among" if among else "far from"
    more = f" So {'do' if found[2:] else 'does'} {', '.join(map(plain, found[1:5]))}."
    message = (
        f"{plain(value)} is the {side} value of {size.text}, {where} values from "
        f"{number(float(others.min()))} to {number(float(others.max()))} that hardly repeat: "
        f"a placeholder for a missing value?{more if found[1:] else ''}"
    )
    return issue(
        code, title, message, _placeholder_todo(value), severity, name,
        size=size, at=examples(rows, marks),
    )  # fmt: skip


def _nothing(value: float, others: Floats, share: float) -> bool:
    """Return whether a value is 0 as often as where there is often nothing: no claim, no sale."""
    return value == 0 and share >= OFTEN and bool(others.min() > 0)


def _placeholder_todo(value: float) -> str:
    return (
        f"If {plain(value)} means that there is no value, write null instead (then such rows "
        "are left out and counted); if it is real, nothing is wrong."
    )


def _piles(values: Floats, *, bounds: bool) -> list[float]:
    """Return values that pile up beyond chance, most frequent first.

    `bounds`: also one at the lowest or highest value that others come near to.
    """
    different, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    usual = int(counts[order[MOST_PILES]]) if len(order) > MOST_PILES else len(values)
    rounded = whole_numbers(different)
    found: list[float] = []
    if np.isin(different, list(CODES), invert=True).sum() < FEW_VALUES:
        return found
    for at in order[:20].tolist():
        value, n = float(different[at]), int(counts[at])
        others = values[(values != value) & ~np.isin(values, list(CODES))]
        if n < 3 or not len(others):
            continue
        is_near = near(value, others)
        beside = int(counts[max(0, at - 1) : at + 2].sum()) - n
        known = value in CODES and not fits_in(value, others) and n > 2 * beside
        pile = n >= max(5, PILE * len(values))
        pile &= n > STANDS_OUT * max(usual, is_near * beside)
        at_bound = is_near and not others.min() < value < others.max()
        if known or (pile and not (at_bound and (rounded or not bounds))):
            found.append(value)
    return found


def fits_in(value: float, others: Floats) -> bool:
    """Return whether a value is within, or close to, the range of most others and near to one."""
    low, high = np.quantile(others, [0.02, 0.98])
    inside = low - 0.5 * (high - low) <= value <= high + 0.5 * (high - low)
    return bool(inside and near(value, others) and not value < 0 <= others.min())


def near(value: float, others: Floats) -> bool:
    """Return whether a value is near to another: a tenth of the range of most, or one step."""
    width = float(np.ptp(np.quantile(others, [0.02, 0.98])))
    step = float(np.diff(np.unique(others)).min(initial=width))
    return float(np.min(np.abs(others - value))) <= max(0.1 * width, step)


def _codes_among_worst(worst: Floats, values: Floats) -> list[float]:
    """Return known codes that several of the worst rows have."""
    different, counts = np.unique(worst, return_counts=True)
    others = values[~np.isin(values, list(CODES))]
    repeated = different[counts >= 3].tolist()
    if len(np.unique(others)) < FEW_VALUES:
        return []
    return [v for v in repeated if v in CODES and not fits_in(v, others)]
