"""Which separator and quote a text file has, by how well each fits the file's first records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from lossreport.logs.records import Layout, read_records

SEPARATORS = (",", ";", "\t", "|")
EXAMINED_BYTES = 2**15
"""Separators are compared on so much of the start, ..."""
LONGEST_LINES = 2**18
"""... or on so much, if its lines are long."""
EXAMINED_RECORDS = 150
NUMBER = re.compile(
    r"[+\-\u2212]?(?:\d[\d.,'\u2019 \u00a0\u2009\u202f]*|[.,]\d+)(?:[eE][+-]?\d+)?\s*%?"
    r"|[+-]?(?:nan|inf|infinity)",
    re.IGNORECASE,
)
"""Texts that are numbers in some style."""

Record = tuple[list[bytes] | None, int]
"""The fields as they are written (None: impossible quoting), and where the next record begins."""


def find_layout(data: bytes, separator: str | None, *, carriage_return: bool = False) -> Layout:
    """Return the layout in which data is most like a table.

    Parameters
    ----------
    data
        The file's start, in UTF-8, without comments.
    separator
        What was given; None finds it.

    Notes
    -----
    The best is the one with the highest product of: the share of records that have the usual number
    of fields, the squared share of their fields that hold no other separator, and 1 - 1/fields.
    """
    sample = data[:EXAMINED_BYTES]
    if sample.count(b"\n") < 2:
        sample = data[:LONGEST_LINES]
    final = len(sample) == len(data)
    if separator is not None:
        return _layout(sample, separator, carriage_return, final=final)
    present = [s for s in SEPARATORS if s.encode() in sample] or [","]
    layouts = [_layout(sample, s, carriage_return, final=final) for s in present]
    if len(layouts) == 1:
        return layouts[0]
    return max(layouts, key=lambda layout: _fit(sample, layout, final=final))


def width_of(records: Sequence[Record]) -> int:
    """Return how many fields records usually have; 1 only if none has more."""
    counts = Counter(len(fields) for fields, _ in records if fields is not None)
    several = {n: c for n, c in counts.items() if n > 1}
    return max(several, key=lambda n: (several[n], n)) if several else 1


def _layout(sample: bytes, separator: str, carriage_return: bool, *, final: bool) -> Layout:
    """Return the layout with this separator: with which quote, and whether with blanks after it."""
    double, single = (
        Layout(
            separator.rstrip(" ") or separator,
            _has_blanks(sample, separator, quote),
            quote.decode(),
            carriage_return,
        )
        for quote in (b'"', b"'")
    )
    if b"'" not in sample or _quoted(sample, double, final=final):
        return double
    return single if _quoted(sample, single, final=final) else double


def _has_blanks(sample: bytes, separator: str, quote: bytes) -> bool:
    """Return whether blanks follow the separator, as given or nearly everywhere."""
    bare = separator.rstrip(" ")
    if bare != separator:
        return bool(bare)
    outside = quote.join(sample.split(quote)[::2])
    spaced = outside.count(f"{separator} ".encode()) if separator != "\t" else 0
    return spaced > 0 and spaced >= 0.9 * outside.count(separator.encode())


def _quoted(sample: bytes, layout: Layout, *, final: bool) -> bool:
    """Return whether some fields are quoted and every record's quoting is possible."""
    quote = layout.quote_byte
    some = False
    for fields, _ in islice(read_records(sample, layout, final=final), EXAMINED_RECORDS):
        if fields is None:
            return False
        some = some or any(f.startswith(quote) for f in fields)
    return some


def _fit(sample: bytes, layout: Layout, *, final: bool) -> float:
    records = list(islice(read_records(sample, layout, final=final), EXAMINED_RECORDS))
    present = [fields for fields, _ in records if fields != [b""]]
    width = width_of(records)
    if width == 1:
        return 0.0
    usual = [fields for fields in present if fields is not None and len(fields) == width]
    cells = [cell for fields in usual for cell in fields]
    clean = sum(_is_clean(cell, layout) for cell in cells) / len(cells)
    begins_so = present[0] is not None and len(present[0]) == width
    return len(usual) / len(present) * clean**2 * (1 - 1 / width) * (1.0 if begins_so else 0.8)


def _is_clean(cell: bytes, layout: Layout) -> bool:
    """Return whether a field as it is written is free of other separators, but for numbers."""
    if cell.startswith(layout.quote_byte):
        return True
    others = [s.encode() for s in SEPARATORS if s != layout.separator]
    if not any(s in cell for s in others):
        return True
    text = cell.decode("utf-8", "replace").strip()
    return NUMBER.fullmatch(text) is not None or not any(
        s in cell.replace(b", ", b"") for s in others
    )
