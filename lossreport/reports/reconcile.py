"""Sees to it that the rows of a report add up, before anybody reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lossreport.errors import BrokenFiguresError
from lossreport.formats import visible
from lossreport.reports.results import Grouping, Ledger, Prediction


def reconcile(predictions: Iterable[Prediction], read: int) -> None:
    """Check that rows read = scored + left out, overall and in each group, and groups add up.

    Parameters
    ----------
    read
        How many rows the sources hold; each prediction is of all of them.

    Raises
    ------
    BrokenFiguresError
        They do not.
    """
    for prediction in predictions:
        name = f"prediction {visible(prediction.predicted, 40)}"
        _whole(prediction.rows, name)
        if prediction.rows.read != read:
            raise BrokenFiguresError(
                f"{read:,} rows were read, but the figures of {name} are of "
                f"{prediction.rows.read:,}"
            )
        if prediction.overall.n != prediction.rows.scored:
            raise BrokenFiguresError(
                f"{prediction.rows.scored:,} rows of {name} are scored, but its figures are of "
                f"{prediction.overall.n:,}"
            )
        for grouping in prediction.groupings:
            _adds_up(grouping, prediction.rows, name)


def _whole(rows: Ledger, of: str) -> None:
    left_out = sum(n for _, n in rows.left_out)
    if rows.read != rows.scored + left_out or min(rows.scored, rows.read) < 0:
        raise BrokenFiguresError(
            f"{rows.read:,} rows read of {of} are not {rows.scored:,} scored and {left_out:,} "
            "left out"
        )


def _adds_up(grouping: Grouping, whole: Ledger, name: str) -> None:
    by = ", ".join(visible(c, 40) for c in grouping.by)
    parts = [g.rows for g in grouping.groups]
    parts += [grouping.rest_rows] if grouping.rest_rows is not None else []
    reasons: Counter[str] = Counter()
    for rows in parts:
        _whole(rows, f"a group by {by} of {name}")
        reasons.update(dict(rows.left_out))
    scored = sum(rows.scored for rows in parts)
    if scored != whole.scored or dict(reasons) != dict(whole.left_out):
        raise BrokenFiguresError(
            f"The groups by {by} have {scored:,} rows scored and {sum(reasons.values()):,} left "
            f"out, but {name} has {whole.scored:,} and {whole.missing:,}"
        )
