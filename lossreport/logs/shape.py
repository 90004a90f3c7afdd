"""Which lines of a block of separated text are records of the right number of fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lossreport.logs.records import BLANK, NEWLINE, Layout


@dataclass(frozen=True)
class Shape:
    """Which lines of a block are records of the right number of fields."""

    rows: int
    """Lines, outside of quotes."""
    malformed: NDArray[np.bool_] | None = None
    blank: NDArray[np.bool_] | None = None
    """None if no line is."""


def shape_of(block: bytes, layout: Layout, fields: int) -> Shape:
    """Return which of a block's lines are malformed or blank."""
    marks = _marks(block, layout)
    record = layout.byte * (fields - 1) + b"\n"
    rows = len(marks) // fields
    if fields > 1 and marks == record * rows:
        return Shape(rows)
    data = np.frombuffer(block, np.uint8)
    kinds = np.frombuffer(marks, np.uint8)
    ends = np.flatnonzero(kinds == NEWLINE)
    separators = np.diff(ends, prepend=-1) - 1
    blank = separators == 0
    if blank.any():
        last = _ends(data, layout)
        written = np.concatenate(([0], np.cumsum(~_any(data, BLANK))[last]))
        blank &= np.diff(written) == 0
    malformed = (separators != fields - 1) & ~blank
    return Shape(len(ends), malformed if malformed.any() else None, blank if blank.any() else None)


def _marks(block: bytes, layout: Layout) -> bytes:
    """Return the separators and line ends of a block that are outside of quotes."""
    kept = {layout.byte[0], NEWLINE}
    if layout.quote_byte in block:
        data = np.frombuffer(block, np.uint8)
        kinds = data[_any(data, (*kept, layout.quote_byte[0]))]
        quotes = kinds == layout.quote_byte[0]
        outside = (np.cumsum(quotes, dtype=np.int32) & 1) == 0
        return bytes(kinds[outside & ~quotes])
    return block.translate(None, bytes(i for i in range(256) if i not in kept))


def _ends(data: NDArray[np.uint8], layout: Layout) -> NDArray[np.intp]:
    """Return where the lines of a block end, outside of quotes."""
    quote = layout.quote_byte[0]
    places = np.flatnonzero(_any(data, (NEWLINE, quote)))
    quotes = data[places] == quote
    outside = (np.cumsum(quotes, dtype=np.int32) & 1) == 0
    return np.asarray(places[outside & ~quotes])


def _any(data: NDArray[np.uint8], bytes_: Iterable[int]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_or.reduce([data == b for b in bytes_]))
