"""Finds in which line of a TOML text a key stands."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

Path = Sequence[str | int]


def line_of(text: str, path: Path) -> int | None:
    """Return the line, counted from 1, where the value at a path begins; None if it has none.

    The first so many lines are TOML themselves, except within a value of several lines; so the
    key is in the line after the last such beginning that does not have it.

    Parameters
    ----------
    text
        TOML.
    path
        Keys of tables and positions in arrays of tables, from 0.
    """
    lines = text.split("\n")
    begin = 1
    for n in range(1, len(lines) + 1):
        try:
            data = tomllib.loads("\n".join(lines[:n]))
        except tomllib.TOMLDecodeError:
            continue
        if _has(data, path):
            return begin
        begin = n + 1
    return None


def _has(data: Any, path: Path) -> bool:
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True
