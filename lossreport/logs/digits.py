"""Differences of numbers in text that have more digits than a float holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from lossreport.logs.number_style import NumberStyle
from lossreport.logs.values import is_text

PIECE_ROWS = 100_000
EXACT_TO = 2**53
"""Up to here a float holds every whole number."""

FLOAT_DIGITS = 16
"""A whole number of so many may be none that a float holds."""
DIGITS = 38
"""Of a Decimal."""
MOST_DECIMALS = 18
_LONG = "|".join(
    [
        r"[1-9]\d{15,}(?:\.\d*)?",
        *(rf"[1-9]\d{{{i - 1}}}\.\d{{{FLOAT_DIGITS - i},}}" for i in range(10, FLOAT_DIGITS)),
        *(rf"[1-9]\d{{{i - 1}}}\.\d{{{18 - i},}}" for i in range(1, 10)),
        r"\.0*[1-9]\d{17,}",
    ]
)
LONG = rf"^[+-]?0*(?:{_LONG})$"
"""A number whose digits a float loses. One of up to 17 digits with few before the point is as most
programs write a float, and is read as that."""


@dataclass(frozen=True)
class Side:
    """A column of actual or predicted values, as it is in the log."""

    name: str
    dtype: pl.DataType
    style: NumberStyle

    @property
    def is_exact(self) -> bool:
        """Whether its values are no floats."""
        whole = self.dtype.is_integer() or self.dtype.is_decimal()
        return whole or (is_text(self.dtype) and not self.style.percent)

    @property
    def text(self) -> pl.Expr:
        """Its texts as plain numbers."""
        return self.style.plain(pl.col(self.name).cast(pl.String).str.strip_chars())


def differences(
    rows: pl.LazyFrame, actual: Side, predicted: Sequence[Side], first: int | None = None
) -> dict[str, pl.Expr]:
    """Return expressions for `difference_<i>`, predicted - actual, if floats would lose digits.

    Parameters
    ----------
    first
        In how many of the rows to look for long numbers; None means in all.
    """
    pairs = {
        f"difference_{i}": p
        for i, p in enumerate(predicted)
        if actual.is_exact and p.is_exact and (is_text(actual.dtype) or is_text(p.dtype))
    }
    sides = [actual, *pairs.values()]
    texts = rows.select(list({s.name: None for s in sides if is_text(s.dtype)})).collect()
    looked_at = texts if first is None else texts.head(first)
    if not pairs or not any(_long_digits(looked_at, s) for s in sides):
        return {}
    decimals = max(_decimals(texts, s) for s in sides)
    return {name: _difference(actual, p, decimals) for name, p in pairs.items()}


def beyond_floats(rows: pl.DataFrame, predictions: int) -> bool:
    """Return whether some of the numbers read is so large that floats lack whole numbers there."""
    ends = [
        end
        for name in ("actual", *(f"predicted_{i}" for i in range(predictions)))
        for end in (rows[name].min(), rows[name].max())
    ]
    return any(isinstance(end, float | int) and abs(end) >= EXACT_TO for end in ends)


def pieces(frame: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield rows in pieces that are in memory."""
    batches = frame.collect_batches(chunk_size=PIECE_ROWS, maintain_order=True)
    return (batch.lazy() for batch in batches)


def _long_digits(rows: pl.DataFrame, side: Side) -> bool:
    """Return whether some text of a column is a number whose digits a float loses."""
    if not is_text(side.dtype):
        return False
    long = rows.select(side.name).filter(
        pl.col(side.name).cast(pl.String).str.len_bytes() >= FLOAT_DIGITS
    )
    return bool(long.select(side.text.str.contains(LONG).any()).item())


def _decimals(rows: pl.DataFrame, side: Side) -> int:
    """Return the most decimals of a column's numbers, `MOST_DECIMALS` at most."""
    if not is_text(side.dtype):
        return side.dtype.scale if isinstance(side.dtype, pl.Decimal) else 0
    found = side.text.str.extract(r"^[+-]?\d*\.(\d+)$").str.len_bytes().max()
    return min(int(rows.select(found).item() or 0), MOST_DECIMALS)


def _difference(actual: Side, predicted: Side, decimals: int) -> pl.Expr:
    """Return predicted - actual as Float64, subtracted digit by digit.

    Null where a number has more decimals, is written with an exponent, is too large or none.
    """
    whole = DIGITS - 1 - decimals
    exact = []
    for side in (predicted, actual):
        if is_text(side.dtype):
            plain = rf"^[+-]?\d{{1,{whole}}}(?:\.\d{{0,{decimals}}})?$"
            fits = pl.when(side.text.str.contains(plain)).then(side.text)
        else:
            fits = pl.when(pl.col(side.name).cast(pl.Float64).abs() < 10.0**whole).then(side.name)
        exact.append(fits.cast(pl.Decimal(DIGITS, decimals), strict=False))
    return (exact[0] - exact[1]).cast(pl.Float64)
