"""How a text file writes its numbers: decimal comma, thousands marks, percent signs.

A style is decided per column, from the column's texts in the file's start, then from what the
file's other columns show, then by what is usual for the separator. What a style does not read is
no number: a text is never read in two ways.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from lossreport.logs.number_style import (
    APOSTROPHES,
    BLANKS,
    CURRENCY,
    MARKS,
    MINUS,
    PLAIN,
    NumberStyle,
    with_sign_first,
    without_currency,
)

_GROUPED = re.compile(
    rf"(?P<first>\d{{1,3}})(?P<mark>[.,{BLANKS}{APOSTROPHES}])\d{{3}}(?:(?P=mark)\d{{3}})*"
    r"(?:(?P<decimal>[.,])\d+)?",
    re.ASCII,
)
_COMMA = re.compile(r"(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ONE_GROUP = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
"""Either thousands or three decimals."""
_WHOLE = r"^[+-]?[0-9]+$"
_BELOW_1000 = r"^[+-]?[0-9]{1,3}$"
_NO_MARKS = dict.fromkeys(map(ord, f".,+-%eE(){MINUS}{BLANKS}{APOSTROPHES}"))
_MONEY = re.compile(CURRENCY)
_AMOUNT = rf"^[(+-]?\s*(?:({CURRENCY})\s*[+-]?[0-9.,]|[0-9][^A-Za-z]*?({CURRENCY})\s*[)-]?$)"
EXAMINED = 5_000
"""Of the texts that are no plain numbers."""
EXAMINED_OF_TEXT = 200
"""If none of the first so many is a number in any style, the column is text."""


@dataclass
class _Evidence:
    """What the texts of one column show, in numbers of texts."""

    decimal: Counter[str] = field(default_factory=Counter)
    thousands: Counter[str] = field(default_factory=Counter)
    either: Counter[str] = field(default_factory=Counter)
    """Texts like 1,234 or 1.234."""
    example: str | None = None
    percent: bool = False
    currency: str | None = None
    accounting: bool = False
    small: bool = False
    """Whether there are whole numbers, all below 1000: above, they may have marks."""
    share: float = 1.0
    """Of the texts, those that are numbers in some style; 1 if there are none."""


def find_styles(
    sample: pl.DataFrame,
    missing: Collection[str],
    *,
    decimal: str | None = None,
    separator: str = ",",
) -> dict[str, NumberStyle]:
    """Return the style of each text column whose numbers are not plain.

    Parameters
    ----------
    sample
        The first rows of the file.
    missing
        Texts, lower case, that stand for no value.
    decimal
        The decimal mark, if it was given.
    separator
        Of the file. Where nothing else tells, 1,234 is a decimal number between semicolons or
        tabs and a thousand between others; 1.234 is a decimal number, and between semicolons or
        tabs a thousand if the other numbers of a column like it are whole ones below 1000.
    """
    texts = sample.select(pl.col(pl.String).str.strip_chars())
    seen = _plain_evidence(texts)
    for name in texts.columns:
        if name not in seen:
            text = _is_text(texts[name], missing)
            seen[name] = _Evidence(share=0.0) if text else _evidence(texts[name], missing)
    sure = [e for e in seen.values() if e.share >= 0.5]
    points = {max(e.decimal, key=e.decimal.__getitem__) for e in sure if e.decimal}
    of_file = decimal or (points.pop() if len(points) == 1 else None)
    marks = sum((e.thousands for e in sure), Counter())
    mark = marks.most_common(1)[0][0] if marks else None
    usual = "," if separator in (";", "\t") else "."
    thousands = any(e.small and not e.decimal and not e.thousands for e in sure)
    if of_file is None and usual == "," and thousands:
        of_file = usual  # then points are thousands in all columns
    styles = {
        name: _style(e if e.share >= 0.1 else _Evidence(share=0.0), decimal, of_file, mark, usual)
        for name, e in seen.items()
    }
    return {name: style for name, style in styles.items() if style != PLAIN}


def said(styles: Mapping[str, NumberStyle]) -> list[str]:
    """Return what was assumed about the numbers, each once."""
    words = dict.fromkeys(w for style in styles.values() for w in style.words())
    unsure = [
        f"{style.example} in column {name} taken as {_reading(style)}"
        for name, style in styles.items()
        if style.example is not None and style.told
    ]
    return [*words, *unsure]


def _reading(style: NumberStyle) -> str:
    shown = pl.select(style.read(pl.lit(style.example))).item()
    return f"{shown:g}"


def _plain_evidence(texts: pl.DataFrame) -> dict[str, _Evidence]:
    """Return what columns show that hold nothing but plain numbers and nulls."""
    odd = texts.null_count() != texts.cast(pl.Float64, strict=False).null_count()
    names = [name for name, some in zip(texts.columns, odd.row(0), strict=True) if not some]
    plain = texts.select(names)
    unsure = plain.select(pl.all().str.contains(_ONE_GROUP))
    pointed = plain.select(pl.all().str.contains(".", literal=True)).sum().row(0)
    evidence = {}
    for name, all_, maybe in zip(names, pointed, unsure.sum().row(0), strict=True):
        example = plain[name].filter(unsure[name])[0] if maybe else None
        sure, either = Counter({".": (all_ or 0) - (maybe or 0)}), Counter({".": maybe or 0})
        small = bool(maybe) and _small(plain[name])
        evidence[name] = _Evidence(+sure, either=+either, example=example, small=small)
    return evidence


def _small(texts: pl.Series) -> bool:
    """Return whether there are whole numbers, all below 1000."""
    whole = texts.filter(texts.str.contains(_WHOLE))
    return not whole.is_empty() and bool(whole.str.contains(_BELOW_1000).all())


def _is_text(texts: pl.Series, missing: Collection[str]) -> bool:
    """Return whether a column begins with texts of which none is a number in any style."""
    first = (t for t in texts.drop_nulls().head(EXAMINED_OF_TEXT) if t.lower() not in missing)
    some = False
    for text in first:
        if _MONEY.sub("", text).translate(_NO_MARKS).isdigit():
            return False
        some = True
    return some


def _evidence(series: pl.Series, missing: Collection[str]) -> _Evidence:
    texts = series.drop_nulls().unique(maintain_order=True)
    texts = texts.filter(~texts.str.to_lowercase().is_in(list(missing)))
    found = _Evidence()
    if texts.is_empty():
        return found
    texts = texts.str.replace(MINUS, "-", literal=True)
    found.currency = _currency(texts)
    if found.currency:
        texts = _with(texts, lambda text: without_currency(text, found.currency or ""))
    signed = _with(texts, with_sign_first)
    if (signed != texts).any():
        found.accounting, texts = True, signed
    marked = texts.str.ends_with("%")
    others = texts.filter(~marked).head(EXAMINED)
    if marked.any() and not any(t.translate(_NO_MARKS).isdigit() for t in others):
        found.percent = True
        texts = texts.str.strip_suffix("%").str.strip_chars_end()
    plain = texts.cast(pl.Float64, strict=False).is_not_null()
    pointed = texts.filter(plain & texts.str.contains(".", literal=True))
    unsure = pointed.filter(pointed.str.contains(_ONE_GROUP))
    if unsure.len():
        found.either["."] = unsure.len()
        found.example = unsure[0]
        found.small = _small(texts)
    if pointed.len() > unsure.len():
        found.decimal["."] = pointed.len() - unsure.len()
    rest = texts.filter(~plain).head(EXAMINED)
    numbers = sum(_note(found, text) for text in rest)
    found.share = (int(plain.sum()) + numbers) / (int(plain.sum()) + rest.len())
    if found.example is not None and found.percent:
        found.example += "%"
    return found


def _with(texts: pl.Series, change: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    return texts.to_frame("text").select(change(pl.col("text")))["text"]


def _currency(texts: pl.Series) -> str | None:
    """Return the currency that half of the texts have; None if there is none."""
    marks = texts.head(EXAMINED).str.extract_groups(_AMOUNT).struct.unnest()
    named = marks.select(pl.coalesce(pl.all()))[:, 0].drop_nulls().value_counts(sort=True)
    if named.is_empty() or 2 * named["count"][0] < min(texts.len(), EXAMINED):
        return None
    return str(named[:, 0][0])


def _note(found: _Evidence, text: str) -> bool:
    """Note what a text that is no plain number shows, and return whether it is one at all."""
    digits = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    grouped = _GROUPED.fullmatch(digits)
    if grouped is None:
        comma = _COMMA.fullmatch(digits) is not None
        found.decimal[","] += comma
        found.decimal += Counter()  # drops what is 0
        return comma
    mark, point = grouped["mark"], grouped["decimal"]
    mark = next(m for m, written in MARKS.items() if mark in written)
    if mark in (".", ","):
        if mark == point:
            return False
        if point is None and digits.count(mark) == 1:
            if grouped["first"].startswith("0"):
                found.decimal[mark] += 1
            else:
                if found.example is None or (mark == "," and not found.either[","]):
                    found.example = text
                found.either[mark] += 1
            return True
    found.thousands[mark] += 1
    if point is not None:
        found.decimal[point] += 1
    return True


def _style(
    e: _Evidence, given: str | None, of_file: str | None, mark: str | None, usual: str
) -> NumberStyle:
    """Return the style of a column.

    `given` is the decimal mark that was asked for, `of_file` and `mark` the decimal and thousands
    mark that the file's other columns show, `usual` the decimal mark of files of its kind.
    """
    own = {m: e.decimal[m] for m in (".", ",") if e.decimal[m]}
    for m, other in ((".", ","), (",", ".")):
        if e.thousands[m]:
            own[other] = own.get(other, 0) + e.thousands[m]
        if e.either[m] and (e.thousands[" "] or e.thousands["'"]):
            own[m] = own.get(m, 0) + e.either[m]
    decimal, example = given, None
    if decimal is None and own:
        decimal = max(own, key=own.__getitem__)
    elif decimal is None and e.either:
        decimal = of_file or (usual if e.either[","] else ".")
        example = e.example
    as_usual = decimal == "." and not e.either[","] and "." in (usual, of_file)
    decimal = decimal or of_file or "."
    other = "." if decimal == "," else ","
    marks = Counter({m: n for m, n in e.thousands.items() if m != decimal})
    if e.either[other]:
        marks[other] += e.either[other]
    thousands = marks.most_common(1)[0][0] if marks else None
    nothing_shown = not (own or e.either or e.thousands)
    if nothing_shown and mark != decimal and of_file is not None:
        thousands = mark
    told = own or e.either or given or of_file
    shown = bool(told) or e.share < 0.5
    return NumberStyle(
        decimal,
        thousands,
        e.percent,
        e.currency,
        e.accounting,
        example,
        example is None or not as_usual,
        shown,
    )
