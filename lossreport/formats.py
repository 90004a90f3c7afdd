"""Numbers and log content as people read them; the same in sentences, tables and charts."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUS = "\u2212"
NONE = "\u2013"
TIMES = "\u00d7"
SUPERSCRIPTS = str.maketrans(
    "0123456789-", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b"
)
LARGE = 1e9
"""From here on numbers are words, and those that stand beside them."""
WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def number(value: float | None, scale: float | None = None, *, signed: bool = False) -> str:
    """Return a number with three significant digits of `scale` (default: of itself).

    `scale` is a typical size of the figures that stand beside it, so that they get the same
    decimals; thousands are marked, a minus sign is U+2212, and nothing is ever "-0.00". Large
    numbers are words, "49.8 billion", beyond them and below 0.0001 powers of ten.
    """
    if value is None or not math.isfinite(value):
        return NONE
    size = abs(scale if scale else value)
    if size and not 1e-4 <= size < LARGE:
        text = _three_digits(abs(value))
    else:
        decimals = 2 if not size else max(0, 2 - math.floor(math.log10(size)))
        text = f"{abs(value):,.{decimals}f}"
    zero = not any(c in "123456789" for c in text.split(TIMES)[0])
    if value < 0 and not zero:
        return MINUS + text
    return "+" + text if signed and not zero else text


def _three_digits(value: float) -> str:
    """Return a number of any size with three significant digits."""
    mantissa, _, power = f"{value:.2e}".partition("e")
    rounded = float(f"{mantissa}e{power}")
    for limit, word in WORDS:
        if limit <= rounded < 1000 * limit:
            return f"{number(rounded / limit)} {word}"
    if not rounded or 1e-4 <= rounded < WORDS[-1][0]:
        return number(rounded if value < 1e-4 else value)  # rounded, it may be large enough
    return f"{mantissa}{TIMES}10{str(int(power)).translate(SUPERSCRIPTS)}"


def amount(
    value: float | None, unit: str | None, scale: float | None = None, *, signed: bool = False
) -> str:
    """Return `number` with its unit, if it has one: "2.72 EUR"."""
    text = number(value, scale, signed=signed)
    return f"{text} {unit}" if unit and text != NONE else text


def squared(unit: str | None) -> str | None:
    """Return the unit of squares; words are put in brackets."""
    if not unit:
        return None
    return f"{unit}\u00b2" if unit.isalpha() else f"({unit})\u00b2"


def ratio(value: float | None) -> str:
    """Return RMSE/MAE with two decimals (fewer when it is large)."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def times(factor: float) -> str:
    """Return how many times: with one decimal below 10, without above."""
    return f"{factor:.1f}" if factor < 10 else f"{factor:,.0f}" if factor < 1e9 else number(factor)


def percent(share: float | None) -> str:
    """Return a share as a percentage that is never rounded to 0 or to 100."""
    if share is None or not math.isfinite(share):
        return NONE
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f}%"
    for decimals in (0, 1, 2, 3) if 10 <= value < 90 else (1, 2, 3):
        text = f"{value:.{decimals}f}"
        if (value < 99.5 or float(text) < 100) and float(text) > 0 and (value >= 1 or decimals > 1):
            return f"{text}%"
    return "<0.001%" if value < 50 else ">99.999%"


def change(share: float | None) -> str:
    """Return a relative change in whole per cent, "+12%"; below half a per cent, "0%"."""
    if share is None or not math.isfinite(share):
        return NONE
    rounded = round(100 * share)
    return f"{MINUS if rounded < 0 else '+' if rounded else ''}{abs(rounded):,}%"


def count(n: int, one: str = "", many: str = "") -> str:
    """Return a count with thousands marks and, if given, its noun in the right number."""
    noun = one if n == 1 else (many or f"{one}s")
    return f"{n:,} {noun}" if one else f"{n:,}"


def places(rows: Iterable[tuple[str, int]]) -> str:
    """Return rows by file and number in words: "rows 3 and 7 of a.csv; row 1 of b.csv".

    An empty file name is not said.
    """
    by_file: dict[str, list[int]] = {}
    for file, row in rows:
        by_file.setdefault(file, []).append(row)
    return "; ".join(
        f"{'row' if len(numbers) == 1 else 'rows'} {listed([f'{n:,}' for n in numbers])}"
        + (f" of {visible(file, 40)}" if file else "")
        for file, numbers in by_file.items()
    )


def listed(words: Sequence[str]) -> str:
    """Return words as a list: "a, b and c"."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def names(columns: Iterable[str]) -> str:
    """Return names of columns, each cut to 40 characters."""
    return ", ".join(visible(c, 40) for c in columns)


def instant(microseconds: int, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return a time since 1970 as text, in UTC; beyond the years 1 to 9999 only that it is."""
    try:
        return (EPOCH + timedelta(microseconds=microseconds)).strftime(form)
    except OverflowError:
        return "before year 1" if microseconds < 0 else "after year 9999"


def reason(name: str) -> str:
    """Return why rows are left out in words: "actual_not_numeric" is "actual not numeric"."""
    return name.removeprefix("row_").replace("_", " ")


def visible(text: str, longest: int | None = None) -> str:
    """Return text from a log on one line, control characters shown, cut in the middle if asked.

    Characters that would move the cursor, reorder the line or break a file format become their
    code point after a backslash and a u.
    """
    shown = "".join(_visible_character(c) for c in text)
    if longest is None or len(shown) <= longest:
        return shown
    keep = longest - 1
    return f"{shown[: keep - keep // 3]}\u2026{shown[len(shown) - keep // 3 :]}"


def _visible_character(character: str) -> str:
    code = ord(character)
    if character in "\t\n\r":
        return {"\t": "\u2409", "\n": "\u2424", "\r": "\u240d"}[character]
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:  # no characters: not even XML has them
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    kept_together = character in "\u200c\u200d"  # joiners are part of emoji and of scripts
    if (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        and not kept_together
    ):
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def group_name(by: tuple[str, ...], key: tuple[str | None, ...], longest: int | None = None) -> str:
    """Return a group in words, "region = emea, model = gbm"."""
    each = (
        f"{visible(b, longest)} = {key_value(k, longest)}" for b, k in zip(by, key, strict=True)
    )
    return ", ".join(each)


def key_value(key: str | None, longest: int | None = None) -> str:
    """Return a group's value in words; a missing value is told apart from the text "(missing)"."""
    if key is None:
        return "(missing)"
    if key.strip() == "":
        return "(empty text)" if key == "" else f'"{visible(key, longest)}"'
    return f'"{key}"' if key in ("(missing)", "(empty text)") else visible(key, longest)
