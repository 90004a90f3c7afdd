"""JSON documents that hold a table by columns, as pandas writes one: made into records.

Of `DataFrame.to_json` these are the orientations "columns" (the default), "index" and "split", and
the object of lists that `to_dict("list")` gives; "records" and "table" hold records themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lossreport.logs.names import ACTUAL_NAMES, PREDICTED_NAMES, words_of

LARGEST = 1 << 26
"""A document is taken apart in memory: only up to 64 MB."""
Record = Mapping[str, Any]
Made = tuple[Sequence[Record], str]


def records_of(document: bytes) -> tuple[bytes, str] | None:
    """Return the rows as lines of records, and what was read so; None if it is no such table.

    Numbers become texts as they are written, which is how they are read.
    """
    try:
        whole = json.loads(document, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict):
        return None
    for shape in (_split, _lists, _by_name):
        if found := shape(whole):
            records, said = found
            return b"".join(json.dumps(r).encode() + b"\n" for r in records), said
    return None


def _split(whole: Record) -> Made | None:
    names, rows = whole.get("columns", []), whole.get("data", [])
    if not (_all(names, str) and _all(rows, list)) or any(len(r) != len(names) for r in rows):
        return None
    if len(set(names)) < len(names):
        raise ValueError("it has two columns of one name")
    return [dict(zip(names, row, strict=True)) for row in rows], "the rows of its member 'data'"


def _lists(whole: Record) -> Made | None:
    columns = list(whole.values())
    if len(columns) < 2 or not _all(columns, list) or len({len(c) for c in columns}) > 1:
        return None
    if any(isinstance(v, dict | list) for column in columns for v in column):
        return None
    return _rows(list(whole), columns)


def _by_name(whole: Record) -> Made | None:
    inner = list(whole.values())
    if len(inner) < 2 or not _all(inner, dict):
        return None
    keys = list(dict.fromkeys(k for v in inner for k in v))
    if any(len(v) < len(keys) for v in inner):  # columns that lack some rows, or other things
        numbered = all(k.isdigit() for k in keys) and _are_columns(whole)
        return _rows(list(whole), [[v.get(k) for k in keys] for v in inner]) if numbered else None
    if all(k.isdigit() for k in whole) or _are_columns(inner[0]):
        return inner, "records by name"
    # By the rows' names: each column may have them in an order of its own.
    return _rows(list(whole), [[v[k] for k in keys] for v in inner])


def _are_columns(names: Record) -> bool:
    return any("_".join(words_of(n)) in (*ACTUAL_NAMES, *PREDICTED_NAMES) for n in names)


def _rows(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> Made:
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return rows, "columns, not records"


def _all(values: Any, kind: type) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(v, kind) for v in values)
