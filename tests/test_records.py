"""Records: cut at their ends whatever the block's size, malformed ones known, none swallowed."""

from __future__ import annotations

import csv
import io

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossreport.logs import records
from lossreport.logs.records import (
    LONGEST_RECORD,
    Layout,
    blocks,
    read_records,
    with_line_feeds,
)
from lossreport.logs.shape import shape_of

COMMA = Layout()


def cut(data: bytes, pieces: int, size: int, layout: Layout = COMMA) -> list[bytes]:
    return list(blocks((data[i : i + pieces] for i in range(0, len(data), pieces)), layout, size))


def parsed(block: bytes, fields: int, layout: Layout = COMMA) -> list[tuple[str, ...] | None]:
    """Read a block as `text` does; None for a malformed record."""
    shape = shape_of(block, layout, fields)
    frame = pl.scan_csv(
        block,
        has_header=False,
        schema={str(i): pl.String for i in range(fields)},
        separator=layout.byte.decode(),
        quote_char=layout.quote,
        extra_columns="ignore",
        missing_columns="insert",
    ).collect()
    assert frame.height == shape.rows
    nothing = np.zeros(shape.rows, bool)
    malformed = nothing if shape.malformed is None else shape.malformed
    blank = nothing if shape.blank is None else shape.blank
    return [
        None if bad else tuple(v or "" for v in row)
        for row, bad, empty in zip(frame.rows(), malformed, blank, strict=True)
        if not empty
    ]


QUOTING = {
    'a 5" pipe,2\n7" b,3\n': [('a 5" pipe', "2"), ('7" b', "3")],
    '"abc,1\n"def",2\n': [None, ("def", "2")],
    '"abc,1\nx,2\n': [None, ("x", "2")],
    'x,2\n"abc,1\n': [("x", "2"), None],
    '"a"b,1\nx,2\n': [None, ("x", "2")],
    '"a" ,1\n': [("a", "1")],
    '"a\nb",1\nx,2\n': [("a\nb", "1"), ("x", "2")],
    '"a ""b"" c",1\n': [('a "b" c', "1")],
    '""\n"",""\n': [None, ("", "")],
    'a""b,1\n': [('a""b', "1")],
    '"a,b\nc",1\r\n\r\n"d",2\r\n': [("a,b\nc", "1"), ("d", "2")],
    "a,1\n\nb\nc,2,3\n,\n": [("a", "1"), None, None, ("", "")],
    "a,1,\nb\n": [None, None],
    ",,\n\n,\n": [None, ("", "")],
    "a,1\n  \n\t\r\nb,2\n \n": [("a", "1"), ("b", "2")],
    "a\x00,1\n\x00\n": [("a\x00", "1"), None],
}


@pytest.mark.parametrize("text", QUOTING)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_quotes_and_ragged_records(text: str, size: int) -> None:
    rows = [row for block in cut(text.encode(), 2, size) for row in parsed(block, 2)]
    assert rows == QUOTING[text]
    without_end = [r for b in cut(text.rstrip("\n").encode(), 2, size) for r in parsed(b, 2)]
    assert without_end == QUOTING[text]


ANY = st.text(st.sampled_from('ab1,"\n\r \x00é'), max_size=60).map(str.encode)


@settings(max_examples=200)
@given(ANY, st.integers(1, 20), st.integers(1, 40), st.integers(1, 4))
def test_the_size_of_blocks_makes_no_difference(
    data: bytes, pieces: int, size: int, fields: int
) -> None:
    together = [r for b in cut(data, len(data) or 1, 10_000) for r in parsed(b, fields)]
    apart = [r for b in cut(data, pieces, size) for r in parsed(b, fields)]
    assert apart == together
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "REPAIRED_BYTES", size)
        in_steps = [r for b in cut(data, pieces, 10_000) for r in parsed(b, fields)]
    assert in_steps == together


@settings(max_examples=200)
@given(ANY)
def test_every_line_is_in_a_record(data: bytes) -> None:
    """No byte vanishes: records follow each other without gaps, and are what the blocks hold."""
    place, found = 0, 0
    for fields, end in read_records(data, COMMA):
        assert end > place
        if fields is not None:
            assert data[place:end].startswith(fields[0])
        found += bool(data[place:end].strip(b" \t\r\n"))
        place = end
    assert place == len(data)
    rows = [r for b in cut(data, len(data) or 1, 10_000) for r in parsed(b, 2)]
    assert len(rows) == found


@settings(max_examples=300)
@given(
    st.lists(
        st.lists(st.text(st.sampled_from("ab1,;\"\n '"), max_size=6), min_size=3, max_size=3),
        max_size=15,
    ),
    st.integers(1, 30),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_regular_files_are_read_as_the_csv_module_wrote_them(
    rows: list[list[str]], size: int, end: str, quoting: int
) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=quoting).writerows(rows)
    data = file.getvalue().encode()
    got = [r for b in cut(data, 7, size) for r in parsed(b, 3)]
    assert got == [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        (Layout("||"), 'a||1\n"x||y"||2\n||\n', [("a", "1"), ("x||y", "2"), ("", "")]),
        (Layout("§"), "a§1\né§2\n", [("a", "1"), ("é", "2")]),
        (Layout(";", blanks=True), 'a;  1\n"x; y"; "z; ""q"""\n', [("a", "1"), ("x; y", 'z; "q"')]),
        (Layout(",", blanks=True), 'a, 5" x\nb, 2\n', [("a", '5" x'), ("b", "2")]),
        (Layout(",", quote="'"), "'a,b',1\nc\"d,2\n", [("a,b", "1"), ('c"d', "2")]),
        (Layout(",", carriage_return=True), "a,1\rb,2\r\rc\r", [("a", "1"), ("b", "2"), None]),
        (Layout("||"), 'a "b" c||1\nx||y||z\n', [('a "b" c', "1"), None]),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_other_layouts(
    layout: Layout, text: str, expected: list[tuple[str, str] | None], size: int
) -> None:
    rows = [r for b in cut(text.encode(), 3, size, layout) for r in parsed(b, 2, layout)]
    assert rows == expected


def test_carriage_returns_may_be_cut_from_their_line_feeds() -> None:
    assert b"".join(with_line_feeds([b"a\r", b"\nb\r", b"c\r"])) == b"a\nb\nc\n"


def test_a_quote_that_is_never_closed_does_not_swallow_the_file() -> None:
    lines = LONGEST_RECORD // 1000 + 2_000
    data = b'"open,1\n' + (b"a" * 997 + b",1\n") * lines
    got = [r for b in cut(data, 2**20, 2**20) for r in parsed(b, 2)]
    assert got[0] is None
    assert len(got) == lines + 1
    assert None not in got[1:]


def test_a_huge_field_is_read() -> None:
    data = b'a,1\n"' + b"x,\n" * 2**21 + b'",2\nb,3\n'
    got = [r for b in cut(data, 2**20, 2**20) for r in parsed(b, 2)]
    assert [r and r[1] for r in got] == ["1", "2", "3"]
    assert got[1] is not None
    assert len(got[1][0]) == 3 * 2**21
