"""The figures that a gate can be about, and where each is found in a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from lossreport.reports.figures import Figures
from lossreport.reports.results import Group, Grouping, Ledger, Prediction

ROWS = ("n", "read", "left_out", "left_out_share")
"""Figures of the ledger, which exist without scored rows: n is how many were scored."""
OF_GROUPS = ("share_of_rows", "share_of_abs_error", "share_of_sq_error", "lift", "ratio_without")
"""Figures that only groups have."""
WITH_BASELINE = ("mae", "rmse", "ratio", "bias", "left_out_share", "read")
"""Figures that are compared with a baseline."""
SHARES = ("left_out_share", "share_of_rows", "share_of_abs_error", "share_of_sq_error")
"""Figures from 0 to 1, which are written as per cent."""
FIGURES = tuple(
    dict.fromkeys(
        (
            *ROWS,
            *(f.name for f in fields(Figures) if f.name != "worst_shares"),
            "ratio_without_worst",
            *OF_GROUPS,
        )
    )
)


@dataclass(frozen=True)
class Place:
    """Rows that a figure is of: all of a prediction, or one group."""

    predicted: str
    rows: Ledger
    figures: Figures
    by: tuple[str, ...] = ()
    group: Group | None = None


def whole(prediction: Prediction) -> Place:
    """Return all rows of a prediction."""
    return Place(prediction.predicted, prediction.rows, prediction.overall)


def grouping_of(prediction: Prediction, by: tuple[str, ...]) -> Grouping | None:
    """Return the grouping by these columns, in whatever order; None if there is none."""
    return next((g for g in prediction.groupings if sorted(g.by) == sorted(by)), None)


def groups_of(prediction: Prediction, grouping: Grouping) -> Iterator[Place]:
    """Return the groups of a grouping that are told apart."""
    for group in grouping.groups:
        yield Place(prediction.predicted, group.rows, group.figures, grouping.by, group)


def rows_of(place: Place, figure: str) -> int:
    """Return how many rows a figure is of: those read for the ledger's, else those scored."""
    return place.rows.read if figure in ROWS else place.rows.scored


def value_of(place: Place, figure: str) -> float | None:
    """Return a figure of some rows; None where it does not exist.

    Parameters
    ----------
    figure
        One of `FIGURES`.
    """
    rows = place.rows
    if figure in ROWS:
        share = rows.missing / rows.read if rows.read else None
        of_ledger = {"n": rows.scored, "read": rows.read, "left_out": rows.missing}
        return of_ledger.get(figure, share)
    if figure in OF_GROUPS:
        return None if place.group is None else getattr(place.group, figure)
    value: float | None = getattr(place.figures, figure)
    return value
