"""How a JSON file is laid out: a record a line, an array of records, or columns."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from lossreport.logs.compression import opened
from lossreport.logs.json_arrays import (
    BLOCK,
    Document,
    NoRecordsError,
    Stream,
    record_blocks,
    records_in,
)
from lossreport.logs.json_columns import LARGEST, records_of


@dataclass(frozen=True)
class Source:
    """A JSON file: where it is and how it is laid out."""

    path: str
    compression: str | None
    array: bool
    lines: bytes | None = None
    """The records, where they had to be made first."""

    def blocks(self) -> Iterator[tuple[bytes, int | None]]:
        """Yield the records, each on a line, with how many they are (None: as many as lines)."""
        if self.lines is not None:
            yield self.lines, None
            return
        with _opened(self.path, self.compression) as stream:
            if self.array:
                yield from record_blocks(Document(stream))
                return
            rest = b""
            while piece := stream.read(BLOCK):
                piece = rest + piece
                end = piece.rfind(b"\n") + 1
                rest = piece[end:]
                if end:
                    yield piece[:end], None
            if rest.strip():
                yield rest + b"\n", None


def laid_out(path: str, compression: str | None, *, lines: bool) -> tuple[Source, tuple[str, ...]]:
    """Return how a file is laid out, and what is to be said of that."""
    array = not lines and not _is_lines(path, compression)
    if array:
        try:
            with _opened(path, compression) as stream:
                name = records_in(Document(stream))
        except NoRecordsError as error:
            if (made := _of_columns(path, compression)) is None:
                raise ValueError(str(error)) from error
        else:
            said = () if name is None else (f"the records of its member {name!r}",)
            return Source(path, compression, array=True), said
    else:
        made = _of_columns(path, compression)
    if made is None:
        return Source(path, compression, array=False), ()
    return Source(path, compression, array=True, lines=made[0]), (made[1],)


def _is_lines(path: str, compression: str | None) -> bool:
    """Return whether a file has one record a line, by its first lines."""
    with _opened(path, compression) as stream:
        start = stream.read(1 << 16).lstrip()
    first, *others = start.split(b"\n", 1)
    if not first.startswith(b"{"):
        return False
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return False
    of_records = [
        v for v in record.values() if isinstance(v, list) and v and isinstance(v[0], dict)
    ]
    return not of_records or bool(others and others[0].strip())


def _of_columns(path: str, compression: str | None) -> tuple[bytes, str] | None:
    """Return the records of a document that is one object and a table by columns, if it is."""
    with _opened(path, compression) as stream:
        start = stream.read(1 << 16).lstrip()
        first, _, others = start.partition(b"\n")
        whole_line = first.rstrip().endswith(b"}") and others.lstrip().startswith(b"{")
        if not start.startswith(b"{") or whole_line:
            return None
        rest = stream.read(LARGEST)
        if stream.read(1):
            return None
    return records_of(start + rest)


@contextmanager
def _opened(path: str, compression: str | None) -> Iterator[Stream]:
    """Open a file, decompressed and as UTF-8 without a byte order mark."""
    with opened(path, compression) as stream:
        start = stream.read(4)
    with opened(path, compression) as stream:
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            yield _Encoded(io.TextIOWrapper(cast(BinaryIO, stream), "utf-16", newline=""))
            return
        if start.startswith(b"\xef\xbb\xbf"):
            stream.read(3)
        yield stream


class _Encoded:
    """Text as bytes of UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def read(self, size: int, /) -> bytes:
        return self._text.read(size).encode("utf-8", "replace")
