"""The lines before a text file's rows: titles, the header, and the names of the columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lossreport.logs.names import is_pattern
from lossreport.logs.records import BLANK, ROW_MARKS, Layout, read_records, value
from lossreport.logs.separators import NUMBER, Record, width_of

EXAMINED_ROWS = 50
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")


@dataclass(frozen=True)
class Heading:
    """What is before the rows."""

    names: tuple[str, ...]
    """The columns', each once; empty for a file without records."""
    header: tuple[str, ...] | None
    """The names as they are written; None if there are none."""
    titles: int
    """How many lines before the header are neither blank nor comments."""
    data_start: int
    """Where the first row begins."""
    rows: int
    """How many of the examined records are after that."""
    renamed: tuple[str, ...]
    """What was made of names that are empty or there twice, in words."""


def find_heading(
    records: Sequence[Record],
    layout: Layout,
    begin: int,
    *,
    missing: Collection[str],
    no_header: bool = False,
    titles: bool = True,
    comment: bytes = b"",
) -> Heading:
    """Return where the rows begin and what the columns are called.

    Parameters
    ----------
    records
        The first ones, and `begin`, where they begin.
    missing
        Texts, lower case, that stand for no value, and so tell nothing.
    no_header
        There is none.
    titles
        Look for title lines; otherwise the header or first row is the first record.
    comment
        The last of the comment lines before, without its mark: it may be the header.
    """
    width = width_of(records)
    first = next((i for i, r in enumerate(records) if not _is_blank(r)), len(records))
    top = _first_of_table(records, width, first) if titles else first
    rows = _texts(records[top:], layout)
    if titles and not no_header and (padded := _padded_titles(records[top:], layout, width)):
        below = _texts(records[top + padded :], layout)
        # Without a header below, they are rows that lack their values.
        if below and _is_header(below, width, missing):
            top, rows = top + padded, below
    header, data = None, top
    if rows and not no_header and records[top][0] is not None:
        if _is_header(rows, width, missing):
            header, data = rows[0], top + 1
            if len(header) == width - 1 and titles:
                header = [*header, ""]
        elif comment:
            header = _from_comment(comment, layout, width)
    names, renamed = unique_names(header or [""] * width)
    return Heading(
        names if records else (),
        None if header is None else tuple(header),
        sum(fields is None or _is_told(fields, layout) for fields, _ in records[:top]),
        records[data - 1][1] if data else begin,
        len(records) - data,
        renamed if header else (),
    )


def _texts(records: Sequence[Record], layout: Layout) -> list[list[str]]:
    """Return the fields of the first records as text, without blank lines."""
    return [
        [value(f, layout).strip() for f in fields]
        for fields, end in records[:EXAMINED_ROWS]
        if fields is not None and not _is_blank((fields, end))
    ]


def _padded_titles(records: Sequence[Record], layout: Layout, width: int) -> int:
    """Return how many of the first records have nothing but a text in their first field.

    Spreadsheets write titles so, with the separators of all columns.
    """
    if width < 3:
        return 0
    others = (fields is None or _is_told(fields[1:], layout) for fields, _ in records)
    return next((i for i, told in enumerate(others) if told), 0)


def _is_told(fields: Sequence[bytes], layout: Layout) -> bool:
    """Return whether a record has a text in any field."""
    return any(value(f, layout).strip() for f in fields)


def _is_blank(record: Record) -> bool:
    fields = record[0]
    return fields is not None and len(fields) == 1 and not fields[0].strip(BLANK)


def _first_of_table(records: Sequence[Record], width: int, first: int) -> int:
    """Return the index of the header or first row: the first record of the usual width.

    A header may lack the name of a last column that is empty throughout (each row ends with a
    separator).
    """
    widths = [0 if fields is None else len(fields) for fields, _ in records]
    top = next((i for i, w in enumerate(widths) if w == width and i >= first), first)
    if top > first and widths[top - 1] == width - 1 > 1:
        last = {fields[-1] for fields, _ in records if fields and len(fields) == width}
        if last <= {b""}:
            return top - 1
    return top


def _is_header(rows: Sequence[Sequence[str]], width: int, missing: Collection[str]) -> bool:
    """Return whether the first row names the columns.

    It does if it has a text in a column that otherwise holds numbers or dates; where no column
    does, if it has no number itself.
    """
    first, rest = rows[0], [r for r in rows[1:] if len(r) == width]
    told = False
    for j in range(min(width, len(first))):
        texts = [r[j] for r in rest if r[j].lower() not in missing]
        typed = sum(kind_of_text(t) is not None for t in texts)
        if texts and 2 * typed >= len(texts):
            told = True
            if first[j].lower() not in missing and kind_of_text(first[j]) is None:
                return True
    return not told and all(kind_of_text(text) is None for text in first)


def kind_of_text(text: str) -> str | None:
    """Return "number" or "date", if a text is one and so no name."""
    if NUMBER.fullmatch(text):
        return "number"
    return "date" if DATE.fullmatch(text) else None


def _from_comment(comment: bytes, layout: Layout, width: int) -> list[str] | None:
    """Return the names in the comment line before the rows, if it has as many as there are."""
    fields = next(read_records(comment, layout))[0] if comment else None
    if fields is None or len(fields) != width or width == 1:
        return None
    names = [value(f, layout).strip() for f in fields]
    return None if any(kind_of_text(n) for n in names) else names


def unique_names(header: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names that are there once each, and what was made of the others, in words.

    An empty name becomes c3 for the third column, as does one that is a pattern of names; a second
    "a" becomes a_2.
    """
    written = {name for name in header if name}
    names: list[str] = []
    renamed = []
    for i, name in enumerate(header, 1):
        wanted = f"c{i}" if is_pattern(name) or not name else name
        unique, n = wanted, 1
        while unique in names or unique in ROW_MARKS or (unique in written and unique != name):
            n += 1
            unique = f"{wanted}_{n}"
        if unique != name:
            second = wanted == name
            what = f"second column {name}" if second else f"column {i} {name or 'without a name'}"
            renamed.append(f"{what} called {unique}")
        names.append(unique)
    return tuple(names), tuple(renamed)
