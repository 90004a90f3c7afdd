"""Opens what Polars does not read (Excel, Stata, SAS, SPSS) through pandas, in chunks where it can.

None of these formats knows NaN: what pandas gives for their missing values becomes null.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from lossreport.errors import LossReportError, UsageError, reason
from lossreport.formats import count
from lossreport.logs.heading import kind_of_text
from lossreport.logs.pandas_frames import series_of
from lossreport.logs.part import Part
from lossreport.logs.patience import reading

ROWS = 100_000
EXAMINED_ROWS = 50
EXTRAS = {"excel": "python-calamine", "spss": "pyreadstat"}
"""The package that a format needs beside pandas; the extra of lossreport is called like it."""
LABEL = ".name"
"""Ends the name of the column that holds the labels of another column's values."""


def open_with_pandas(path: str, fmt: str, size: int | None, sheet: str | None) -> Part:
    """Return the part for a file of Excel, Stata, SAS or SPSS.

    Columns whose values have labels (Stata, SPSS) keep the values, and a column `NAME.name` holds
    the labels.

    Raises
    ------
    UsageError
        A package is not installed, or there is no such sheet.
    UnreadableLogError
        The file is damaged, encrypted, or not what its ending says.
    """
    read_as: tuple[str, ...] = ()
    rows = None
    with reading(path), _reader_errors(fmt):
        if fmt == "excel":
            chosen, read_as = _sheet(path, sheet)
            written = Path(path).stat().st_mtime_ns
            table, titles = _cells(path, chosen, written)
            schema, rows = table.schema, table.height
            if titles:
                read_as = (*read_as, f"{count(titles, 'row')} above the header")
            chunks: Chunks = lambda _: iter([_cells(path, chosen, written)[0]])  # noqa: E731
        else:
            chunks = {"stata": _stata, "sas": _sas, "spss": _spss}[fmt](path)
            schema = next(chunks(None)).schema

    def frames(names: Sequence[str]) -> Iterator[pl.LazyFrame]:
        with _reader_errors(fmt):
            for chunk in chunks(names):
                yield chunk.select(pl.col(n).cast(schema[n]) for n in names).lazy()

    return Part(path, fmt, size, rows, schema, frames, read_as=read_as)


Chunks = Callable[[Sequence[str] | None], Iterator[pl.DataFrame]]
"""Gives the rows, with at least these columns (None: all); at least one frame, if without rows."""


@contextmanager
def _reader_errors(fmt: str) -> Iterator[None]:
    """Turn whatever pandas and its readers raise on a damaged file into ValueError."""
    try:
        yield
    except (LossReportError, OSError, pl.exceptions.PolarsError):
        raise
    except ImportError as error:
        raise UsageError(
            f"Files of {fmt} need the package {EXTRAS.get(fmt, error.name)}, which is not "
            f"installed: pip install 'lossreport[{fmt}]'."
        ) from error
    except Exception as error:
        raise ValueError(f"the reader for {fmt} says {reason(error)!r}") from error


def _sheet(path: str, asked: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the sheet to read, and what to say about it."""
    import pandas as pd

    with pd.ExcelFile(path, engine="calamine") as book:
        names = [str(n) for n in book.sheet_names]
    if asked is not None and asked not in names:
        listed = ", ".join(map(repr, names))
        raise UsageError(f"{path} has no sheet {asked!r}. Its sheets are: {listed}.")
    chosen = names[0] if asked is None else asked
    others = [n for n in names if n != chosen]
    if asked is not None or not others:
        return chosen, (f"sheet {chosen!r}",)
    listed = ", ".join(map(repr, others[:10])) + (", ..." if others[10:] else "")
    return chosen, (f"sheet {chosen!r}, the first; not read: {listed} (choose with --sheet)",)


@lru_cache(maxsize=1)
def _cells(path: str, sheet: str, written: int) -> tuple[pl.DataFrame, int]:  # noqa: ARG001
    """Return a sheet's rows below its header, and how many rows with titles stand above that.

    Kept for the next call, unless the file was `written` since.
    """
    import pandas as pd

    cells = pd.read_excel(
        path, sheet_name=sheet, engine="calamine", header=None, dtype=object, na_filter=False
    )
    columns = [[_cell(v) for v in cells.iloc[:, i]] for i in range(cells.shape[1])]
    first = list(zip(*(c[:EXAMINED_ROWS] for c in columns), strict=True))
    filled = [r for r, row in enumerate(first) if any(v is not None for v in row)]
    if not filled:
        raise ValueError(f"sheet {sheet!r} has no rows")
    header = _header(first, filled)
    names: list[str] = []
    for i, column in enumerate(columns):
        name = _text(column[header]) or f"column {i + 1}"
        names.append(name if name not in names else f"{name} ({i + 1})")
    named = zip(names, columns, strict=True)
    table = pl.DataFrame([_series(name, column[header + 1 :]) for name, column in named])
    return table, filled.index(header)


def _header(rows: Sequence[Sequence[Any]], filled: Sequence[int]) -> int:
    """Return which row is the header: the first that is not blank, or one below titles.

    Titles have fewer cells; a header has none but names, and the row below it others.
    """
    sizes = [sum(v is not None for v in rows[r]) for r in filled]
    usual = max(sizes, key=lambda size: (sizes.count(size), size))
    named = [all(map(_is_name, rows[r])) for r in filled]
    for i, size in enumerate(sizes[:-1]):
        below_titles = 2 * size > usual and size > max(sizes[:i], default=0)
        if below_titles and named[i] and not named[i + 1]:
            return filled[i]
    return filled[0]


def _is_name(value: Any) -> bool:
    return value is None or (isinstance(value, str) and kind_of_text(value) is None)


def _cell(value: Any) -> Any:
    """Return a cell's value; None for a blank one."""
    return None if value is None or value == "" or value != value else value


def _series(name: str, values: Sequence[Any]) -> pl.Series:
    """Return values of any kind as one column: of their type if they have one, else as text."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float} and kinds:
        numbers = pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64)
        whole = numbers.cast(pl.Int64, strict=False)
        # Excel knows no integers; columns of them may be grouped by.
        return whole if (whole == numbers).all() and not whole.has_nulls() else numbers
    if kinds == {bool}:
        return pl.Series(name, values, pl.Boolean)
    if kinds and all(issubclass(k, dt.datetime) for k in kinds):
        return pl.Series(name, values, pl.Datetime("us"))
    return pl.Series(name, [None if v is None else _text(v) for v in values], pl.String)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("cp1252", "replace")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _stata(path: str) -> Chunks:
    import pandas as pd

    def chunks(names: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        wanted = _without_labels(names)
        with warnings.catch_warnings():  # chunks may differ in their labels: they become text
            warnings.simplefilter("ignore")
            with (
                pd.read_stata(
                    path, chunksize=ROWS, convert_categoricals=False, columns=wanted
                ) as values,
                pd.read_stata(path, chunksize=ROWS, columns=wanted) as labels,
            ):
                labelled = bool(values.value_labels())
                some = False
                for chunk in values:
                    some = True
                    yield _frame(chunk, next(labels) if labelled else None)
        if not some:
            yield _frame(pd.read_stata(path, convert_categoricals=False), None)

    return chunks


def _sas(path: str) -> Chunks:
    import pandas as pd

    fmt = "xport" if path.lower().endswith(".xpt") else "sas7bdat"
    encoding = "infer" if fmt == "sas7bdat" else None

    def chunks(names: Sequence[str] | None) -> Iterator[pl.DataFrame]:  # noqa: ARG001 - all are read
        with pd.read_sas(path, format=fmt, encoding=encoding, chunksize=ROWS) as reader:  # type: ignore[call-overload]
            days = _xport_times(getattr(reader, "fields", ()))
            some = False
            for chunk in reader:
                some = True
                yield _frame(chunk, None).with_columns(days)
        if not some:
            raise ValueError("it holds no rows")

    return chunks


def _xport_times(fields: Sequence[dict[str, Any]]) -> list[pl.Expr]:
    """Return the columns of a transport file that are times, which pandas leaves as numbers.

    SAS counts days (DATE, MMDDYY, ...) or seconds (DATETIME) since 1960.
    """
    epoch = dt.datetime(1960, 1, 1)
    dates = ("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "E8601DA", "WORDDATE", "MONYY")
    times = []
    for field in fields:
        name, form = field["name"], field["nform"]
        name, form = (v.decode() if isinstance(v, bytes) else str(v) for v in (name, form))
        form = form.strip().upper()
        each = 1e6 if form.startswith(("DATETIME", "E8601DT")) else 864e8
        if each == 1e6 or form.startswith(dates):
            micros = (pl.col(name) * each).round().cast(pl.Int64).cast(pl.Duration("us"))
            times.append((pl.lit(epoch) + micros).alias(name))
    return times


def _spss(path: str) -> Chunks:
    import pandas as pd

    def chunks(names: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        wanted = _without_labels(names)
        start = 0
        while True:
            place: dict[str, Any] = {"usecols": wanted, "row_offset": start, "row_limit": ROWS}
            values = pd.read_spss(path, convert_categoricals=False, **place)
            labelled = bool(values.attrs.get("variable_value_labels"))
            labels = pd.read_spss(path, **place) if labelled else None
            if len(values) or not start:
                yield _frame(values, labels)
            start += len(values)
            if len(values) < ROWS:
                return

    return chunks


def _without_labels(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(dict.fromkeys(n.removesuffix(LABEL) for n in names))


def _frame(values: Any, labels: Any | None) -> pl.DataFrame:
    """Return a pandas frame as Polars', with the labels of values as columns of their own."""
    series = [_column(str(name), values[name]) for name in values.columns]
    if labels is not None:
        for name in values.columns:
            if str(labels[name].dtype) == "category" and str(values[name].dtype) != "category":
                text = [None if v != v else _text(v) for v in labels[name].astype(object)]
                series.append(pl.Series(f"{name}{LABEL}", text, pl.String))
                i = list(values.columns).index(name)
                series[i] = series[i].cast(pl.Float64)  # codes: not chosen to group by
    return pl.DataFrame(series)


def _column(name: str, column: Any) -> pl.Series:
    if column.dtype == object or str(column.dtype) in ("category", "str", "string"):
        cells = [_cell(v) for v in column.astype(object)]
        texts = [_text(v) if isinstance(v, bytes) else v for v in cells]
        return _series(name, [None if v == "" else v for v in texts])
    series = series_of(name, column)
    if series.dtype.is_integer():
        return series.cast(pl.Int64)
    return series.cast(pl.Datetime("us")) if isinstance(series.dtype, pl.Datetime) else series
