"""Recognises folders of data files that only their own log of changes makes a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lossreport.errors import UsageError


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
        if "://" in file:
            continue
        folder = Path(file).absolute().parent
        while folder not in looked_at:
            looked_at.add(folder)
            kind = _table(folder)
            if kind:
                raise UsageError(
                    f"{folder} is {kind}: read as plain files, its deleted and replaced rows "
                    "would be counted. Export its current version (say, to Parquet), or give that "
                    "as a frame, lossreport.report(frame)."
                )
            if "=" not in folder.name and folder.name != "data":
                break
            folder = folder.parent


def _table(folder: Path) -> str | None:
    if (folder / "_delta_log").is_dir():
        return "a Delta table"
    if (folder / ".hoodie").is_dir():
        return "a Hudi table"
    if (folder / "metadata").is_dir() and any((folder / "metadata").glob("*.metadata.json")):
        return "an Iceberg table"
    return None
