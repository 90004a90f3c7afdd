"""Where a report's files go, and what is checked of that before the log is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lossreport.errors import UsageError
from lossreport.writing import check_folder, check_writable

FOLDER = "csv"
"""The option that names a folder."""
CSV_FILES = (
    "predictions.csv", "groups.csv", "worst_rows.csv", "timeline.csv", "slices.csv",
    "patterns.csv", "levels.csv", "level_bins.csv", "comparison.csv", "findings.csv", "ledger.csv",
    "sources.csv",
)  # fmt: skip
"""The files in it that `render.csv_files` writes."""
MORE_GROUPS = "more_groups.csv"
"""The one that `render.more_groups` writes."""


def check_outputs(paths: Mapping[str, Path], logs: Sequence[str], *, force: bool) -> None:
    """Raise UsageError if a file, by its option, cannot or must not be written."""
    if FOLDER in paths:
        check_folder(paths[FOLDER], logs)
    taken: dict[Path, str] = {}
    for option, path in paths.items():
        for file in files_of(option, path):
            if file.parent.is_dir() or option != FOLDER:
                check_writable(file, logs, force=force)
            other = taken.setdefault(file.resolve(), option)
            if other != option:
                raise UsageError(f"--{option} and --{other} name the same file, {file}.")


def files_of(option: str, path: Path) -> list[Path]:
    """Return the files that an option writes."""
    return [path / name for name in (*CSV_FILES, MORE_GROUPS)] if option == FOLDER else [path]


def check_not_among(templates: Path, paths: Mapping[str, Path]) -> None:
    """Raise UsageError if a file would be written to the folder of templates."""
    for option, path in paths.items():
        for file in files_of(option, path):
            if templates.resolve() in (file.absolute().parent.resolve(), file.resolve().parent):
                raise UsageError(
                    f"{file} would be written to the folder of templates, where the next report "
                    "would take it for one: name another folder."
                )
