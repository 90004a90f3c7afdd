"""Which columns are the actual and the predicted values, by name; see `time_role` for the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from lossreport.errors import UsageError, nearest
from lossreport.logs.names import (
    ACTUAL_NAMES,
    ACTUAL_WORDS,
    PREDICTED_NAMES,
    PREDICTED_WORDS,
    by_name,
    pairs_by_name,
    predicted_from,
    says_it_all,
    words_of,
)
from lossreport.logs.values import can_be_number, is_text, some_number


def actual_and_predicted(
    columns: Mapping[str, pl.Series], actual: str | None, predicted: Sequence[str]
) -> tuple[str, Sequence[str]]:
    """Return the columns of the actual and the predicted values, by name where none is given."""
    if not actual and not predicted and (pair := _pair(columns)):
        return pair[0], [pair[1]]
    if not actual:
        actual = _spoken_of(columns, predicted) or find_actual(columns, taken=predicted)
    if not predicted:
        candidates = by_name(columns, PREDICTED_NAMES, PREDICTED_WORDS, {actual}, _numeric)
        predicted = [_only("predicted", candidates, list(columns))]
    return actual, predicted


def _pair(columns: Mapping[str, pl.Series]) -> tuple[str, str] | None:
    """Return the one pair of columns like actual_x and predicted_x, where no other would do.

    Raises
    ------
    UsageError
        Columns with plainer names, but not the plainest, would do as well.
    """
    numeric = {c: s for c, s in columns.items() if _numeric(s)}
    pairs = pairs_by_name(numeric)
    if len(pairs) != 1:
        return None
    (pair,) = pairs
    actual, predicted = (
        by_name(numeric, names, set(), set(), lambda _: True)
        for names in (ACTUAL_NAMES, PREDICTED_NAMES)
    )
    if any(map(says_it_all, (*actual, *predicted))):
        return None
    if actual and predicted:
        _only("actual", [*actual, pair[0]], list(columns))
    return pair


def _spoken_of(columns: Mapping[str, pl.Series], predicted: Sequence[str]) -> str | None:
    """Return the one column that the names of the predictions speak of (sales, sales_forecast).

    None if a column is called "actual" or the like, or actual_sales, which says more.

    Raises
    ------
    UsageError
        Another column has a name like "target", which says no more.
    """
    exact = by_name(columns, ACTUAL_NAMES, set(), set(predicted), lambda _: True)
    if any(map(says_it_all, exact)):
        return None
    named = predicted or by_name(columns, PREDICTED_NAMES, PREDICTED_WORDS, set(), _numeric)
    spoken = (c for p in named for c in predicted_from(columns, p) if c not in predicted)
    suiting = [c for c in dict.fromkeys(spoken) if _numeric(columns[c])]
    if len(suiting) != 1:
        return None if exact or not suiting else _only("actual", suiting, list(columns))
    stem = words_of(suiting[0])
    said = [[w for w in words_of(c) if w not in ACTUAL_WORDS] for c in columns if c != suiting[0]]
    if stem in said:
        return None
    others = [c for c in exact if c != suiting[0] and _numeric(columns[c])]
    return _only("actual", [*others, suiting[0]], list(columns))


def find_actual(columns: Mapping[str, pl.Series], *, taken: Iterable[str] = ()) -> str:
    """Return the column of the actual values, by name.

    Raises
    ------
    UsageError
        There is no candidate, or more than one.
    """
    candidates = by_name(columns, ACTUAL_NAMES, ACTUAL_WORDS, set(taken), _numeric)
    return _only("actual", candidates, list(columns))


def _only(role: str, candidates: Sequence[str], known: Sequence[str]) -> str:
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise UsageError(
            f"More than one column could be the {role} value: {', '.join(candidates)}. "
            f"Choose one with --{role} COLUMN."
        )
    raise UsageError(
        f"No column looks like the {role} value. Name it with --{role} COLUMN. {nearest('', known)}"
    )


def _numeric(series: pl.Series) -> bool:
    """Return whether a column could hold numbers: a type for it, or text of which some is one."""
    if not can_be_number(series.dtype):
        return False
    return not is_text(series.dtype) or some_number(series)
