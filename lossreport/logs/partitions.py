"""Columns that stand in a file's path, not in the file: its name, and the keys of its folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import unquote

import polars as pl

from lossreport.logs.files import without_endings
from lossreport.logs.part import FILE_NAME, Part

MISSING_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def in_path(path: str) -> dict[str, str | None]:
    """Return the values that a path holds for all rows of its file, by column.

    `@file` is the file's name without endings; folders called `key=value` give a column each, its
    value as text (URL-decoded), or None where it stands for a missing one.
    """
    place = PurePosixPath(path.split("?")[0] if "://" in path else path)
    values: dict[str, str | None] = {}
    for folder in place.parts[:-1]:
        key, equals, value = folder.partition("=")
        if key and equals:
            values[unquote(key)] = None if value == MISSING_PARTITION else unquote(value)
    return {**values, FILE_NAME: without_endings(place.name)}


def with_path_columns(part: Part) -> Part:
    """Return the part with the columns that stand in its path; a file's own columns come first."""
    held = {n: v for n, v in in_path(part.path).items() if n not in part.schema}
    if not part.schema:
        return part
    schema = pl.Schema({**part.schema, **dict.fromkeys(held, pl.String())})

    def frames(names: Sequence[str]) -> Iterator[pl.LazyFrame]:
        if not set(names) & set(held):
            yield from part.frames(names)
            return
        own = [n for n in names if n not in held] or part.schema.names()[:1]
        for frame in part.frames(own):
            yield frame.with_columns(
                pl.lit(held[n], pl.String).alias(n) for n in names if n in held
            )

    return replace(part, schema=schema, frames=frames, constants=held)
