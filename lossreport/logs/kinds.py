"""What kind of values a log's group columns have, so that rows can be selected by them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lossreport.logs.keys import kind_of
from lossreport.logs.log import Log
from lossreport.logs.part import Part

UNKNOWN = ""
"""Of several kinds, no column of the log as it is stored, or of a profile that did not note it."""


def kinds_of(log: Log, names: Sequence[str]) -> tuple[str, ...]:
    """Return the kind of each column, `UNKNOWN` where its rows cannot be selected by it.

    "written" is text of a text file or a path, which other readers may take for numbers; the others
    are those of `keys.kind_of`.
    """
    return tuple(_one([_kind(part, name) for part in log.parts]) for name in names)


def merged_kinds(each: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the kinds of columns in several logs together, from those in each."""
    if len({len(kinds) for kinds in each}) > 1:
        return ()
    return tuple(map(_one, zip(*each, strict=True)))


def _one(kinds: Sequence[str]) -> str:
    return kinds[0] if len(set(kinds)) == 1 else UNKNOWN


def _kind(part: Part, name: str) -> str:
    if name not in part.schema or name.startswith("@"):
        return UNKNOWN
    above = (name[:i] for i, letter in enumerate(name) if letter == ".")
    if any(isinstance(part.schema.get(n), pl.Struct) for n in above):
        return UNKNOWN
    kind = kind_of(part.schema[name])
    return (
        "written" if kind == "text" and (part.format == "csv" or name in part.constants) else kind
    )
