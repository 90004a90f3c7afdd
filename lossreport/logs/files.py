"""Finds the files of a log, and tells their format by content and ending."""

from __future__ import annotations

import glob
import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.encoding import is_wide
from lossreport.logs.tables import is_table

ENDINGS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".feather": "ipc",
    ".arrows": "ipc stream",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".dta": "stata",
    ".sas7bdat": "sas",
    ".xpt": "sas",
    ".sav": "spss",
    ".zsav": "spss",
}
THROUGH_PANDAS = ("excel", "stata", "sas", "spss")
PICKLES = (".pkl", ".pickle", ".joblib")
COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz", ".zip")
DUCKDB = b"DUCK"
"""In a file of DuckDB after its checksum."""
MAGIC = {b"PAR1": "parquet", b"ARROW1": "ipc", b"\xff\xff\xff\xff": "ipc stream"}
"""How binary files begin."""
WORKBOOKS = (b"PK", b"\xd0\xcf\x11\xe0")
CONTROLS = frozenset(range(9))
"""Bytes that text has none of."""
MARKUP = {
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<table": "a web page",
    b"<?xml": "an XML document",
}
"""How files begin that hold a table, if they do, among marks; in lower case."""
SCHEMES = ("s3", "gs", "gcs", "az", "abfs", "abfss", "https", "http", "hf", "file")


def find_files(paths: Sequence[str]) -> list[str]:
    """Return the files that paths, folders, globs and URLs stand for, each once.

    Raises
    ------
    UsageError
        A path does not exist or is a pipe, or a folder or glob has no logs.
    """
    found: dict[str, str] = {}
    for path in paths:
        try:
            files = [path] if is_table(path) else _files(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be looked up: {error.strerror}.") from error
        for file in files:
            _refuse_pipe(file)
            same = file if "://" in file else os.path.realpath(file)
            found.setdefault(same, file)
    return list(found.values())


def _refuse_pipe(file: str) -> None:
    """Raise if a file is read once only, or never ends; to open it could take for ever."""
    try:
        mode = 0 if "://" in file else os.stat(file).st_mode  # noqa: PTH116 - of any name
    except OSError:
        return  # opening it tells
    if mode and not stat.S_ISREG(mode):
        raise UsageError(
            f"{file} is a pipe or device, no file: a log is read more than once. Save it as a file "
            "first."
        )


def _files(path: str) -> list[str]:
    if "://" in path:
        scheme = path.split("://")[0]
        if scheme not in SCHEMES:
            known = ", ".join(f"{s}://" for s in SCHEMES)
            raise UsageError(f"{path} is no URL that can be read: {known} are.")
        return [path]
    if not path.strip():
        raise UsageError("A log's path is empty.")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise UsageError(f"The name of {path!r} is not UTF-8: rename the file.") from None
    here = Path(path)
    if here.is_dir():
        found = sorted(_logs_below(here))
        if not found:
            raise UsageError(f"There are no logs in the folder {path}: looked for {_endings()}.")
        return found
    if here.exists() or here.is_symlink():
        return [path]
    if glob.has_magic(path):
        found = sorted(f for f in glob.glob(path, recursive=True) if not Path(f).is_dir())  # noqa: PTH207 - the pattern may be absolute
        if found:
            return found
        raise UsageError(f"No file matches {path}.")
    near = _near(here.parent)
    hint = (
        f" In {here.parent} there are: {', '.join(sorted(f.name for f in near)[:10])}."
        if near
        else ""
    )
    raise UsageError(f"There is no file {path}.{hint}")


def _near(folder: Path) -> list[Path]:
    """Return the logs in a folder; none if it is none, or cannot be looked into."""
    try:
        return [f for f in folder.iterdir() if _is_log_file(f)]
    except OSError:
        return []


def _logs_below(folder: Path) -> Iterator[str]:
    """Yield the files that end like logs, in a folder and all below it, each folder once.

    Links are followed, and a link to nothing is a file that cannot be opened: nothing that looks
    like part of the log is passed over. What is hidden, or begins with an underscore as what
    Spark writes beside its data, is not part of it.
    """

    def refuse(error: OSError) -> None:
        raise UnreadableLogError(
            f"The folder {error.filename} cannot be entered: {error.strerror}."
        ) from error

    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()  # a link back up
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith((".", "_")))
        yield from (
            str(Path(here) / f)
            for f in files
            if not f.startswith((".", "_")) and format_by_ending(f) is not None
        )


def _is_log_file(file: Path) -> bool:
    hidden = file.name.startswith((".", "_"))
    return not hidden and format_by_ending(file.name) is not None and file.is_file()


def format_by_ending(name: str) -> str | None:
    """Return the format that a file's name stands for; None if that is no log's."""
    path = Path(name.lower())
    ending = Path(path.stem).suffix if path.suffix in COMPRESSIONS else path.suffix
    return ENDINGS.get(ending)


def _refuse(path: str, start: bytes) -> None:
    """Raise UnreadableLogError for what is read in another way, or never."""
    if start[8:12] == DUCKDB:
        raise UnreadableLogError(
            f"{path} is a file of DuckDB: say which rows are the log, as in --query 'from TABLE'."
        )
    marks = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:20].lower()
    markup = next((kind for begins, kind in MARKUP.items() if marks.startswith(begins)), None)
    if markup is not None:
        raise UnreadableLogError(
            f"{path} is {markup}, no log: open it in a spreadsheet program and save its table as "
            "CSV or .xlsx."
        )
    ends = any(suffix.lower() in PICKLES for suffix in Path(path).suffixes)
    begins = start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and len(start) > 1
    if ends or begins:
        raise UnreadableLogError(
            f"{path} is a pickle, which is refused: to read one is to run whatever code it holds. "
            "Write the log as Parquet (frame.to_parquet), or give the frame itself to "
            "lossreport.report(frame) where you trust it."
        )


def _called(path: str, start: bytes) -> str | None:
    """Return the format that a file's ending says; text that is called a workbook is text.

    Many programs export it so, for a spreadsheet to open.
    """
    by_ending = format_by_ending(path)
    if by_ending != "excel" or start.startswith(WORKBOOKS):
        return by_ending
    text = start.startswith((b"\xff\xfe", b"\xfe\xff")) or not set(start) & CONTROLS
    return "csv" if text and b"\n" in start else by_ending


def without_endings(name: str) -> str:
    """Return a file's name without the endings that say how it is to be read."""
    for endings in (COMPRESSIONS, (*ENDINGS, ".txt", ".dat")):
        for ending in endings:
            if name.lower().endswith(ending) and len(name) > len(ending):
                name = name[: -len(ending)]
                break
    return name


def _endings() -> str:
    return ", ".join(ENDINGS) + " (text also with .gz, .zst, .bz2, .xz or .zip)"


def format_of(path: str, start: bytes) -> str:
    """Return the format of a file by its first bytes, where these tell, else by its ending.

    Raises
    ------
    UnreadableLogError
        It ends like a binary file but does not begin like one, is of no known format, a pickle, or
        a file of DuckDB.
    """
    _refuse(path, start)
    by_ending = _called(path, start)
    for magic, fmt in MAGIC.items():
        if start.startswith(magic):
            return fmt
    if start.startswith(b"PARE"):
        raise UnreadableLogError(f"{path} is an encrypted Parquet file: decrypt it first.")
    if by_ending in ("parquet", "ipc"):
        raise UnreadableLogError(
            f"{path} ends like a {by_ending} file but does not begin like one."
        )
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if by_ending == "csv" and _is_object(text.split(b"\n", 1)[0]):
        return "ndjson"
    if by_ending is not None:
        return by_ending
    if text.startswith(b"{"):
        return "ndjson"
    if text.startswith(b"["):
        return "json"
    if b"\x00" not in start or is_wide(start):
        return "csv"
    raise UnreadableLogError(f"{path} is of no format that can be read: {_endings()}.")


def _is_object(line: bytes) -> bool:
    """Return whether a line is a whole JSON object with a name in it, which no header is."""
    if not line.startswith(b'{"'):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
