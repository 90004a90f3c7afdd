"""Reads the configuration: gates, names of nights, and options of commands as their defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lossreport.errors import UsageError
from lossreport.formats import visible
from lossreport.gates.gate import Gate
from lossreport.gates.parsing import Wrong, closest, gate_of, kind_of
from lossreport.gates.toml_lines import line_of

NAMES = ("lossreport.toml", "pyproject.toml")
"""Where it is looked for in the current folder: the first that has one."""
PROJECT = ("tool", "lossreport")
"""Its table in pyproject.toml."""
COMMANDS = ("report", "profile", "inspect")
"""The commands that take defaults from it."""
TABLES = ("gates", "pins", *COMMANDS)


@dataclass(frozen=True)
class Config:
    """What a configuration says."""

    path: Path
    gates: tuple[Gate, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of each command as they stand, by name with underscores."""
    pins: Mapping[str, date] = field(default_factory=dict)
    """The days of nights that have a name, for `--baseline pinned:NAME`."""
    text: str = ""
    root: tuple[str, ...] = ()

    def wrong(self, said: str, *keys: str | int) -> UsageError:
        """Return an error that names the file, the line and the key."""
        return _wrong(self.path, self.text, self.root, said, keys)


def find_config(folder: Path) -> Path | None:
    """Return the configuration of a folder; None if it has none.

    Raises
    ------
    UsageError
        A pyproject.toml cannot be read.
    """
    for name in NAMES:
        path = folder / name
        if path.is_file() and (name != "pyproject.toml" or _table(path, _read(path)) is not None):
            return path
    return None


def read_config(path: Path) -> Config:
    """Return what a configuration says.

    Raises
    ------
    UsageError
        It cannot be read, is no TOML, or has a key or value that has no meaning: with its line.
    """
    text = _read(path)
    root = PROJECT if path.name == "pyproject.toml" else ()
    table = _table(path, text)
    if table is None:
        raise UsageError(f"{visible(str(path))} has no table [{'.'.join(PROJECT)}].")
    try:
        return Config(path, _gates(table), _options(table), _pins(table), text, root)
    except Wrong as wrong:
        raise _wrong(path, text, root, wrong.said, wrong.keys) from None


def _wrong(
    path: Path, text: str, root: tuple[str, ...], said: str, keys: tuple[str | int, ...]
) -> UsageError:
    line = line_of(text, (*root, *keys))
    where = f"{visible(str(path))}, line {line}" if line else visible(str(path))
    name = ""
    for key in (*root, *keys):
        name += f"[{key + 1}]" if isinstance(key, int) else f".{visible(key, 40)}"
    return UsageError(f"{where}: {name.removeprefix('.')}: {said}")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"{visible(str(path))} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{visible(str(path))} is not UTF-8, as TOML must be.") from error


def _table(path: Path, text: str) -> dict[str, Any] | None:
    """Return the configuration's table; None if a pyproject.toml has none."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{visible(str(path))} is no valid TOML: {error}.") from error
    if path.name != "pyproject.toml":
        return data
    for key in PROJECT:
        found = data.get(key)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise UsageError(f"{visible(str(path))}: {key} is {kind_of(found)}, not a table.")
        data = found
    return data


def _gates(table: Mapping[str, Any]) -> tuple[Gate, ...]:
    for key, value in table.items():
        if key not in TABLES:
            raise Wrong(f"there is no such table; {closest(key, TABLES)}", key)
        if key == "gates" and not (
            isinstance(value, list) and all(isinstance(g, dict) for g in value)
        ):
            raise Wrong(f"this is {kind_of(value)}; write each gate as [[gates]]", key)
    return tuple(gate_of(g, ("gates", i)) for i, g in enumerate(table.get("gates", ())))


def _options(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {}
    for command in COMMANDS:
        given = table.get(command, {})
        if not isinstance(given, dict):
            raise Wrong(f"this is {kind_of(given)}; write a table [{command}]", command)
        options[command] = dict(given)
    return options


def _pins(table: Mapping[str, Any]) -> dict[str, date]:
    given = table.get("pins", {})
    if not isinstance(given, dict):
        raise Wrong(f"this is {kind_of(given)}; write a table [pins]", "pins")
    return {name: _day(day, name) for name, day in given.items()}


def _day(value: Any, name: str) -> date:
    """Return the day of a pin: a date of TOML, or the text of one."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Wrong("write a night's day, such as 2026-11-01", "pins", name) from None
