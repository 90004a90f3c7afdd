"""Numbers and log content as text: what people read is neither wrong nor dangerous."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossreport.formats import (
    SUPERSCRIPTS,
    count,
    group_name,
    key_value,
    number,
    percent,
    ratio,
    visible,
)

MISSING = (None, math.nan, math.inf, -math.inf)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (1, "1.00"), (-12.345, "\u221212.3"), (1234.5, "1,234"), (999.9, "1,000"),
     (0.000123, "0.000123"), (0.00001, "1.00\u00d710\u207b\u2075"), (1e9, "1.00 billion"),
     (0.0000999999, "0.000100"), (-49.81e9, "\u221249.8 billion"), (999.99e9, "1.00 trillion"), (9.996e14, "1.00\u00d710\u00b9\u2075"),
     (1.2e-300, "1.20\u00d710\u207b\u00b3\u2070\u2070"), (5e-324, "4.94\u00d710\u207b\u00b3\u00b2\u2074")],
)  # fmt: skip
def test_a_number_has_three_significant_digits(value, text):
    assert number(value) == text


NEAR_EDGES = st.builds(
    lambda power, off: 10.0**power * (1 + off), st.integers(-8, 18), st.floats(-0.01, 0.01)
)


@given(st.floats(-1e308, 1e308) | NEAR_EDGES)
def test_a_number_says_its_value_to_half_a_percent_and_its_minus_is_no_hyphen(value):
    text = number(value)
    assert not text.startswith("-")
    back = {superscript: chr(plain) for plain, superscript in SUPERSCRIPTS.items()}
    for word, written in (("\u00d710", "e"), (" billion", "e9"), (" trillion", "e12"), (",", "")):
        text = text.replace(word, written)
    read = float(text.translate({**back, ord("\u2212"): "-"}))
    assert read == pytest.approx(value, rel=0.00501, abs=1e-320)


@given(value=st.floats(-1e9, 1e9), scale=st.floats(1e-9, 1e8), signed=st.booleans())
def test_zero_never_has_a_sign(value, scale, signed):
    text = number(value, scale, signed=signed)
    if not set(text.split("\u00d7")[0]) & set("123456789"):
        assert text[0] == "0"
    else:
        assert text.startswith("\u2212") == (value < 0)
        assert text.startswith("+") == (value > 0 and signed)


def test_numbers_beside_each_other_get_the_same_decimals_and_ratios_two():
    assert [ratio(v) for v in (1.2533, 1234.5)] == ["1.25", "1,234"]
    assert [number(v, 12.0) for v in (0.123, 12.0, 1234.5)] == ["0.1", "12.0", "1,234.5"]
    beside = [number(v, 5e10) for v in (-4.2e8, 1234.5, 6e12, 0)]
    assert beside == ["\u2212420 million", "1,234", "6.00 trillion", "0.00"]


@pytest.mark.parametrize("value", MISSING)
def test_what_does_not_exist_is_a_dash(value):
    assert number(value) == ratio(value) == percent(value) == "\u2013"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (1, "100%"), (0.5, "50%"), (0.034, "3.4%"), (0.951, "95.1%"), (0.9996, "99.96%"),
     (0.0004, "0.04%"), (1e-9, "<0.001%"), (1 - 1e-9, ">99.999%")],
)  # fmt: skip
def test_a_share_has_as_many_decimals_as_it_needs(share, text):
    assert percent(share) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_share_between_0_and_1_is_never_shown_as_0_or_100_percent(share):
    shown = float(percent(share).strip("<>%"))
    assert 0 < shown < 100
    assert abs(shown - 100 * share) <= (0.51 if 9 < shown < 91 else 0.051)


def test_a_count_has_its_noun_in_the_right_number():
    assert count(1, "row") == "1 row"
    assert count(0, "row") == "0 rows"
    assert count(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\u202eb", "a\\u202eb"), ("\u2066x", "\\u2066x"), ("\x1b[31m", "\\u001b[31m"),
     ("\ufeffa", "\\ufeffa"), ("a\u2028b", "a\\u2028b"), ("\x85", "\\u0085"), ("\ud800", "\\ud800"),
     ("a\nb\tc\r", "a\u2424b\u2409c\u240d"), ("\U000e0041", "\\U000e0041"),
     *[(t, t) for t in ("größe", "東京", "a\\b <&>$", "\U0001f469\u200d\U0001f467")]],
)  # fmt: skip
def test_only_characters_that_steer_a_terminal_or_reorder_a_line_are_replaced(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["\x00\x1f\x7f", "\ud800", "\ufffe", "\uffff", "a\x0bb"])
def test_visible_text_breaks_no_xml(text):
    assert ET.fromstring(f"<a>{escape(visible(text))}</a>").text == visible(text)


@given(st.text(), st.integers(1, 40))
def test_cut_text_fits_and_keeps_its_ends(text, longest):
    whole, cut = visible(text), visible(text, longest)
    assert len(cut) <= longest
    begin, dots, end = cut.partition("\u2026") if cut != whole else (whole, "", "")
    assert whole.startswith(begin)
    assert whole.endswith(end)
    assert not dots or len(cut) == longest


def test_a_missing_value_is_told_apart_from_every_text():
    keys = (None, "(missing)", "", "(empty text)", " ", "a")
    assert key_value(None) == "(missing)"
    assert len({key_value(k) for k in keys}) == len(keys)
    assert group_name(("region", "m\n"), ("emea", None)) == "region = emea, m\u2424 = (missing)"
