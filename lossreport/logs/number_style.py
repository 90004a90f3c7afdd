"""How a column of text writes its numbers: its decimal mark, thousands marks and percent signs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import polars as pl

BLANKS = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
MINUS = "\u2212"
MARKS = {".": ".", ",": ",", " ": BLANKS, "'": APOSTROPHES}
"""The thousands marks and the characters that each is written with."""
CURRENCY = (
    r"(?:R\$|[$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ba\u20ab\u20b4\u20a6\u0e3f]"
    r"|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|Fr\.|kr\.?"
    r"|z\u0142|K\u010d|Ft|Rs\.?)"
)
"""What stands before or behind an amount of money."""
_BRACKETED = r"^\(([^()+-]*[0-9][^()+-]*)\)$"
_SIGN_LAST = r"^([^()+-]*[0-9][^()+-]*)-$"
_POINTS_AND_COMMA = r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+"


def _no_thousands(mark: str) -> str:
    """Return the regular expression of numbers whose mark is not before three digits."""
    return rf"[0-9]+{re.escape(mark)}(?:[0-9]{{1,2}}|[0-9]{{4,}})"


@dataclass(frozen=True)
class NumberStyle:
    """How a column writes its numbers."""

    decimal: str = "."
    thousands: str | None = None
    """One of "." "," " " (any blank) "'" (any apostrophe)."""
    percent: bool = False
    """Every number ends with %: 12 % is read as 0.12."""
    currency: str | None = None
    """What stands before or behind the numbers, such as "$"."""
    accounting: bool = False
    """Negative numbers are written (12) or 12-."""
    example: str | None = None
    """A text that could have been read in two ways, if no other text of the column tells."""
    told: bool = True
    """Whether the example is told; not where a point is a decimal point as usual."""
    shown: bool = True
    """Whether any text of the file's start told the decimal mark."""

    def read(self, text: pl.Expr) -> pl.Expr:
        """Return stripped texts as Float64, null where this style does not read them."""
        value = self.plain(text).cast(pl.Float64, strict=False)
        return value / 100 if self.percent else value

    def plain(self, text: pl.Expr) -> pl.Expr:
        """Return stripped texts without marks, percent signs and with a decimal point.

        Null where the marks are not of this style.
        """
        if self.currency:
            text = without_currency(text, self.currency)
        if self.accounting:
            text = with_sign_first(text)
        if self.percent:
            text = pl.when(text.str.ends_with("%")).then(
                text.str.strip_suffix("%").str.strip_chars_end()
            )
        if self.thousands:
            marks = f"[{re.escape(MARKS[self.thousands])}]"
            grouped = rf"^[+-]?[0-9]{{1,3}}(?:{marks}[0-9]{{3}})+(?:[{self.decimal}][0-9]*)?$"
            joined = pl.when(text.str.contains(grouped)).then(text.str.replace_all(marks, ""))
            text = pl.when(text.str.contains(marks)).then(joined).otherwise(text)
        if self.decimal == ",":
            pointless = pl.when(~text.str.contains(".", literal=True)).then(text)
            text = pointless.str.replace(",", ".", literal=True)
        return text

    def read_odd(self, text: pl.Expr) -> pl.Expr:
        """Return as Float64 what `read` leaves out of stripped texts but can mean one thing only.

        That is a minus sign that is no hyphen, and thousands marks that no text in the file's
        start had, if there are two of them or one before a decimal mark.
        """
        text = text.str.replace(MINUS, "-", literal=True)
        mark = "." if self.decimal == "," else ","
        group, point = rf"(?:[{mark}][0-9]{{3}})", f"[{self.decimal}]"
        sure = rf"^[+-]?[0-9]{{1,3}}(?:{group}{{2,}}|{group}+{point}[0-9]+)$"
        marked = replace(self, thousands=mark)
        return pl.coalesce(
            self.read(text), marked.read(pl.when(text.str.contains(sure)).then(text))
        )

    @property
    def contrary(self) -> str | None:
        """The regular expression of texts that show an unsure style to be wrong; None if sure."""
        if not self.shown:
            texts = [_POINTS_AND_COMMA, _no_thousands(","), "0,[0-9]+"]
        elif self.example is None:
            return None
        elif self.thousands in (".", ","):
            texts = [_no_thousands(self.thousands), f"0{re.escape(self.thousands)}[0-9]+"]
        elif self.decimal == ".":
            texts = [r"[0-9]{1,3}(?:\.[0-9]{3}){2,}", _POINTS_AND_COMMA, _no_thousands(",")]
        else:
            texts = [
                r"[0-9]{1,3}(?:,[0-9]{3}){2,}", r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+",
                r"[0-9]*\.[0-9]+",
            ]  # fmt: skip
        return f"^[+-]?(?:{'|'.join(texts)}){' *%$' if self.percent else '$'}"

    def words(self) -> list[str]:
        """Return what is not plain about the style."""
        marks = {".": "point", ",": "comma", " ": "blank", "'": "apostrophe"}
        said = ["decimal comma"] if self.decimal == "," else []
        if self.thousands:
            said.append(f"thousands mark {marks[self.thousands]}")
        if self.currency:
            said.append(f"{self.currency} left out")
        if self.accounting:
            said.append("(12) and 12- are -12")
        return [*said, "percent (12% is 0.12)"] if self.percent else said


def without_currency(text: pl.Expr, currency: str) -> pl.Expr:
    """Return stripped texts without what stands before or behind an amount, in a bracket too."""
    mark = re.escape(currency)
    before = text.str.replace(rf"^([(+-]?)\s*{mark}\s*([+-]?[0-9.,])", "$1$2")
    return before.str.replace(rf"([0-9.,])\s*{mark}\s*([)-]?)$", "$1$2")


def with_sign_first(text: pl.Expr) -> pl.Expr:
    """Return (12) and 12- as -12, other stripped texts as they are."""
    return text.str.replace(_BRACKETED, "-$1").str.replace(_SIGN_LAST, "-$1")


PLAIN = NumberStyle()
