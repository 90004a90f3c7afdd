"""How columns write their numbers: decided over the column, never read in two ways."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossreport.logs.number_style import PLAIN, NumberStyle
from lossreport.logs.numerals import find_styles, said
from lossreport.logs.values import MISSING_TOKENS, number


def styles(
    separator: str = ",", decimal: str | None = None, **columns: list[str]
) -> dict[str, NumberStyle]:
    longest = max(map(len, columns.values()))
    padded = {name: [*texts, *[None] * (longest - len(texts))] for name, texts in columns.items()}
    frame = pl.DataFrame(padded, schema=dict.fromkeys(columns, pl.String))
    return find_styles(frame, MISSING_TOKENS, decimal=decimal, separator=separator)


def values(texts: list[str], **options: Any) -> list[float | None]:
    style = styles(a=texts, **options).get("a", PLAIN)
    frame = pl.DataFrame({"a": texts})
    return frame.select(number("a", pl.String(), "n", style=style))["n"].to_list()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1.234,56", "2,5", "1.234", "NA"], [1234.56, 2.5, 1234, None]),
        (["1,234.56", "2.5", "1,234"], [1234.56, 2.5, 1234]),
        (["1 234,56", "1\u00a0234", "1\u202f234\u202f567,8", "12"], [1234.56, 1234, 1234567.8, 12]),
        (["1\u2009234.5", "7"], [1234.5, 7]),
        (["1'234.5", "1\u2019234", "1"], [1234.5, 1234, 1]),
        (["0,123", "0,456"], [0.123, 0.456]),
        (["1234,567"], [1234.567]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1.234", "0.567"], [1.234, 0.567]),
        (["1.234", "5.678"], [1.234, 5.678]),
        (["-1,5", "+2,5", "\u22123,5"], [-1.5, 2.5, -3.5]),
        (["-1.5", "+2.5", "\u22123.5", "1e3", "1E-2"], [-1.5, 2.5, -3.5, 1000, 0.01]),
        (["1,5e3", "2,5"], [1500, 2.5]),
        (["12%", "5.5 %", "N/A"], [0.12, 0.055, None]),
        (["12%", "5"], [None, 5]),
        (["5%", "tbd", "8 %", "#DIV/0!", "NaN"], [0.05, None, 0.08, None, None]),
        (["1,234%", "5,678 %"], [12.34, 56.78]),
        (["1 234", "1,234"], [1234, 1.234]),
        (["1'234'567", "1,5", "1,234"], [1234567, 1.5, 1.234]),
        (["\uff11,\uff12\uff13\uff14", "1,5"], [None, 1.5]),
        (["$5", "\u20ac 3", "5"], [None, None, 5]),
        (["1,5", "2,5", "1.5"], [1.5, 2.5, None]),
        (["1.5", "2.5", "1,5"], [1.5, 2.5, None]),
        (["1,2345,678", "1,5"], [None, 1.5]),
        (["01.02.2020", "1,5 m", "1_000", "0x10", "12:30"], [None] * 5),
    ],
)
def test_numbers_are_read_or_are_none(texts: list[str], expected: list[float | None]) -> None:
    assert values(texts) == expected


@pytest.mark.parametrize(
    ("separator", "others", "decimal", "value"),
    [
        (",", {}, None, 1234),
        ("|", {}, None, 1234),
        (";", {}, None, 1.234),
        ("\t", {}, None, 1.234),
        (";", {"b": ["1.5"]}, None, 1234),
        (",", {"b": ["0,5"]}, None, 1.234),
        (",", {}, ",", 1.234),
        (";", {}, ".", 1234),
    ],
)
def test_ambiguous_numbers_are_decided_as_documented(
    separator: str, others: dict[str, list[str]], decimal: str | None, value: float
) -> None:
    found = styles(separator, decimal, a=["1,234"], **others)
    frame = pl.DataFrame({"a": ["1,234"]}).select(found["a"].read(pl.col("a")))
    assert frame.item() == value
    unsure = f"1,234 in column a taken as {value:g}"
    assert (unsure in said(found)) == (decimal is None)


def test_late_thousands_marks_are_read_if_they_can_mean_one_thing_only() -> None:
    texts = ["1,234.5", "-1,234,567", "\u22121,234.5", "1,234", "1,5", "1.234,5", "12,34.5"]
    frame = pl.DataFrame({"a": texts})
    plain, odd = frame.select(number("a", pl.String(), "n"))
    assert plain.to_list() == [1234.5, -1234567, -1234.5, None, None, None, None]
    assert odd.to_list() == [False, False, False, True, True, True, True]
    comma = frame.select(number("a", pl.String(), "n", style=NumberStyle(",")))["n"]
    assert comma.to_list() == [None, None, None, 1.234, 1.5, 1234.5, None]


def test_points_are_thousands_only_beside_decimal_commas() -> None:
    found = styles(";", a=["1,5", "2,5"], b=["1.234"])
    assert found["b"] == NumberStyle(",", ".", example="1.234")
    assert "1.234 in column b taken as 1234" in said(found)


@pytest.mark.parametrize(
    ("separator", "texts", "expected", "told"),
    [
        (";", ["950", "1.234", "2.500", "870"], [950, 1234, 2500, 870], True),
        (";", ["950", "1.234", "2.5"], [950, 1.234, 2.5], False),
        (";", ["950", "1.234", "1950"], [950, 1.234, 1950], True),
        (";", ["1.234", "2.500"], [1.234, 2.5], True),
        ("\t", ["-7", "-1.234"], [-7, -1234], True),
        (",", ["950", "1.234", "2.500", "870"], [950, 1.234, 2.5, 870], False),
    ],
)
def test_points_beside_small_whole_numbers_are_thousands_where_commas_are_decimal(
    separator: str, texts: list[str], expected: list[float], told: bool
) -> None:
    assert values(texts, separator=separator) == expected
    assert any("taken as" in words for words in said(styles(separator, a=texts))) is told


def test_a_column_of_thousands_tells_what_points_are_in_the_others() -> None:
    found = styles(";", a=["950", "1.234"], b=["2.345", "6.789"], c=["x", "y"])
    assert said(found)[2:] == ["1.234 in column a taken as 1234", "2.345 in column b taken as 2345"]
    sure = styles(";", a=["950", "1.234"], b=["2.345", "6.789"], c=["1.5", "2"])
    assert {s.decimal for s in sure.values()} == {"."}


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("late", ["1.234,50", "12,50", "1.234.567", "-3,1"])
def test_a_late_decimal_comma_contradicts_points_that_were_taken_for_decimal_ones(
    separator: str, late: str
) -> None:
    style = styles(separator, a=["1.234", "2.345"])["a"]
    assert style.contrary is not None
    texts = pl.Series([late, "3.456", "7", "12.5", "1e3", "n/a", ""])
    assert texts.str.contains(style.contrary).to_list() == [True, *[False] * 6]


@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.lists(
            st.from_regex(
                r"[+\-\u2212]{0,2}[01\uff11]{0,2}(?:[., '][01]{3}){0,2} ?%?", fullmatch=True
            ),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
    ),
    st.sampled_from(",;"),
    st.sampled_from([None, ".", ","]),
)
def test_what_is_said_of_an_ambiguous_number_is_how_it_is_read(
    columns: dict[str, list[str]], separator: str, decimal: str | None
) -> None:
    found = styles(separator, decimal, **columns)
    examples = {name: s.example for name, s in found.items() if s.example is not None}
    for name, text in examples.items():
        assert text in [t.replace(" ", "").replace("\u2212", "-") for t in columns[name]]
        value = pl.select(found[name].read(pl.lit(text))).item()
        assert f"{text} in column {name} taken as {value:g}" in said(found)


@pytest.mark.parametrize("text", ["1,23%", "0,5 %"])
def test_a_late_percentage_shows_how_an_early_one_was_meant(text: str) -> None:
    style = styles(a=["1,234%"])["a"]
    assert style.contrary is not None
    late = pl.Series([text, "2,345%", "n/a"])
    assert late.str.contains(style.contrary).to_list() == [True, False, False]


def test_columns_that_show_nothing_follow_the_file() -> None:
    found = styles(";", a=["1.234,5", "2,5"], b=["12", "13"], c=["NA", "-"], d=["x", "y"])
    assert found["b"] == found["c"] == NumberStyle(",", ".")


def test_a_plain_file_has_no_styles() -> None:
    assert styles(a=["1.5", "2"], b=["x, y", "1,5 apples"], c=["1.5"]) == {}
    unsure = styles(a=["1", "2"], b=["x"], c=["NA"])
    assert set(unsure) == {"a", "c"}
    assert all(s.contrary and not s.words() and not s.shown for s in unsure.values())


def written(value: float, decimal: str, thousands: str) -> str:
    text = f"{value:,.2f}"
    return text.translate({ord(","): thousands, ord("."): decimal})


@given(
    st.lists(st.integers(-(10**9), 10**9).map(lambda i: i / 100), min_size=1, max_size=30),
    st.sampled_from([(".", ","), (",", "."), (",", "\u00a0"), (".", "'"), (".", ""), (",", "")]),
    st.randoms(use_true_random=False),
)
def test_numbers_in_any_style_are_read_to_the_last_digit(
    numbers: list[float], style: tuple[str, str], rng: random.Random
) -> None:
    texts = [rng.choice(["", " ", "+"]) * (n >= 0) + written(n, *style) for n in numbers]
    assert values(texts) == numbers


MONEY = ["$", "\u20ac", "\u00a3", "R$", "EUR", "CHF", "kr", "z\u0142"]


@given(
    st.lists(st.integers(-(10**8), 10**8), min_size=2),
    st.sampled_from([*MONEY, ""]),
    st.sampled_from(["before", "behind", "close before", "close behind"]),
    st.sampled_from(["-", "()", "last", "\u2212"]),
    st.sampled_from([".,", ",.", ", ", ".'"]),
)
def test_amounts_of_money_and_the_negatives_of_accounts_are_read(
    cents: list[int], mark: str, place: str, negative: str, marks: str
) -> None:
    def text(value: int) -> str:
        digits = written(abs(value) / 100, marks[0], marks[1])
        blank = "" if place.startswith("close") or not mark else " "
        amount = f"{mark}{blank}{digits}" if place.endswith("before") else f"{digits}{blank}{mark}"
        if value >= 0:
            return amount
        return {"()": f"({amount})", "last": f"{amount}-"}.get(negative, f"{negative}{amount}")

    texts = [text(c) for c in cents]
    assert values(texts) == [c / 100 for c in cents]
    assert styles(v=texts).get("v", PLAIN).currency == (mark or None)


def test_what_is_no_amount_stays_text() -> None:
    for texts in (["EUR", "USD", "CHF"], ["(a)", "(b)"], ["A-", "B-"], ["12 kronor", "3 kronor"],
                  ["2026-01-", "2026-02-"], ["$ABC", "$DEF"], ["(1) see note", "(2)"]):  # fmt: skip
        assert None in values(texts), texts
    mixed = [
        "$1",
        "$2",
        "$7",
        "\u20ac3",
        "4",
        "(5)",
    ]  # another currency is no number of this column
    assert values(mixed) == [1, 2, 7, None, 4, -5]
    assert styles(v=mixed)["v"].words() == ["$ left out", "(12) and 12- are -12"]
