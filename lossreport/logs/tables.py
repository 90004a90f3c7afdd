"""Delta and Iceberg tables: opened as logs, and recognised where their files are given as plain."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from lossreport.errors import UnreadableLogError, UsageError, reason
from lossreport.logs.part import Part
from lossreport.logs.patience import reading

KINDS = {"delta": "a Delta table", "iceberg": "an Iceberg table"}
"""What can stand before the path of a table and a colon."""


def is_table(path: str) -> bool:
    """Return whether a path is given as that of a table: "delta:PATH", "iceberg:PATH"."""
    return path.split(":", 1)[0] in KINDS and ":" in path


def open_table(path: str) -> Part:
    """Return the part of a table's current version: without the rows that were deleted or replaced.

    Raises
    ------
    UsageError
        What reads such tables is not installed, or there is none.
    UnreadableLogError
        It cannot be read.
    """
    kind, where = path.split(":", 1)
    if "://" not in where and not Path(where).exists():
        raise UsageError(f"There is no {kind.title()} table at {where}.")
    if kind == "iceberg" and find_spec("polars_iceberg") is None:
        os.environ.setdefault("POLARS_ICEBERG_PLANNER", "pyiceberg")  # else it warns each time
    try:
        with reading(path):
            frame = pl.scan_delta(where) if kind == "delta" else pl.scan_iceberg(_metadata(where))
            schema = frame.collect_schema()
    except ImportError as error:
        raise UsageError(f"{path} needs pip install 'lossreport[{kind}]'.") from error
    except (UsageError, UnreadableLogError):
        raise
    except Exception as error:  # of the libraries that know the tables
        name = type(error).__name__
        if name == "TableNotFoundError":
            raise UsageError(f"There is no Delta table at {where}.") from error
        raise UnreadableLogError(f"{path} cannot be read: {reason(error)}.") from error
    return Part(path, kind, None, None, schema, lambda columns: iter([frame.select(columns)]))


def _metadata(where: str) -> str:
    """Return the newest description of an Iceberg table, if its folder was given."""
    if where.endswith(".json") or "://" in where:
        return where
    described = list((Path(where) / "metadata").glob("*.metadata.json"))
    if not described:
        raise UsageError(f"There is no Iceberg table at {where}.")
    return str(max(described, key=lambda file: (_version(file.name), file.name)))


def _version(name: str) -> int:
    """Return the number that a description's name begins with: 00002-..., v2.metadata.json."""
    digits = name.removeprefix("v").split("-")[0].split(".")[0]
    return int(digits) if digits.isdecimal() else -1


def refuse_tables(files: Iterable[str]) -> None:
    """Refuse files that belong to a Delta, Iceberg or Hudi table.

    Their folders also hold files whose rows were deleted or replaced: read as plain files, these
    would be counted.

    Raises
    ------
    UsageError
        A file lies in such a table.
    """
    looked_at: set[Path] = set()
    for file in files:
        if "://" in file or is_table(file):
            continue
        folder = Path(file).absolute().parent
        while folder not in looked_at:
            looked_at.add(folder)
            kind = _table(folder)
            if kind:
                raise refused(str(folder), kind)
            if "=" not in folder.name and folder.name != "data":
                break
            folder = folder.parent


def refused(folder: str, kind: str) -> UsageError:
    """Return why the files of a table are not read as they are, and how the table is."""
    ways = [f"as {k}:{folder}" for k, name in KINDS.items() if name == kind]
    way = ways[0] if ways else "its current version as a frame, lossreport.report(frame)"
    return UsageError(
        f"{folder} is {kind}: read as plain files, its deleted and replaced rows would be counted. "
        f"Give it {way}."
    )


def _table(folder: Path) -> str | None:
    if (folder / "_delta_log").is_dir():
        return KINDS["delta"]
    if (folder / ".hoodie").is_dir():
        return "a Hudi table"
    if (folder / "metadata").is_dir() and any((folder / "metadata").glob("*.metadata.json")):
        return KINDS["iceberg"]
    return None


def table_among(names: Iterable[str]) -> str | None:
    """Return what kind of table these names below a folder are of; None: none."""
    for name in names:
        if name.startswith("_delta_log/"):
            return KINDS["delta"]
        if name.startswith(".hoodie/"):
            return "a Hudi table"
        if name.startswith("metadata/") and name.endswith(".metadata.json"):
            return KINDS["iceberg"]
    return None
