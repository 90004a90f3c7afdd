"""Object stores: opened by URL, and looked through for the logs in a folder or of a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatchcase
from glob import has_magic
from typing import Any

from lossreport.errors import LossReportError, UsageError
from lossreport.logs.files import find_files, format_by_ending
from lossreport.logs.tables import refused, table_among

SCHEMES = ("s3", "gs", "az")
PATIENCE = timedelta(seconds=60)
"""So long is a store asked again that does not answer."""


def in_store(path: str) -> bool:
    """Return whether a path is the URL of an object store that can be looked through."""
    return "://" in path and path.split("://")[0] in SCHEMES


def store_at(url: str) -> Any:
    """Return the store of a folder's URL.

    Raises
    ------
    UsageError
        What object stores need is not installed, or the address or a setting is wrong.
    """
    try:
        from obstore.store import from_url
    except ImportError as error:
        raise UsageError(f"{url}: object stores need pip install 'lossreport[s3]'.") from error
    try:
        retries: Any = {"max_retries": 5, "retry_timeout": PATIENCE}
        return from_url(url, retry_config=retries)
    except Exception as error:  # of several kinds, all about the address or the settings
        raise UsageError(f"{url} cannot be used: {said(error)}.") from error


@contextmanager
def reached(
    url: str, kind: type[LossReportError] = UsageError, *, missing: bool = True
) -> Iterator[None]:
    """Turn what a store raises into an error in words; with `missing`, also that a file is not."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (OSError, BaseError) as error:
        if isinstance(error, FileNotFoundError) and not missing:
            raise
        raise kind(
            f"{url} cannot be used: {said(error)}. The address and the keys are "
            "taken from the environment (AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, ...)."
        ) from error


def said(error: BaseException) -> str:
    """Return what a store says in one line: its code, where it gives one."""
    text = " ".join(str(error).split())
    code = re.search(r"<Code>(\w+)</Code>", text)
    return (code[1] if code else text.split(" Debug source:")[0][:300]).rstrip(".")


def files_of(paths: Sequence[str]) -> list[str]:
    """Return the files that paths, folders, globs and URLs stand for, each once.

    Raises
    ------
    UsageError
        As `find_files` and `expanded`.
    """
    return find_files(expanded(paths))


def expanded(paths: Sequence[str]) -> list[str]:
    """Return paths with the folders and patterns of object stores replaced by the files there.

    A folder ends in / or not like a file; it holds what ends like a log, at any depth, and neither
    begins with a dot nor an underscore. A pattern may have * and ? in any of its parts, and ** for
    any number of them.

    Raises
    ------
    UsageError
        Nothing is there, or the store cannot be listed.
    """
    found: list[str] = []
    for path in paths:
        last = path.rpartition("/")[2]
        if not in_store(path) or not (has_magic(path) or format_by_ending(last) is None):
            found.append(path)
            continue
        names = _matching(path) if has_magic(path) else _below(path.rstrip("/"))
        if not names:
            what = f"No file matches {path}" if has_magic(path) else f"There are no logs in {path}"
            raise UsageError(f"{what}.")
        found += names
    return found


def _matching(pattern: str) -> list[str]:
    """Return the files of a pattern, by name."""
    parts = pattern.split("/")
    plain = next(i for i, part in enumerate(parts) if has_magic(part))
    wanted = parts[plain:]
    folder = "/".join(parts[:plain])
    deep = len(wanted) > 1
    names = _listed(folder, deep=deep)
    if not wanted[-1]:  # folders of a pattern
        wanted[-1] = "**"
        names = list(filter(_is_log, names))
    return [f"{folder}/{n}" for n in names if _fits(n.split("/"), wanted)]


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether the parts of a name fit those of a pattern."""
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(_fits(parts[i:], wanted[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], wanted[0]) and _fits(parts[1:], wanted[1:])


def _below(folder: str) -> list[str]:
    """Return the logs in a folder and all below it, by name."""
    names = _listed(folder, deep=True)
    if kind := table_among(names):
        raise refused(folder, kind)
    return [f"{folder}/{n}" for n in names if _is_log(n)]


def _is_log(name: str) -> bool:
    hidden = any(part.startswith((".", "_")) for part in name.split("/"))
    return not hidden and format_by_ending(name) is not None


def _listed(folder: str, *, deep: bool) -> list[str]:
    """Return the names of the files in a folder, page by page as the store gives them."""
    store = store_at(folder)  # says what to install, if that is not there
    import obstore

    with reached(folder):
        if deep:
            found = [f for page in obstore.list(store) for f in page]
        else:
            found = list(obstore.list_with_delimiter(store)["objects"])
    return sorted(f["path"] for f in found if f["size"])
