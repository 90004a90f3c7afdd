"""Conditions that select a group's rows in the log, to paste into Polars, SQL or pandas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 500
"""A name or value of more characters than this is not written out."""
WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})")
NO_WORDS = ("t", "f", "y", "n", "yes", "no", "true", "false", "inf", "infinity", "nan")
"""Texts, lower case, that begin with a letter and that a reader may take for something else."""
FORMATS = {"time": "%Y-%m-%d %H:%M:%S%.f", "zoned time": "%Y-%m-%d %H:%M:%S%.f%:z"}
"""How a profile writes times."""
DAY = len("2026-11-26")


@dataclass(frozen=True)
class Filters:
    """The same rows of a frame or table called `log`, in three languages."""

    polars: str
    sql: str | None
    """For DuckDB and PostgreSQL; None where a name has a character that SQL cannot escape."""
    pandas: str


def filters_for(
    by: Sequence[str], key: Sequence[str | None], kinds: Sequence[str]
) -> Filters | None:
    """Return what selects the rows of a group.

    Parameters
    ----------
    by, key
        Its columns, as the log calls them, and their values as text (None: missing).
    kinds
        The kind of each column (`kinds.kinds_of`).

    Returns
    -------
    Filters or None
        None if a kind is not known, or a name or value is too long to be pasted.
    """
    if not by or not all(kinds) or any(len(t or "") > LONGEST for t in (*by, *key)):
        return None
    each = [(name, v, _kind(v, kind)) for name, v, kind in zip(by, key, kinds, strict=True)]
    polars = ", ".join(_polars(*one) for one in each)
    pandas = " & ".join(f"({_pandas(*one)})" for one in each)
    sql = None
    if all(name.isprintable() for name in by):
        where = " AND ".join(_sql(*one) for one in each)
        sql = f"SELECT * FROM log WHERE {where}"  # noqa: S608 - it is shown, not run
    return Filters(f"log.filter({polars})", sql, f"log[{pandas}]")


def _kind(value: str | None, kind: str) -> str:
    """Return "text" for a word of a text file, which no reader takes for anything else."""
    word = value is not None and value[:1].isalpha() and value.lower() not in NO_WORDS
    return "text" if kind == "written" and word else kind


def _python(value: str, kind: str) -> str:
    """Return a value as Python writes it; what cannot be seen is escaped."""
    if kind == "boolean":
        return value.capitalize()
    if kind == "float" and value.lstrip("-") in ("inf", "NaN"):
        return f"float({value!r})"
    return value if kind in ("integer", "float") else repr(value)


def _polars(name: str, value: str | None, kind: str) -> str:
    column = f"pl.col({_pattern_safe(name)})"
    if value is None:
        missing = f"{column}.is_null()"
        return f"{missing} | {column}.is_nan()" if kind == "float" else missing
    if kind in FORMATS:
        form = FORMATS[kind] if len(value) > DAY else "%Y-%m-%d"
        return f"{column}.dt.to_string({form!r}) == {value!r}"
    if kind not in ("integer", "float", "boolean", "text"):
        column += ".cast(pl.String)"
    return f"{column} == {_python(value, kind)}"


def _pattern_safe(name: str) -> str:
    """Return a column's name for `pl.col`, which takes ^...$ for a pattern."""
    if name == "*" or (name.startswith("^") and name.endswith("$")):
        return repr(f"^{re.escape(name)}$")
    return repr(name)


def _pandas(name: str, value: str | None, kind: str) -> str:
    column = f"log[{name!r}]"
    if value is None:
        return f"{column}.isna()"
    if kind in FORMATS:
        utc = ", utc=True" if kind == "zoned time" else ""
        return f"pd.to_datetime({column}{utc}) == pd.Timestamp({value!r})"
    if kind == "written":  # read_csv may have made numbers or booleans of it
        also = f", {value}" if WHOLE.fullmatch(value) else ""
        also = f", {value.capitalize()}" if value.lower() in ("true", "false") else also
        return f"{column}.isin([{value!r}{also}])" if also else f"{column} == {value!r}"
    if kind not in ("integer", "float", "boolean", "text"):
        column += ".astype(str)"
    return f"{column} == {_python(value, kind)}"


def _sql(name: str, value: str | None, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if value is None:
        missing = f"{column} IS NULL"
        return f"({missing} OR {column} = 'NaN')" if kind == "float" else missing
    if kind == "boolean":
        return f"{column} = {value.upper()}"
    if kind in ("integer", "float"):
        return f"{column} = {value if _is_plain(value) else _sql_text(value)}"
    if kind in FORMATS:
        return f"{column} = {_time_type(value, kind)} '{value}'"
    if kind != "text":
        column = f"CAST({column} AS VARCHAR)"
    return f"{column} = {_sql_text(value)}"


def _time_type(value: str, kind: str) -> str:
    if len(value) <= DAY:
        return "DATE"
    if kind == "zoned time":
        return "TIMESTAMPTZ"
    nanoseconds = len(value.partition(".")[2]) > len("123456")
    return "TIMESTAMP_NS" if nanoseconds else "TIMESTAMP"


def _is_plain(value: str) -> bool:
    return re.fullmatch(r"-?\d+", value) is not None


def _sql_text(value: str) -> str:
    """Return text as SQL writes it; what cannot be seen is written by its number."""
    if not value:
        return "''"
    pieces = [
        f"chr({ord(run)})" if not run.isprintable() else "'" + run.replace("'", "''") + "'"
        for run in _runs(value)
    ]
    return " || ".join(pieces) if len(pieces) == 1 else f"({' || '.join(pieces)})"


def _runs(value: str) -> list[str]:
    """Return text in runs of characters that can be seen, and one by one those that cannot."""
    runs: list[str] = []
    for letter in value:
        if runs and letter.isprintable() and runs[-1].isprintable():
            runs[-1] += letter
        else:
            runs.append(letter)
    return runs
