"""Separated text in UTF-8, cut into blocks of whole records and checked, before Polars parses it.

A record ends at a line's end outside of quotes. A quote opens a field only at its beginning, so
`5" pipe` is text; a field whose quoting cannot be right (text after the closing quote, or no
closing quote) makes its line a malformed record, and the next line begins anew. So no record is
swallowed by another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LONGEST_RECORD = 2**24
"""In bytes; a quote that is not closed within as many is not an opening one."""
REPAIRED_BYTES = 2**16
MALFORMED = b"?"
"""Stands for a record with impossible quoting: it has one field, which is too few."""
NEWLINE, CARRIAGE_RETURN = 10, 13
ROW_MARKS = {
    "\x00row_malformed": "row_malformed",
    "\x00row_repeated_header": "row_repeated_header",
}
"""Columns of a text file's frames that are there if some of their rows are none (true in them; all
other columns are null), and the reasons for which these are left out."""


@dataclass(frozen=True)
class Layout:
    """How records are written."""

    separator: str = ","
    blanks: bool = False
    """Blanks after a separator are not part of the value."""
    quote: str = '"'
    carriage_return: bool = False
    """Lines end with CR alone."""

    @cached_property
    def written(self) -> bytes:
        """The separator in UTF-8."""
        return self.separator.encode()

    @cached_property
    def byte(self) -> bytes:
        """The separator in the blocks: itself, or a control character for a longer one."""
        return self.written if len(self.written) == 1 else b"\x1f"

    @cached_property
    def quote_byte(self) -> bytes:
        """The quote."""
        return self.quote.encode()

    @cached_property
    def field(self) -> re.Pattern[bytes]:
        """Matches a field and what ends it; an unquoted field may contain quotes."""
        quote = re.escape(self.quote_byte)
        separator = re.escape(self.written)
        if len(self.written) == 1:
            plain = b"[^%b\\n]" % separator
        else:
            plain = b"(?:(?!%b)[^\\n])" % separator
        separator += b" *+" if self.blanks else b""
        after = b"" if self.written in (b" ", b"\t") else b"[ \\t]*+"
        return re.compile(
            b"(?:(?P<quoted>%b(?:[^%b]++|%b%b)*+%b)%b|(?P<bare>(?!%b)%b*+))"
            b"(?P<end>%b|\\r?\\n|\\Z)"
            % (quote, quote, quote, quote, quote, after, quote, plain, separator)
        )

    @cached_property
    def unclosed(self) -> re.Pattern[bytes]:
        """Matches a quoted field that goes on to the end of the data."""
        quote = re.escape(self.quote_byte)
        return re.compile(b"%b(?:[^%b]++|%b%b)*+%b?\\Z" % (quote, quote, quote, quote, quote))


def with_line_feeds(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield text whose lines end with CR as one whose lines end with LF."""
    held = b""
    for piece in pieces:
        data = held + piece
        held = b"\r" if data.endswith(b"\r") else b""  # an LF may follow
        yield data.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if held:
        yield b"\n"


def read_records(
    data: bytes, layout: Layout, start: int = 0, *, final: bool = True
) -> Iterator[tuple[list[bytes] | None, int]]:
    """Yield each record's fields as they are written, and where the next record begins.

    None stands for a record with impossible quoting. Without `final`, an incomplete record at the
    end is not yielded.
    """
    match = layout.field.match
    while start < len(data):
        fields: list[bytes] | None = []
        place = start
        while fields is not None:
            found = match(data, place)
            if found is None:
                short = len(data) - start < LONGEST_RECORD
                if not final and short and layout.unclosed.match(data, place):
                    return
                fields = None
                break
            fields.append(found["quoted"] if found["bare"] is None else found["bare"])
            place = found.end()
            if found["end"] in (b"\n", b"\r\n") or not found["end"]:
                break
        if fields is None:
            place = data.find(b"\n", start) + 1 or len(data)
        if not final and data[place - 1] != NEWLINE:
            return
        if fields:
            fields[-1] = fields[-1].removesuffix(b"\r")
        yield fields, place
        start = place


def value(field: bytes, layout: Layout) -> str:
    """Return the value of a field as it is written."""
    text = field.decode("utf-8", "replace")
    quote = layout.quote
    if len(text) > 1 and text.startswith(quote) and text.endswith(quote):
        return text[1:-1].replace(quote * 2, quote)
    return text


def blocks(pieces: Iterable[bytes], layout: Layout, size: int) -> Iterator[bytes]:
    """Yield blocks of whole records of at least `size` bytes, if there are as many.

    In a block every record ends with LF or CRLF, separators are `layout.byte`, and quotes are
    as the standard has them.
    """
    source = iter(with_line_feeds(pieces) if layout.carriage_return else pieces)
    buffer = b""
    wanted = size
    while True:
        gathered, length = [buffer], len(buffer)
        final = True
        for piece in source:
            gathered.append(piece)
            length += len(piece)
            if length >= wanted:
                final = False
                break
        buffer = b"".join(gathered) if len(gathered) > 1 else buffer
        if final and buffer and not buffer.endswith(b"\n"):
            buffer += b"\n"
        block, used = _block(buffer, layout, final=final)
        if block:
            yield block
        if final:
            return
        buffer = buffer[used:]
        wanted = size if used else max(size, 2 * len(buffer))


def _block(buffer: bytes, layout: Layout, *, final: bool) -> tuple[bytes, int]:
    """Return the whole records of a buffer as a block, and how many bytes they take."""
    regular = _regular_block(buffer, layout, final=final)
    if regular is not None:
        return regular
    done, used, length = [], 0, REPAIRED_BYTES
    while used < len(buffer):  # in small steps, because what is irregular is slow
        part = buffer[used : used + length]
        last = used + length >= len(buffer)
        regular = _regular_block(part, layout, final=final and last)
        block, n = regular or _repaired(part, layout, final=final and last)
        if n:
            done.append(block)
            length = REPAIRED_BYTES
        elif last:
            break
        else:
            length *= 2
        used += n
    return b"".join(done), used


def _regular_block(buffer: bytes, layout: Layout, *, final: bool) -> tuple[bytes, int] | None:
    """Return the same if the buffer's quotes are regular, else None."""
    end = len(buffer) if final else _last_end(buffer, layout.quote_byte)
    if not end and not final:
        return (b"", 0) if len(buffer) < LONGEST_RECORD else None
    block = _plainly_separated(buffer[:end], layout)
    return (block, end) if _is_regular(block, layout) else None


def _last_end(buffer: bytes, quote: bytes) -> int:
    """Return where the last record that ends within the buffer ends, if its quotes are regular."""
    place = len(buffer)
    quotes = buffer.count(quote) if quote in buffer else 0
    while True:
        newline = buffer.rfind(b"\n", 0, place)
        if newline < 0 or not quotes:
            return newline + 1
        quotes -= buffer.count(quote, newline, place)
        if quotes % 2 == 0:
            return newline + 1
        place = newline


def _plainly_separated(data: bytes, layout: Layout) -> bytes:
    """Return data, in which quotes are regular, with separators of one byte and no blanks after."""
    if layout.written == layout.byte and not layout.blanks:
        return data
    quote = layout.quote_byte
    parts = data.split(quote)
    for i in range(0, len(parts), 2):  # outside of quotes
        part = parts[i].replace(layout.written, layout.byte)
        blank = layout.byte + b" "
        while layout.blanks and blank in part:
            part = part.replace(blank, layout.byte)
        parts[i] = part
    return quote.join(parts)


def _is_regular(block: bytes, layout: Layout) -> bool:
    """Return whether quotes enclose whole fields only."""
    quote = layout.quote_byte
    if quote not in block:
        return True
    data = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(data == quote[0])
    if len(quotes) % 2:
        return False
    before = data[quotes[::2] - 1]
    after = data[quotes[1::2] + 1]  # there is one: a block ends with a line's end
    returns = after == CARRIAGE_RETURN
    beyond = data[quotes[1::2][returns] + 2]
    after[returns] = np.where(beyond == NEWLINE, NEWLINE, CARRIAGE_RETURN)
    if quotes[0] == 0:
        before[0] = NEWLINE
    edges = (NEWLINE, layout.byte[0], quote[0])
    opens = np.logical_or.reduce([before == e for e in edges])
    closes = np.logical_or.reduce([after == e for e in edges])
    return bool(opens.all() and closes.all())


def _repaired(buffer: bytes, layout: Layout, *, final: bool) -> tuple[bytes, int]:
    """Return the records of a buffer, written anew with regular quotes, and the bytes they take."""
    quote, written, used = layout.quote_byte, [], 0
    while used < len(buffer):
        at = buffer.find(quote, used)
        start = buffer.rfind(b"\n", used, at if at >= 0 else len(buffer)) + 1
        if start > used:  # lines without quotes
            written.append(_plainly_separated(buffer[used:start], layout))
            used = start
        found = next(read_records(buffer, layout, used, final=final), None)
        if found is None:
            break
        fields, used = found
        record = MALFORMED
        if fields is not None:
            record = layout.byte.join(_requoted(f, quote, layout.byte) for f in fields)
        written.append(record + b"\r\n")  # Polars takes one CR off, as `read_records` did
    return b"".join(written), used


def _requoted(field: bytes, quote: bytes, separator: bytes) -> bytes:
    if field.startswith(quote) or not (quote in field or separator in field):
        return field
    return quote + field.replace(quote, quote * 2) + quote


@dataclass(frozen=True)
class Shape:
    """Which lines of a block are records of the right number of fields."""

    rows: int
    """Lines, outside of quotes."""
    malformed: NDArray[np.bool_] | None = None
    blank: NDArray[np.bool_] | None = None
    """None if no line is."""


def shape_of(block: bytes, layout: Layout, fields: int) -> Shape:
    """Return which of a block's lines are malformed or blank."""
    marks = _marks(block, layout)
    record = layout.byte * (fields - 1) + b"\n"
    rows = len(marks) // fields
    if fields > 1 and marks == record * rows:
        return Shape(rows)
    data = np.frombuffer(block, np.uint8)
    kinds = np.frombuffer(marks, np.uint8)
    ends = np.flatnonzero(kinds == NEWLINE)
    separators = np.diff(ends, prepend=-1) - 1
    last = _ends(data, layout)
    lengths = np.diff(last, prepend=-1) - 1
    returns = (lengths == 1) & (data[last - 1] == CARRIAGE_RETURN)
    blank = (separators == 0) & ((lengths == 0) | returns)
    malformed = (separators != fields - 1) & ~blank
    return Shape(len(ends), malformed if malformed.any() else None, blank if blank.any() else None)


def _marks(block: bytes, layout: Layout) -> bytes:
    """Return the separators and line ends of a block that are outside of quotes."""
    kept = {layout.byte[0], NEWLINE}
    if layout.quote_byte in block:
        data = np.frombuffer(block, np.uint8)
        kinds = data[_any(data, (*kept, layout.quote_byte[0]))]
        quotes = kinds == layout.quote_byte[0]
        outside = (np.cumsum(quotes, dtype=np.int32) & 1) == 0
        return bytes(kinds[outside & ~quotes])
    return block.translate(None, bytes(i for i in range(256) if i not in kept))


def _ends(data: NDArray[np.uint8], layout: Layout) -> NDArray[np.intp]:
    """Return where the lines of a block end, outside of quotes."""
    quote = layout.quote_byte[0]
    places = np.flatnonzero(_any(data, (NEWLINE, quote)))
    quotes = data[places] == quote
    outside = (np.cumsum(quotes, dtype=np.int32) & 1) == 0
    return np.asarray(places[outside & ~quotes])


def _any(data: NDArray[np.uint8], bytes_: Iterable[int]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_or.reduce([data == b for b in bytes_]))
