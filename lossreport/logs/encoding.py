"""The encoding of text: found in a file's first bytes, and turned into UTF-8 piece by piece."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from lossreport.errors import UnreadableLogError, UsageError

LABELS = {
    "utf-8": "UTF-8",
    "windows-1252": "Windows-1252",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "utf-32-le": "UTF-32 (little-endian)",
    "utf-32-be": "UTF-32 (big-endian)",
}
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The five bytes that Windows-1252 leaves open are control characters, as in Latin-1 and on the web.
_WINDOWS_1252 = "".join(
    bytes([i]).decode("latin-1" if i in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else "cp1252")
    for i in range(256)
)


CONTROLS = bytes([*range(1, 9), *range(14, 27), *range(28, 32)])
MOST_CONTROLS = 0.02
"""Text that is not UTF-8 has no more control characters than this share; NUL is not counted."""


def known_encoding(name: str) -> str:
    """Return the name that an encoding has here.

    Raises
    ------
    UsageError
        Python knows no text encoding of that name.
    """
    try:
        info = codecs.lookup(name)
        "1".encode(name).decode(name)  # also refuses what turns bytes into bytes
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"There is no encoding {name!r}. Known are utf-8, utf-16, windows-1252, latin-1, "
            "shift_jis and all others that Python has."
        ) from error
    same = {"cp1252": "windows-1252", "utf-8-sig": "utf-8", "ascii": "utf-8"}
    return same.get(info.name, info.name)


def label(encoding: str) -> str:
    """Return the name of an encoding as people know it."""
    return LABELS.get(encoding, encoding)


def find_encoding(start: bytes, name: str) -> str:
    """Return the encoding of a file whose first bytes these are.

    A byte-order mark tells; else NUL bytes at every other place are UTF-16; else it is UTF-8 unless
    a byte contradicts that, and then Windows-1252 (of which Latin-1 is a part).

    Raises
    ------
    UnreadableLogError
        Most of what is not ASCII is UTF-8, but not all of it; or it is no text at all.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    if (order := _order_of_utf_16(start)) is not None:
        return order
    odd_byte = _first_odd_byte(start)
    if odd_byte is None:
        return "utf-8"
    wide = sum(c > "\x7f" for c in start.decode("utf-8", "ignore"))
    narrow = start.decode("utf-8", "replace").count("\ufffd")
    if wide > narrow:
        raise _mixed(name, start[odd_byte], odd_byte)
    if len(start.translate(None, CONTROLS)) < (1 - MOST_CONTROLS) * len(start):
        raise UnreadableLogError(
            f"{name} is no text: control characters are all over it. If it is of another format, "
            "give it that ending; if it is damaged, make it anew or leave it out."
        )
    return "windows-1252"


def is_wide(start: bytes) -> bool:
    """Return whether first bytes are of text in UTF-16 or UTF-32, in which NUL bytes belong."""
    marks = [mark for mark, encoding in BYTE_ORDER_MARKS if encoding != "utf-8"]
    return start.startswith(tuple(marks)) or _order_of_utf_16(start) is not None


def _order_of_utf_16(start: bytes) -> str | None:
    """Return the encoding if NUL bytes are where UTF-16 has them, beside characters of ASCII."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if even + odd > 0.2 * len(start):
        if even < 0.05 * odd:
            return "utf-16-le"
        if odd < 0.05 * even:
            return "utf-16-be"
    return None


def decoded_start(start: bytes, encoding: str, name: str, *, whole: bool) -> str:
    """Return the text of a file's first bytes, without byte-order mark.

    Raises
    ------
    UnreadableLogError
        The bytes are not of the encoding.
    """
    if encoding == "windows-1252":
        return codecs.charmap_decode(start, "strict", _WINDOWS_1252)[0]
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start, final=whole)
    except UnicodeDecodeError as error:
        raise _not_as_given(name, encoding, error.object[error.start], error.start) from None
    except UnicodeError as error:
        raise UnreadableLogError(f"{name} is not {label(encoding)}: {error}.") from None
    return text.removeprefix("\ufeff")


def _first_odd_byte(data: bytes) -> int | None:
    """Return where bytes stop being UTF-8; a character cut off at their end does not count."""
    try:
        codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError as error:
        return error.start
    return None


def _mixed(name: str, byte: int, place: int) -> UnreadableLogError:
    return UnreadableLogError(
        f"{name} is not of one encoding: it has text in UTF-8, but byte 0x{byte:02X} at place "
        f"{place + 1:,} is not UTF-8. Repair it, or give --encoding windows-1252 (or another) to "
        "read all of it so."
    )


def to_utf8(
    pieces: Iterable[bytes], encoding: str, name: str, notes: list[str], *, given: bool
) -> Iterator[bytes]:
    """Yield the text in UTF-8, without its byte-order mark.

    Parameters
    ----------
    pieces
        The file's bytes, in order.
    notes
        Receives what was assumed on the way: that the file is Windows-1252 after all, because the
        first byte beyond ASCII is not UTF-8.
    given
        The encoding was asked for: what contradicts it is an error.

    Raises
    ------
    UnreadableLogError
        The bytes are not of the encoding.
    """
    if encoding == "utf-8":
        decoded = _from_utf8(pieces, name, notes, given=given)
    elif encoding == "windows-1252":
        decoded = _from_windows_1252(pieces, name, given=given)
    else:
        decoded = _from_any(pieces, encoding, name)
    first = b""
    for piece in decoded:  # the mark may be in several pieces
        first += piece
        if len(first) >= 3:
            break
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from decoded


def _from_utf8(
    pieces: Iterable[bytes], name: str, notes: list[str], *, given: bool
) -> Iterator[bytes]:
    """Yield pieces that end at a character's end, checked."""
    source = iter(pieces)
    done, rest, ascii_only = 0, b"", True
    for piece in source:
        data = rest + piece if rest else piece
        if data.isascii():
            rest = b""
            yield data
        else:
            try:
                used = codecs.utf_8_decode(data, "strict", False)[1]
            except UnicodeDecodeError as error:
                if not given and ascii_only and data[: error.start].isascii():
                    notes.append(label("windows-1252"))
                    yield from _from_windows_1252(chain([data], source), name, given=False)
                    return
                raise _not_utf8(name, data, done, error, given=given) from None
            mark = codecs.BOM_UTF8
            ascii_only &= done == 0 and data.startswith(mark) and data[3:used].isascii()
            rest = data[used:]
            yield data[:used]
        done += len(data) - len(rest)
    if rest:
        if not given and ascii_only:
            notes.append(label("windows-1252"))
            yield from _from_windows_1252([rest], name, given=False)
            return
        raise UnreadableLogError(
            f"{name} ends within a character of UTF-8, after {done:,} bytes: it is truncated."
        )


def _not_utf8(
    name: str, data: bytes, done: int, error: UnicodeDecodeError, *, given: bool
) -> UnreadableLogError:
    byte, place = data[error.start], done + error.start
    if not given:
        return _mixed(name, byte, place)
    return _not_as_given(name, "utf-8", byte, place)


def _not_as_given(name: str, encoding: str, byte: int, place: int) -> UnreadableLogError:
    return UnreadableLogError(
        f"{name} is not {label(encoding)}: byte 0x{byte:02X} at place {place + 1:,} is not. "
        "Give the right one with --encoding."
    )


def _from_windows_1252(pieces: Iterable[bytes], name: str, *, given: bool) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        if piece.isascii():
            yield piece
        else:
            whole = piece.lstrip(bytes(range(0x80, 0xC0)))  # what is left of a character cut off
            if not given and not whole.isascii() and _first_odd_byte(whole) is None:
                wide = sum(c > "\x7f" for c in whole.decode("utf-8", "ignore"))
                if wide > 1:
                    place = next(i for i, byte in enumerate(whole) if byte > 0x7F)
                    at = done + len(piece) - len(whole) + place
                    raise _mixed_after_all(name, at)
            yield codecs.charmap_decode(piece, "strict", _WINDOWS_1252)[0].encode()
        done += len(piece)


def _mixed_after_all(name: str, place: int) -> UnreadableLogError:
    return UnreadableLogError(
        f"{name} is not of one encoding: it begins in Windows-1252, but from place {place + 1:,} "
        "on it is UTF-8. Repair it, or give --encoding windows-1252 to read all of it so."
    )


def _from_any(pieces: Iterable[bytes], encoding: str, name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    for piece in chain(pieces, [b""]):
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(piece, final=not piece)
            yield text.encode()
        except UnicodeError as error:
            start = error.start if isinstance(error, UnicodeDecodeError) else 0
            data = error.object if isinstance(error, UnicodeDecodeError) else b"\x00"
            place = done - len(pending) + start
            raise _not_as_given(name, encoding, data[start], place) from None
        done += len(piece)
