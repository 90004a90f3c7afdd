"""An index of reports: which stand in it, in which order, and the figures that led to each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lossreport.formats import count
from lossreport.reports.summary import Summary, date_in

MAX_LISTED = 1_000
"""The newest are listed, older ones counted."""
RUN = 14
"""How many reports of one series a line goes over: two weeks of nights."""


@dataclass(frozen=True)
class Listed:
    """A report in an index."""

    path: str
    """Relative to the index, with slashes."""
    summary: Summary
    mae: tuple[float | None, ...]
    """Of the last reports of its series, this one last; ..."""
    rmse: tuple[float | None, ...]
    """... as many; None where a report has none."""


@dataclass(frozen=True)
class Index:
    """Reports, newest first."""

    listed: tuple[Listed, ...]
    older: int
    """How many more there are."""
    said: tuple[str, ...]
    """How many, from when to when, and how their gates stand, in sentences."""


def index(found: Iterable[tuple[str, Summary]], unread: int = 0) -> Index:
    """Return the index of reports, given by path and summary; none give an empty one.

    A report without times has the last date in its path, if that has one. Those without a date
    come last. Reports of one date are in the order of their paths.
    """
    dated = [(p, s if s.date else replace(s, date=date_in(p))) for p, s in found]
    in_order = sorted(dated, key=lambda r: (r[1].date or "", r[0]))
    series: dict[tuple[str, ...], list[Summary]] = defaultdict(list)
    listed = []
    for path, of in in_order:
        so_far = series[_series(path, of)]
        so_far.append(of)
        last = so_far[-RUN:]
        lines = tuple(s.mae for s in last), tuple(s.rmse for s in last)
        listed.append(Listed(path, of, *lines))
    newest = sorted(listed, key=lambda r: r.path)
    newest.sort(key=lambda r: r.summary.date or "", reverse=True)
    shown = tuple(newest[:MAX_LISTED])
    return Index(shown, len(newest) - len(shown), _said([s for _, s in in_order], unread))


def _series(path: str, of: Summary) -> tuple[str, ...]:
    """Return what reports of one series have in common: all but the digits of path and title."""
    alike = (re.sub(r"\d+", "#", text) for text in (path, of.title))
    return *alike, of.actual, of.predicted, of.unit or ""


def _said(all_of: list[Summary], unread: int) -> tuple[str, ...]:
    """Return the sentences; `all_of` is in the order of dates."""
    if not all_of:
        said = ["No page in this folder was written by lossreport."]
    else:
        dates = [s.date for s in all_of if s.date]
        span = f", {dates[0]} to {dates[-1]}" if len(set(dates)) > 1 else ""
        said = [f"{count(len(all_of), 'report')}{span}."]
        if undated := len(all_of) - len(dates):
            said.append(f"{count(undated, 'report')} without a date.")
    held = [s for s in all_of if s.gates]
    if held:
        failed = sum(s.failed > 0 for s in held)
        gates = count(len(held), "report")
        said.append(f"Gates failed in {failed or 'none':} of {gates} with gates.")
    if unread:
        said.append(f"{count(unread, 'file or folder', 'files or folders')} could not be read.")
    return tuple(said)
