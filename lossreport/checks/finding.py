"""What a check says of the data, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Example:
    """A row, by its place."""

    file: str
    row: int
    """Counted from 1 in its file (in CSV without the header)."""


@dataclass(frozen=True)
class Token:
    """A text that stands where a number should be."""

    side: Literal["actual", "predicted"]
    token: str
    count: int
    first: Example
    """The first row that has it."""
    at_least: bool = False
    """Whether more rows may have it: not all texts of its side could be told apart."""


@dataclass(frozen=True)
class Finding:
    """Something the data shows, or that was looked for and not found."""

    code: str
    status: Literal["issue", "passed", "skipped"]
    severity: Literal["error", "warning", "info"]
    title: str
    message: str
    count: int | None = None
    predicted: str | None = None
    """The prediction column it is about, when there are several."""
    share: float | None = None
    """What `count` is of all there are (rows, days, files)."""
    examples: tuple[Example, ...] = ()
    """Some of the rows."""
    todo: str | None = None
    """What to do about it."""


def gravest_first(findings: Iterable[Finding], *, notes: bool = True) -> list[Finding]:
    """Return the issues: errors, then warnings, then (if asked for) what is only noted."""
    grave = ["error", "warning", "info"]
    issues = [f for f in findings if f.status == "issue" and (notes or f.severity != "info")]
    return sorted(issues, key=lambda f: (grave.index(f.severity), f.code))
