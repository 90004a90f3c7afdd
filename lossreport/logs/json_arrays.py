"""Takes JSON documents apart into their records, reading them piece by piece.

No value is converted here: a record is handed on as it is written, on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

PIECE = 1 << 22
LARGEST_VALUE = 1 << 26
"""One record (or one value beside the records) may have as many bytes: 64 MB."""
BLOCK = 1 << 23
"""Records are handed on when they have as many bytes together."""

STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
FLAT_RECORD = re.compile(rb'\{[^{}\[\]"]*+(?:' + STRING + rb'[^{}\[\]"]*+)*+\}', re.DOTALL)
TOKEN = re.compile(STRING + rb'|["\[\]{}]', re.DOTALL)
KEY = re.compile(STRING, re.DOTALL)
SCALAR = re.compile(rb"[^\s,\]}\[{:\"]+")
SPACE = re.compile(rb"[ \t\r\n]*")
ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class Stream(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes; none at the end."""


class Document:
    """A place in a JSON document that is being read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._piece = PIECE
        self._ended = False
        self.text = b""
        self.at = 0

    def peek(self) -> bytes:
        """Go to what is not a blank and return its first byte; nothing at the end."""
        while True:
            space = SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self.text) or not self._more():
                return self.text[self.at : self.at + 1]

    def value(self) -> bytes:
        """Return the value that starts here and go behind it.

        Raises
        ------
        ValueError
            The document ends within it, it is no JSON, or it is larger than `LARGEST_VALUE`.
        """
        first = self.peek()
        while (end := self._end(first)) is None:
            if len(self.text) - self.at > LARGEST_VALUE:
                raise ValueError(f"one of its values has more than {LARGEST_VALUE >> 20} MB")
            if not self._more():
                raise ValueError("it ends within a value: it was cut off")
        value = self.text[self.at : end]
        self.at = end
        return value

    def skip(self, byte: bytes) -> bool:
        """Go behind this byte if it comes next, and return whether it did."""
        if self.peek() != byte:
            return False
        self.at += 1
        return True

    def starts_records(self) -> bool:
        """Return whether an array starts here whose first item is a record; stay where it is."""
        if not self.skip(b"["):
            return False
        first = self.peek()
        self.text, self.at = b"[" + self.text[self.at :], 0
        return first == b"{"

    def _more(self) -> bool:
        if self._ended:
            return False
        # What was read is not moved more often than it doubles.
        piece = self._stream.read(max(PIECE, len(self.text) - self.at))
        self._ended = not piece
        self.text = self.text[self.at :] + piece
        self.at = 0
        return not self._ended

    def _end(self, first: bytes) -> int | None:
        """Return where the value that starts here ends; None if not in what was read so far."""
        if first == b"{" and (flat := FLAT_RECORD.match(self.text, self.at)):
            return flat.end()
        if first in (b"{", b"["):
            depth = 0
            for token in TOKEN.finditer(self.text, self.at):
                what = token.group()
                if what == b'"':
                    return None
                depth += (what in b"[{") - (what in b"]}") if len(what) == 1 else 0
                if not depth:
                    return token.end()
            return None
        pattern = KEY if first == b'"' else SCALAR
        found = pattern.match(self.text, self.at)
        if found is None and (first != b'"' or self._ended):
            raise ValueError(f"there is {first.decode('latin-1')!r} where a value should be")
        if found is None or (first != b'"' and found.end() == len(self.text) and not self._ended):
            return None
        return found.end()


def record_blocks(document: Document) -> Iterator[tuple[bytes, int]]:
    """Yield the records of a document, as blocks of lines, each with how many they are.

    The document is an array of records (objects), or an object one of whose members is.

    Raises
    ------
    ValueError
        It is no JSON, is cut off, or holds no array of records or more than one.
    """
    if document.skip(b"["):
        yield from _array(document)
    elif document.peek() == b"{":
        yield from _member(document)
    else:
        raise ValueError("it is neither an array of records nor an object that holds one")
    if document.peek():
        raise ValueError("it goes on after its end: one document of JSON per file can be read")


class NoRecordsError(ValueError):
    """The document is an object, and none of its members is an array of records."""


def records_in(document: Document) -> str | None:
    """Return the member of an object that holds the records; None if it is an array of them.

    Raises
    ------
    ValueError
        As `record_blocks`.
    """
    if not document.skip(b"{"):
        return None
    for name in _members(document):
        if document.starts_records():
            return name
        document.value()
    raise NoRecordsError("it is an object that holds no array of records")


def _member(document: Document) -> Iterator[tuple[bytes, int]]:
    document.skip(b"{")
    taken = None
    for name in _members(document):
        if document.starts_records():
            if taken is not None:
                raise ValueError(
                    f"it holds more than one array of records ({taken!r} and {name!r}): "
                    "write the one that is the log to a file of its own"
                )
            taken = name
            document.skip(b"[")
            yield from _array(document)
        else:
            document.value()
    if taken is None:
        raise ValueError("it is an object that holds no array of records")


def _members(document: Document) -> Iterator[str]:
    """Yield the names of an object's members, standing before each one's value."""
    if document.skip(b"}"):
        return
    while True:
        if document.peek() != b'"':
            raise ValueError("a member of its object has no name: it is damaged or was cut off")
        name = document.value()[1:-1].decode("utf-8", "replace")
        if not document.skip(b":"):
            raise ValueError(f"there is no ':' after {name!r}")
        yield name
        if document.skip(b"}"):
            return
        if not document.skip(b","):
            raise ValueError(
                f"there is no ',' or '}}' after {name!r}: it is damaged or was cut off"
            )


def _array(document: Document) -> Iterator[tuple[bytes, int]]:
    """Yield the records of an array whose bracket was passed, and go behind its end."""
    records: list[bytes] = []
    size = number = 0
    ended = document.skip(b"]")
    while not ended:
        number += 1
        if document.peek() != b"{":
            if not document.peek():
                raise ValueError(f"it ends within its array, after {number - 1:,} records")
            what = document.value()[:20].decode("utf-8", "replace")
            raise ValueError(f"item {number:,} of its array is no record but {what!r}")
        record = document.value()
        records.append(record.translate(ONE_LINE))
        size += len(record)
        ended = document.skip(b"]")
        if not ended and not document.skip(b","):
            raise ValueError(
                f"there is no ',' or ']' after record {number:,}: it is damaged or was cut off"
            )
        if size > BLOCK or (ended and records):
            yield b"\n".join(records) + b"\n", len(records)
            records, size = [], 0
