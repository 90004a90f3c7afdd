"""Writes files whole or not at all, and never over a file that somebody else wrote."""

from __future__ import annotations

import glob
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from lossreport.errors import UsageError
from lossreport.profiles.file import is_profile

OWN_MARKS = (
    b'<meta name="generator" content="lossreport ',
    b'"schema": "lossreport/report/',
    b"<!-- lossreport ",
)
"""What the beginning of every page, JSON, Markdown and XML written by lossreport contains, ..."""
OWN_STARTS = (b"lossreport,", b"[lossreport] ", b"# lossreport ")
"""... and how its CSV files, plain texts and metrics begin, ..."""
OWN_PICTURE = b"Software\x00lossreport "
"""... and what its pictures (PNG) hold."""


def check_writable(path: Path, logs: Sequence[str], *, force: bool) -> None:
    """Raise UsageError if a file cannot or must not be written here; before the log is read.

    `logs` are paths as given: files, folders, globs, URLs.
    """
    _check_name(path)
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder} to write {path.name} to: create it first.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file to write to.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(
            f"The folder {folder} is not writable: {path.name} cannot be written there."
        )
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError(f"{path} is no plain file: name another to write to.")
    if any(_holds(log, path) for log in logs):
        raise UsageError(f"{path} is the log itself: it is not overwritten.")
    if not force and not _is_own(path):
        raise UsageError(
            f"{path} exists and was not written by lossreport: replace it with --force, or name "
            "another file."
        )


def _check_name(path: Path) -> None:
    if str(path) == "-":
        raise UsageError("- is no file: what is written goes to files only; name one.")
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _holds(log: str, path: Path) -> bool:
    """Return whether a log, given by path, folder or glob, has this file."""
    if "://" in log:
        return False
    if os.path.isdir(log):  # noqa: PTH112 - of any length
        return any(f.is_file() and _same(path, f) for f in Path(log).rglob("*"))
    found = [log] if os.path.exists(log) else glob.glob(log, recursive=True)  # noqa: PTH110, PTH207 - of any length; the pattern may be absolute
    return any(_same(path, Path(f)) for f in found)


def _same(path: Path, file: Path) -> bool:
    """Return whether two paths are one file; a link to nothing is none."""
    try:
        return path.samefile(file)
    except OSError:
        return False


def _is_own(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return False
    if start.startswith(b"\x89PNG"):
        return OWN_PICTURE in start
    own = start.startswith(OWN_STARTS) or any(mark in start for mark in OWN_MARKS)
    return own or is_profile(str(path))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file in the same folder, then give it its name.

    Raises
    ------
    UsageError
        The file cannot be written: disk full, no permission.
    """
    temporary = None
    try:
        path = path.resolve()  # a link stays a link to what is written
        new = path.parent / f".lossreport-{secrets.token_hex(8)}.part"
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))  # as umask has it
        temporary = new
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all, with the same line ends everywhere."""
    write_whole(
        path, lambda file: file.write_bytes(text.encode("utf-8", errors="backslashreplace"))
    )


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    write_whole(path, lambda file: file.write_bytes(content))


def check_folder(folder: Path, logs: Sequence[str]) -> None:
    """Raise UsageError if no files can or must be written to this folder, which may not exist."""
    _check_name(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder to write to.")
    if not folder.exists() and not os.access(folder.absolute().parent, os.W_OK | os.X_OK):
        raise UsageError(f"There is no folder {folder.parent} to make {folder.name} in.")
    within = {folder.resolve(), *folder.resolve().parents}
    folders = [Path(log) for log in logs if "://" not in log and os.path.isdir(log)]  # noqa: PTH112 - of any length
    if any(log.resolve() in within for log in folders):
        raise UsageError(
            f"{folder} is in a folder of the log, where the next report would read it as part of "
            "the log: name another."
        )
