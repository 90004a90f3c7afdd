"""A report in a dozen values, which its page carries so that an index can list it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lossreport.formats import visible
from lossreport.reports.results import Report

LONGEST = 120
"""Titles and names are cut to so many characters."""


@dataclass(frozen=True)
class Summary:
    """What an index of reports shows of one."""

    title: str
    date: str | None
    """The last time in the log, UTC: "2026-11-26 23:58"; None if no row has one."""
    tag: str
    tone: str
    """Of the verdict: "alert", "note", "calm" or "none"."""
    headline: str
    actual: str
    predicted: str
    """Of the first prediction, whose figures these are."""
    predictions: int
    """How many there are."""
    unit: str | None
    rows: int | None
    """None where only the words of a page are known."""
    scored: int
    mae: float | None
    rmse: float | None
    ratio: float | None
    gates: int | None = None
    """How many conditions the figures were held to; None if to none."""
    warned: int = 0
    """Of these, how many warned ..."""
    failed: int = 0
    """... and how many failed."""

    @property
    def gates_said(self) -> str | None:
        """How its gates stand, in words; None where it has none."""
        if not self.gates:
            return None
        told = [(self.failed, "failed"), (self.warned, "warned")]
        (first, how), *more = [t for t in told if t[0]] or [(self.gates, "passed")]
        return f"{first:,} of {self.gates:,} {how}" + "".join(f", {n:,} {w}" for n, w in more)


def summary(report: Report) -> Summary:
    """Return what an index shows of a report: the figures of its first prediction.

    Where models are compared, the verdict is the comparison's, as in the head of the page.
    """
    first = report.predictions[0]
    verdict = report.comparison or first.verdict
    gates = [g.status for g in report.gates]
    return Summary(
        title=visible(report.title, LONGEST),
        date=date_in(report.span[1]) if report.span else None,
        tag=verdict.tag,
        tone=verdict.tone,
        headline=verdict.headline,
        actual=visible(report.actual, LONGEST),
        predicted=visible(first.predicted, LONGEST),
        predictions=len(report.predictions),
        unit=report.unit,
        rows=first.rows.read,
        scored=first.rows.scored,
        mae=first.overall.mae,
        rmse=first.overall.rmse,
        ratio=first.overall.ratio,
        gates=len(gates) or None,
        warned=gates.count("warned"),
        failed=gates.count("failed"),
    )


def date_in(text: str) -> str | None:
    """Return the last date that a text has, with the time if it begins with both; None if none.

    >>> date_in("2026-11-26 23:58"), date_in("nights/20261126/a.html"), date_in("after year 9999")
    ('2026-11-26 23:58', '2026-11-26', None)
    """
    if re.fullmatch(r"\d{4}-[01]\d-[0-3]\d \d\d:\d\d", text, re.ASCII):
        return text
    day = r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)"
    found = re.findall(day, text, re.ASCII)
    return "-".join((found[-1][0], *found[-1][2:])) if found else None
