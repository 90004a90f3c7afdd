"""Opens text files as parts of a log: whatever their dialect, and in flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import polars as pl

from lossreport.errors import UnreadableLogError
from lossreport.logs.compression import compression_of, opened
from lossreport.logs.dialect import Dialect, TextOptions, find_dialect
from lossreport.logs.encoding import to_utf8
from lossreport.logs.number_style import NumberStyle
from lossreport.logs.numerals import find_styles, said
from lossreport.logs.part import CHUNK_ROWS, Part
from lossreport.logs.patience import reading
from lossreport.logs.records import ROW_MARKS, blocks
from lossreport.logs.shape import Shape, shape_of
from lossreport.logs.values import MISSING_TOKENS

START_BYTES = 2**20
"""The dialect is found from so much, decompressed, ..."""
SAMPLE_BYTES = 2**17
"""... and the style of numbers from so much: many small files should open quickly."""
PIECE_BYTES = 2**18
SMALLEST_BLOCK, LARGEST_BLOCK = 2**20, 2**25
MALFORMED, REPEATED_HEADER = ROW_MARKS


def open_text(path: str, size: int | None, given: TextOptions) -> Part:
    """Open a file of separated text, compressed or not; about a megabyte of it is read.

    Of a URL, which Polars reads, the text must be UTF-8.

    Raises
    ------
    UnreadableLogError
        It is empty, no text, not of one encoding, or cannot be decompressed.
    """
    missing = (*MISSING_TOKENS, *given.missing)
    with reading(path):
        kind = _kind(path)
        with _pieces(path, kind) as pieces:
            start = b""
            while len(start) < START_BYTES and (piece := next(pieces, b"")):
                start += piece
            whole = next(pieces, None) is None
        if not start:
            raise UnreadableLogError(f"{path} is an empty file.")
        dialect = find_dialect(start, given, path, whole=whole, missing=missing)
        of_start = _frames(
            dialect.names, path, kind, dialect, {}, SAMPLE_BYTES, [], given=bool(given.encoding)
        )
        sample = next(of_start, None)
    separator = dialect.layout.separator
    styles: dict[str, NumberStyle] = {}
    if sample is not None:
        styles = find_styles(sample, missing, decimal=given.decimal, separator=separator)
    notes: list[str] = []
    block = min(max(CHUNK_ROWS * dialect.bytes_per_row, SMALLEST_BLOCK), LARGEST_BLOCK)

    def frames(columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
        each = _frames(
            columns, path, kind, dialect, styles, block, notes, given=bool(given.encoding)
        )
        return (frame.lazy() for frame in each)

    schema = pl.Schema(dict.fromkeys(dialect.names, pl.String()))
    read_as = (*dialect.assumed, *said(styles))
    return Part(path, "csv", size, None, schema, frames, styles, read_as, notes)


def _kind(path: str) -> str | None:
    """Return how a file is compressed; of a URL Polars finds it."""
    if "://" in path:
        return "url"
    with open(path, "rb") as file:  # noqa: PTH123 - the name may be of any form
        return compression_of(file.read(8))


@contextmanager
def _pieces(path: str, kind: str | None) -> Iterator[Iterator[bytes]]:
    """Open a file as the pieces of its content, decompressed, in order; none is empty."""
    if kind == "url":
        yield _lines_of_url(path)
        return
    with opened(path, kind) as stream:
        yield iter(partial(stream.read, PIECE_BYTES), b"")


def _lines_of_url(path: str) -> Iterator[bytes]:
    lines = pl.scan_csv(
        path, has_header=False, schema={"line": pl.String}, separator="\x01", quote_char=None,
        extra_columns="raise", empty_string_is_null=False, glob=False,
    )  # fmt: skip
    for batch in lines.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True):
        if batch.height:
            yield ("\n".join(batch["line"].fill_null("")) + "\n").encode()


def _frames(
    columns: Sequence[str],
    path: str,
    kind: str | None,
    dialect: Dialect,
    styles: Mapping[str, NumberStyle],
    size: int,
    notes: list[str],
    *,
    given: bool,
) -> Iterator[pl.DataFrame]:
    """Yield the rows with these columns, in blocks of about `size` bytes."""
    unsure = {c: s for c, s in styles.items() if c in columns and s.contrary}
    before = 0
    with _pieces(path, kind) as pieces:
        text = _from(to_utf8(pieces, dialect.encoding, path, notes, given=given), dialect)
        for block in blocks(text, dialect.layout, size):
            shape = shape_of(block, dialect.layout, len(dialect.names))
            frame = _parsed(block, shape, dialect, columns, path)
            frame = _marked(frame, shape, dialect, path, before)
            commas = dialect.layout.separator != "," or dialect.layout.quote_byte in block
            for column, style in unsure.items() if commas else ():
                _check_style(frame[column], style, path, before)
            before += frame.height
            yield frame


def _from(text: Iterator[bytes], dialect: Dialect) -> Iterator[bytes]:
    """Yield the text from its first row on."""
    skip = dialect.data_start
    for piece in text:
        if skip < len(piece):
            yield piece[skip:]
        skip = max(0, skip - len(piece))


def _parsed(
    block: bytes, shape: Shape, dialect: Dialect, columns: Sequence[str], path: str
) -> pl.DataFrame:
    """Return a block as a frame with one row for each of its lines."""
    layout = dialect.layout
    places = {name: str(i) for i, name in enumerate(dialect.names)}
    frame = (
        pl.scan_csv(
            block,
            has_header=False,
            schema=dict.fromkeys(places.values(), pl.String),
            separator=layout.byte.decode(),
            quote_char=layout.quote if layout.quote_byte in block else None,
            extra_columns="ignore",  # such rows are known by their shape
            missing_columns="insert",
        )
        .select(pl.col(places[c]).alias(c) for c in columns)
        .collect()
    )
    if frame.height != shape.rows:
        raise UnreadableLogError(
            f"{path} holds {shape.rows:,} rows in a stretch of which {frame.height:,} could be "
            "read: this is a bug in lossreport or Polars. Please report it."
        )
    return frame


def _marked(
    frame: pl.DataFrame, shape: Shape, dialect: Dialect, path: str, before: int
) -> pl.DataFrame:
    """Return the frame without blank lines, and with marks if some rows are none."""
    marks = {}
    if shape.malformed is not None:
        marks[MALFORMED] = pl.Series(shape.malformed)
    repeated = _repeated_header(frame, dialect, path, before)
    if repeated is not None:
        marks[REPEATED_HEADER] = repeated
    if marks:
        every = [pl.any_horizontal(pl.lit(m) for m in marks.values())]
        no_row = frame.select(every[0].alias(MALFORMED))[MALFORMED]
        kept = frame.select(pl.when(~pl.lit(no_row)).then(pl.all()).name.keep())
        frame = kept.with_columns(**marks)
    return frame if shape.blank is None else frame.filter(~pl.Series(shape.blank))


def _repeated_header(
    frame: pl.DataFrame, dialect: Dialect, path: str, before: int
) -> pl.Series | None:
    """Return which rows are the header again; None if none is.

    Raises
    ------
    UnreadableLogError
        A row has the names in another order: what follows would be read from the wrong columns.
    """
    if dialect.header is None or not frame.width:
        return None
    mark = "\ufeff"  # of a file that was put after another one
    known = [*dialect.header, mark + dialect.header[0]]
    suspects = frame.with_row_index("\x00index").filter(
        frame.to_series(0).is_in(known) & frame.to_series(0).is_not_null()
    )
    if suspects.is_empty():
        return None
    named = dict(zip(dialect.names, dialect.header, strict=True))
    again = []
    for index, *values in suspects.iter_rows():
        texts = [(v or "").removeprefix(mark) for v in values]
        if texts == [named[c] for c in frame.columns]:
            again.append(index)
        elif len(texts) > 1 and len(set(texts)) == len(texts) and set(texts) <= set(dialect.header):
            raise UnreadableLogError(
                f"{path}, row {before + index + 1:,}: the header comes again with its columns in "
                "another order. Split the file there; files of one log may differ in order."
            )
    if not again:
        return None
    return pl.int_range(frame.height, eager=True).is_in(again)


def _check_style(texts: pl.Series, style: NumberStyle, path: str, before: int) -> None:
    """Raise if a text shows that a column's numbers were taken for the wrong kind."""
    assert style.contrary is not None
    against = texts.str.strip_chars().str.contains(style.contrary).fill_null(False)
    at = against.arg_max()
    if against.any() and at is not None:
        before_it = f"{style.example!r} before" if style.example else "all before"
        raise UnreadableLogError(
            f"{path}, row {before + at + 1:,}: {texts[at]!r} in column {texts.name!r} contradicts "
            f"how {before_it} was taken ({' and '.join(style.words()) or 'decimal point'}). "
            "Give the decimal mark with --decimal , or --decimal ."
        )
