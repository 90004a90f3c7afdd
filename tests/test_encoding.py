"""Encodings: found from a bounded start, and a contradiction found later is never read over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossreport.errors import UnreadableLogError
from lossreport.logs.encoding import find_encoding, known_encoding, to_utf8


def decoded(
    data: bytes, encoding: str, size: int, *, given_: bool = False
) -> tuple[str, list[str]]:
    notes: list[str] = []
    pieces = (data[i : i + size] for i in range(0, len(data), size))
    return b"".join(to_utf8(pieces, encoding, "a.csv", notes, given=given_)).decode(), notes


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n", "utf-8"),
        (b"", "utf-8"),
        ("ä,b\n".encode(), "utf-8"),
        ("ä,b\n".encode()[:1], "utf-8"),
        ("ä,b\n".encode("utf-8-sig"), "utf-8"),
        ("ä,b\n".encode("cp1252"), "windows-1252"),
        (b"a,\x81\n", "windows-1252"),
        ("a,b\n".encode("utf-16"), "utf-16-le"),
        ("a,b\n".encode("utf-16-le"), "utf-16-le"),
        ("a,ж,中,1,2\n".encode("utf-16-be"), "utf-16-be"),
        ("a,b\n".encode("utf-32"), "utf-32-le"),
        (b"a,b\x00\n" * 2, "utf-8"),
    ],
)
def test_encodings_are_found(data: bytes, expected: str) -> None:
    assert find_encoding(data, "a.csv") == expected


def test_mostly_utf_8_is_not_read_as_something_else() -> None:
    with pytest.raises(
        UnreadableLogError, match=r"a\.csv is not of one encoding.*0xF6 at place 9 "
    ):
        find_encoding("ä,ö,ü".encode() + b"\xf6", "a.csv")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufeff"))


@given(TEXT, st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16", "shift_jis"]),
       st.integers(1, 9))  # fmt: skip
def test_pieces_may_cut_characters(text: str, encoding: str, size: int) -> None:
    data = text.encode(encoding, "ignore")
    expected = text.encode(encoding, "ignore").decode(encoding)
    assert decoded(data, known_encoding(encoding), size, given_=True)[0] == expected


@given(st.binary(max_size=50), st.integers(1, 9))
def test_windows_1252_reads_any_bytes(data: bytes, size: int) -> None:
    text = decoded(data, "windows-1252", size, given_=True)[0]
    if not data.startswith(b"\xef\xbb\xbf"):
        assert len(text) == len(data)
        assert "\ufffd" not in text


@given(st.binary(max_size=40), st.integers(1, 9))
def test_what_is_not_utf_8_is_windows_1252_or_an_error(data: bytes, size: int) -> None:
    try:
        text, notes = decoded(data, "utf-8", size)
    except UnreadableLogError:
        return
    assert "\ufffd" not in text or "\ufffd".encode() in data
    if notes:
        assert not data.isascii()
        assert text.isascii() is False


@pytest.mark.parametrize("size", [1, 4, 100])
def test_the_first_odd_byte_may_come_late(size: int) -> None:
    assert decoded(b"a" * 50 + b"\xf6b\x80", "utf-8", size) == ("a" * 50 + "öb€", ["Windows-1252"])
    assert decoded(b"a" * 50 + b"\xf6", "utf-8", size) == ("a" * 50 + "ö", ["Windows-1252"])


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize(
    "data", ["ä".encode() + b"a" * 50 + b"\xf6b", "ä".encode() + b"a" * 50 + b"\xc3"]
)
def test_a_contradiction_is_an_error(size: int, data: bytes) -> None:
    with pytest.raises(UnreadableLogError, match=r"a\.csv"):
        decoded(data, "utf-8", size)


@pytest.mark.parametrize("size", [1, 4, 100])
def test_what_was_given_is_held_to(size: int) -> None:
    for data, encoding, place in (
        (b"aa\xf6b", "utf-8", 3),
        (b"a\x00\x00\xd8a\x00", "utf-16-le", 3),
    ):
        with pytest.raises(UnreadableLogError, match=f"place {place} "):
            decoded(data, encoding, size, given_=True)
