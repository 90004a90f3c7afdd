"""The dialect of text files: found, given, and never a crash whatever the bytes."""

from __future__ import annotations

import codecs
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lossreport.errors import LossReportError, UsageError
from lossreport.logs.dialect import Dialect, TextOptions, find_dialect
from lossreport.logs.records import ROW_MARKS
from lossreport.logs.text import open_text
from lossreport.logs.values import MISSING_TOKENS

SPECTRUM = Path(__file__).parent / "data" / "csv-spectrum"


def dialect_of(text: str | bytes, **given_: Any) -> Dialect:
    data = text if isinstance(text, bytes) else text.encode()
    return find_dialect(data, TextOptions(**given_), "a.csv", whole=True, missing=MISSING_TOKENS)


def read(path: Path, **given_: Any) -> pl.DataFrame:
    part = open_text(str(path), path.stat().st_size, TextOptions(**given_))
    frames = [f.collect() for f in part.frames(part.schema.names())]
    return pl.concat(frames, how="diagonal") if frames else part.schema.to_frame()


@pytest.mark.parametrize("name", sorted(p.stem for p in (SPECTRUM / "csvs").iterdir()))
def test_csv_spectrum(name: str) -> None:
    answer = json.loads((SPECTRUM / "json" / f"{name}.json").read_text("utf-8"))
    rows = read(SPECTRUM / "csvs" / f"{name}.csv").fill_null("").to_dicts()
    if name == "location_coordinates":  # its answer is no list, and has another telephone number
        answer = [{**answer, "Contact Phone Number": "2095257564"}]
    assert rows == answer


DIALECTS = {
    "a,b\n1,2\n": (",", '"', False),
    "a;b\n1,5;2,5\n3,5;4,5\n": (";", '"', False),
    "1,5;2,5\n3,5;4,5\n": (";", '"', False),
    "a,b,c\n1,2,x;y\n3,4,x;z\n": (",", '"', False),
    "a\tb\n1,5\t2,5\n": ("\t", '"', False),
    "a|b|c\n1|2|x, y\n3|4|z, y\n": ("|", '"', False),
    "a; b\n1; 2\n": (";", '"', True),
    "a, b\n1, 2\n": (",", '"', True),
    'a;b\n"x,y,z";2\n"x,y,z";2\n': (";", '"', False),
    "a,b\n'x;y, z',2\n'x;y, z',2\n": (",", "'", False),
    "a,b\nO'Brien,2\n'tis,2\n": (",", '"', False),
    "place;value\nParis, France;2\nRome, Italy;3\n": (";", '"', False),
    "day,y\n2024-01-01 10:00:00,1\n2024-01-01 11:00:00,2\n": (",", '"', False),
}


@pytest.mark.parametrize("text", DIALECTS)
def test_the_layout_is_found(text: str) -> None:
    layout = dialect_of(text).layout
    assert (layout.separator, layout.quote, layout.blanks) == DIALECTS[text]


@pytest.mark.parametrize(
    ("text", "names", "data"),
    [
        ("a,b\n1,2\n", ("a", "b"), "1,2\n"),
        ("1,2\n3,4\n", ("c1", "c2"), "1,2\n3,4\n"),
        ("x,2024-01-01,3\ny,2024-01-02,4\n", ("c1", "c2", "c3"), "x,2024-01-01,3\ny,2024-01-02,4\n"),
        ("day,1,2\n2024-01-01,3,4\n", ("day", "1", "2"), "2024-01-01,3,4\n"),
        ("id,actual,1,2\n7,3,4,5\n", ("id", "actual", "1", "2"), "7,3,4,5\n"),
        ("NA,2\n3,4\n", ("c1", "c2"), "NA,2\n3,4\n"),
        ("a,b\nNA,-\n", ("a", "b"), "NA,-\n"),
        ("a,b\n", ("a", "b"), ""),
        ("a,a,,b,\n1,2,3,4,5\n", ("a", "a_2", "c3", "b", "c5"), "1,2,3,4,5\n"),
        ("*,^a.*$,a\n1,2,3\n", ("c1", "c2", "a"), "1,2,3\n"),
        ("a,a_2,a\n1,2,3\n", ("a", "a_2", "a_3"), "1,2,3\n"),
        ("c2,\n1,2\n", ("c2", "c2_2"), "1,2\n"),
        ("sep=;\na;b\n1;2\n", ("a", "b"), "1;2\n"),
        ("sep=,\na;b,c\n1;2,3\n", ("a;b", "c"), "1;2,3\n"),
        ("a,b\n  \n1,2\n", ("a", "b"), "  \n1,2\n"),
        ("Title\n\n# note\na,b\n1,2\n", ("a", "b"), "1,2\n"),
        ("# x,y\n# a\n1,2\n", ("c1", "c2"), "1,2\n"),
        ("#a,b\n1,2\n", ("a", "b"), "1,2\n"),
        ("#,b\n1,2\n", ("c1", "b"), "1,2\n"),
        ("// x\na,b\n1,2\n", ("a", "b"), "1,2\n"),
        ("#1,2\n#3,4\n", ("c1", "c2"), "#1,2\n#3,4\n"),
        ('"a\nx",b\n1,2\n', ("a\nx", "b"), "1,2\n"),
        ("a,b\n1,2,\n3,4,\n", ("a", "b", "c3"), "1,2,\n3,4,\n"),
        ("a,b\n1,2,9\n3,4,8\n", ("c1", "c2", "c3"), "1,2,9\n3,4,8\n"),
    ],
)  # fmt: skip
def test_where_the_rows_begin_and_what_the_columns_are_called(
    text: str, names: tuple[str, ...], data: str
) -> None:
    found = dialect_of(text)
    assert found.names == names
    assert text[found.data_start :] == data


def test_what_is_assumed_is_in_words() -> None:
    assert dialect_of("a,b\n1,2\n").assumed == ()
    said = dialect_of("Title\n\n# x\na;a;\n1;2;3\n").assumed
    assert said == (
        "separator ;",
        "2 lines before the header skipped",
        "second column a called a_2",
        "column 3 without a name called c3",
    )
    assert dialect_of("1\t2\n", skip_lines=0).assumed == (
        "separator tab",
        "no header, columns c1 to c2",
    )
    assert dialect_of("x\na,b\n1,2\n", skip_lines=1).assumed == ("first 1 line skipped",)


def test_what_is_given_is_not_looked_for() -> None:
    text = "# x\na;b\n1,5;2,5\n"
    assert dialect_of(text, skip_lines=0, separator=",").names == ("# x",)
    assert dialect_of("a,b\n1,2\n", no_header=True).names == ("c1", "c2")
    assert dialect_of("a\tb,c\n1\t2,3\n", separator="tab").names == ("a", "b,c")
    assert dialect_of("ä,b\n1,2\n".encode("cp1252"), encoding="latin-1").names == ("ä", "b")
    for wrong in ({"skip_lines": -1}, {"decimal": "x"}, {"separator": '"'}, {"encoding": "hex"}):
        with pytest.raises(UsageError):
            TextOptions(**wrong)  # type: ignore[arg-type]


CELLS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: f"{x:.3f}x"),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff")
        | st.sampled_from(list("\"',;\t| \n")),
        max_size=8,
    ),
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    header = [f"name{i}" for i in range(width)]
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12))
    # Two numbers in each row, as logs have, so that the table is known from prose.
    return [[*header, "actual", "predicted"], *([*row, "1.5", "2"] for row in rows)]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=tables(),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    blank=st.sampled_from(["", " "]),
    quote=st.sampled_from(['"', "'"]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    header=st.booleans(),
    last=st.booleans(),
    every=st.booleans(),
)
def test_a_table_written_in_any_dialect_is_read_back(
    tmp_path: Path,
    table: list[list[str]],
    separator: str,
    blank: str,
    quote: str,
    end: str,
    encoding: str,
    header: bool,
    last: bool,
    every: bool,
) -> None:
    """Rows are conserved and values equal, once separator and quote are known.

    The separator is given, because in a random text every candidate can be the better one.
    """
    special = (quote, "'", '"', "\n", separator, " ")

    def field(text: str) -> str:
        if every or any(c in text for c in special):
            return quote + text.replace(quote, quote * 2) + quote
        return text

    rows = table if header else table[1:]
    text = end.join((separator + blank).join(map(field, row)) for row in rows)
    path = tmp_path / "log.csv"
    path.write_bytes((text + (end if last else "")).encode(encoding))
    only_single = quote == "'" and not any(field(c).startswith("'") for row in rows for c in row)
    if quote == "'" and (only_single or any('"' in c for row in rows for c in row)):
        return  # nothing shows that the quote is '
    given_ = {"separator": separator + blank if blank else separator}
    got = read(
        path,
        no_header=not header,
        skip_lines=0,
        encoding=None if "utf-8" in encoding else encoding,
        **given_,
    )
    assert not set(ROW_MARKS) & set(got.columns)
    assert got.height == len(table) - 1
    expected = [list(row) for row in table[1:]]
    assert [[v or "" for v in row] for row in got.rows()] == expected


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.tuples(
            st.sampled_from(["north", "south", "Köln", "a, b", "x;y", 'say "a"', ""]),
            st.integers(-(10**6), 10**6).map(lambda i: i / 100),
            st.integers(-(10**6), 10**6).map(lambda i: i / 100),
        ),
        min_size=20,
        max_size=40,
    ),
    separator=st.sampled_from([",", ";", "\t", "|", "; ", ", "]),
    comma=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    before=st.sampled_from(["", "Title\n", "# a comment; with, marks\n", "\n"]),
)
def test_a_log_in_any_dialect_is_found_and_read_back(
    tmp_path: Path,
    values: list[tuple[str, float, float]],
    separator: str,
    comma: bool,
    end: str,
    encoding: str,
    before: str,
) -> None:
    """Nothing is given: separator, quote, header, encoding and lines before are found."""
    rows = [["region", "actual", "predicted"]]
    for region, actual, predicted in values:
        sides = [f"{v:.2f}".replace(".", "," if comma else ".") for v in (actual, predicted)]
        rows.append([region, *sides])
    bare = separator.strip(" ") or separator

    def field(text: str) -> str:
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if {bare, '"'} & set(text) else text

    text = before + "".join(separator.join(map(field, r)) + "\n" for r in rows)
    path = tmp_path / "log.csv"
    path.write_bytes(text.replace("\n", end).encode(encoding))
    part = open_text(str(path), 1, TextOptions())
    got = read(path)
    assert [[v or "" for v in row] for row in got.rows()] == rows[1:]
    for i, side in enumerate(("actual", "predicted"), 1):
        style = part.numbers.get(side)
        read_as = (
            got[side].cast(pl.Float64)
            if style is None
            else got.select(style.read(pl.col(side)))[side]
        )
        assert read_as.to_list() == [row[i] for row in values]


@settings(max_examples=200)
@given(
    st.binary(max_size=4000)
    | st.text(st.sampled_from(list("ab1.,;|\t\"'#\n\r\x00 /é")), max_size=3000).map(str.encode),
    st.booleans(),
)
@example(b"\x00" * 5000, True)
@example(b'"' * 5001, True)
@example(b"'" * 5001, False)
@example(codecs.BOM_UTF16_LE + b"a", True)
@example(codecs.BOM_UTF8, True)
@example(b"\n" * 1000, True)
@example(b"\x85\xc2\xa0", False)
def test_any_bytes_give_a_dialect_or_an_error(data: bytes, whole: bool) -> None:
    begun = time.perf_counter()
    try:
        found = find_dialect(data, TextOptions(), "a.csv", whole=whole, missing=MISSING_TOKENS)
    except LossReportError:
        return
    finally:
        assert time.perf_counter() - begun < 20  # it ends; how soon is for benchmarks
    assert len(set(found.names)) == len(found.names)
    assert found.bytes_per_row > 0


MEGABYTE = 2**20
LARGE = {
    "commas": b"," * MEGABYTE,
    "mixed separators": b",;\t|" * (MEGABYTE // 4),
    "quotes": b'"' * MEGABYTE,
    "unclosed quotes": b'"a,b\n' * (MEGABYTE // 5),
    "single quotes": b"'a,b\n" * (MEGABYTE // 5),
    "quotes and commas": b'",' * (MEGABYTE // 2),
    "spaced": b" , " * (MEGABYTE // 3),
    "comments": b"#\n" * (MEGABYTE // 2),
    "newlines": b"\n" * MEGABYTE,
    "carriage returns": b"\r" * MEGABYTE,
    "continuation bytes": b"\x80" * MEGABYTE,
    "one line of numbers": b"1," * (MEGABYTE // 2),
    "digits": b"1" * MEGABYTE,
    "short lines": b"1\n" * (MEGABYTE // 2),
    "UTF-16 of nothing": b"\x00," * (MEGABYTE // 2),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_megabyte_of_anything_takes_no_steps_in_the_square(name: str) -> None:
    begun = time.process_time()
    with suppress(LossReportError):
        find_dialect(LARGE[name], TextOptions(), "a.csv", whole=False, missing=MISSING_TOKENS)
    assert time.process_time() - begun < 60  # steps in the square would take hours
