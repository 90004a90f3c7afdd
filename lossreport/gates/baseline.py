"""Finds a figure of the baseline in what a report says has changed."""

from __future__ import annotations

from lossreport.gates.values import Place
from lossreport.reports.results import Report

NAMED = {"read": "rows"}
"""Figures that have another name there."""


def before(report: Report, place: Place, figure: str) -> float | None:
    """Return a figure of some rows in the baseline.

    None without a baseline, and where it does not have the figure or does not tell the group.
    """
    changes = report.changes
    if changes is None:
        return None
    at = (place.predicted, place.by, place.group.key if place.group else ())
    for change in changes.places:
        if (change.place.predicted, change.place.by, change.place.key) == at:
            for difference in change.differences:
                if difference.figure == NAMED.get(figure, figure):
                    found: float | None = difference.before
                    return found
    return None
