"""Reads an Arrow IPC stream batch by batch, and notices when it stops before its file does."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from lossreport.errors import UnreadableLogError

CONTINUES = b"\xff\xff\xff\xff"
END = CONTINUES + bytes(4)
SCHEMA, DICTIONARY = 1, 2
"""Kinds of message; the third is a batch of rows (Arrow's Message.fbs)."""
BLOCK_BYTES = 2**24
"""Batches are read together until they have this many bytes."""


def batches(path: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Yield the rows of a stream, with these columns (default: all), in order.

    At least one frame is yielded, so that a stream without rows tells its schema.

    Raises
    ------
    UnreadableLogError
        The stream is cut off, or ends where its file goes on.
    """
    head = b""
    block: list[bytes] = []
    size = 0
    yielded = False
    for kind, message in _messages(path):
        if kind in (SCHEMA, DICTIONARY):
            if block:
                yield _frame(head, block, columns)
                block, size, yielded = [], 0, True
            head += message
            continue
        block.append(message)
        size += len(message)
        if size >= BLOCK_BYTES:
            yield _frame(head, block, columns)
            block, size, yielded = [], 0, True
    if block or not yielded:
        yield _frame(head, block, columns)


def _frame(head: bytes, block: Sequence[bytes], columns: Sequence[str] | None) -> pl.DataFrame:
    wanted = None if columns is None else list(columns)
    return pl.read_ipc_stream(io.BytesIO(head + b"".join(block) + END), columns=wanted)


def _messages(path: str) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the bytes of each message."""
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        while (at := file.tell()) < size:
            prefix = _exactly(file, 8, path)
            if not prefix.startswith(CONTINUES):
                raise UnreadableLogError(
                    f"{path} is damaged: no Arrow message begins at byte {at}."
                )
            (length,) = struct.unpack("<i", prefix[4:])
            if length == 0:
                if rest := size - file.tell():
                    raise UnreadableLogError(
                        f"{path} is damaged: its stream ends at byte {at}, but {rest:,} bytes "
                        "follow. Make it anew or leave it out."
                    )
                return
            metadata = _exactly(file, length, path)
            kind, body = _kind_and_body_length(metadata, path, at)
            yield kind, prefix + metadata + _exactly(file, body, path)


def _exactly(file: BinaryIO, length: int, path: str) -> bytes:
    """Return so many bytes."""
    rest = Path(path).stat().st_size - file.tell()
    if not 0 <= length <= rest:
        raise UnreadableLogError(
            f"{path} is cut off or damaged: a message of {length:,} bytes is announced at byte "
            f"{file.tell():,}, but only {rest:,} are left. Make it anew or leave it out."
        )
    return file.read(length)


def _kind_and_body_length(metadata: bytes, path: str, at: int) -> tuple[int, int]:
    """Read two fields of a Message: header_type (its second) and bodyLength (its fourth).

    A flatbuffer begins with its table's place; the table with how far before it its vtable is,
    which holds its own length, the table's, and where in the table each field is. A field that is
    not in the table has its default, 0.
    """

    def field(number: int, code: str) -> int:
        (table,) = struct.unpack_from("<I", metadata)
        vtable = table - struct.unpack_from("<i", metadata, table)[0]
        place = vtable + 4 + 2 * number
        if place >= vtable + struct.unpack_from("<H", metadata, vtable)[0]:
            return 0
        (inside,) = struct.unpack_from("<H", metadata, place)
        return int(struct.unpack_from(code, metadata, table + inside)[0]) if inside else 0

    try:
        return field(1, "<B"), field(3, "<q")
    except struct.error:
        raise UnreadableLogError(
            f"{path} is damaged: the message at byte {at:,} is none."
        ) from None
