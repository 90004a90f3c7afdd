"""Finds the pages that lossreport wrote to a folder, and reads from each what an index shows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from lossreport.errors import UsageError
from lossreport.render.summaries import INDEX, summary_of_page, with_figures
from lossreport.reports.summary import Summary

HEAD = 64 * 1024
"""So many bytes of a page are read: its head is smaller."""
LARGEST_JSON = 64 * 1024 * 1024
ENDINGS = (".html", ".htm")


def find_pages(folder: Path) -> tuple[list[tuple[str, Summary]], list[str]]:
    """Return the reports below a folder by path and summary, and what could not be read.

    Links to folders are not followed. Paths are relative to the folder, with slashes, in order.

    Raises
    ------
    UsageError
        There is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}: name the one that holds the reports.")
    found, unread = [], []
    for path, problem in _files(folder):
        try:
            of = None if problem else _summary(path)
        except OSError as error:
            problem = error.strerror or str(error)
        if problem:
            unread.append(f"{path}: {problem}")
        elif of:
            found.append((path.relative_to(folder).as_posix(), of))
    return sorted(found, key=lambda f: f[0]), sorted(unread)


def check_index(path: Path, *, force: bool) -> None:
    """Raise UsageError if an index would take the place of a file that is none.

    A report is a file of lossreport too, but of another night.
    """
    if force or not path.is_file():
        return
    if f'<meta name="{INDEX}"' not in _head(path):
        raise UsageError(
            f"{path} is no index: move it, so that the index can have its name, or replace it with "
            "--force."
        )


def _files(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield files that end like pages, and folders that cannot be entered with the reason."""
    trouble: list[OSError] = []
    for at, _, names in os.walk(folder, onerror=trouble.append):
        for name in names:
            path = Path(at, name)
            if path.suffix.lower() in ENDINGS and path.is_file():
                yield path, None
    for error in trouble:
        yield Path(error.filename or folder), error.strerror or str(error)


def _summary(page: Path) -> Summary | None:
    found = summary_of_page(_head(page))
    if found is None or found.rows is not None:
        return found
    beside = page.with_suffix(".json")
    if not beside.is_file() or beside.stat().st_size > LARGEST_JSON:
        return found
    try:
        of = json.loads(beside.read_bytes())
    except (ValueError, RecursionError):
        return found
    return with_figures(found, of) if isinstance(of, dict) else found


def _head(page: Path) -> str:
    with page.open("rb") as file:
        return file.read(HEAD).decode("utf-8", errors="replace")
