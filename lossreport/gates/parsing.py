"""From a table of the configuration to a gate; every key and value is checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from lossreport.formats import listed, visible
from lossreport.gates.gate import Gate
from lossreport.gates.values import FIGURES, OF_GROUPS, SHARES, WITH_BASELINE

Path = tuple[str | int, ...]
CHOICES = {
    "severity": ("error", "warning", "info"),
    "action": ("fail", "warn"),
    "undecided": ("fail", "warn", "pass"),
}
LIMITS = ("max", "min")
CHANGES = ("max_change", "min_change")
KEYS = (
    "name", "figure", "findings", "by", "group", "predicted", *LIMITS, *CHANGES, "min_rows",
    *CHOICES,
)  # fmt: skip
ONLY_FIGURES = ("by", "group", *LIMITS, *CHANGES, "min_rows")
"""Keys that mean nothing beside findings."""
PERCENT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*%\s*")


class Wrong(Exception):  # noqa: N818 - it becomes a UsageError with file and line
    """What is wrong at which key."""

    def __init__(self, said: str, *keys: str | int) -> None:
        super().__init__(said)
        self.said, self.keys = f"{said}.", keys


def closest(name: str, known: Sequence[str]) -> str:
    """Return "did you mean" and what there is, for a name that is not among the known ones."""
    close = get_close_matches(name.lower(), known, n=2, cutoff=0.6)
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{guess}there are {listed(list(known))}"


def kind_of(value: Any) -> str:
    """Return what a value of TOML is, in words; never the value itself, which may be a secret."""
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "a table",
    }
    return kinds.get(type(value), "a date or time")


def gate_of(table: Mapping[str, Any], at: Path) -> Gate:
    """Return the gate of a table.

    Parameters
    ----------
    at
        Where the table stands in the configuration.

    Raises
    ------
    Wrong
        A key or value has no meaning, or nothing says what to judge.
    """
    for key in table:
        if key not in KEYS:
            raise Wrong(f"a gate has no such key; {closest(key, KEYS)}", *at, key)
    figure = _text(table, "figure", at)
    if figure is not None and figure not in FIGURES:
        raise Wrong(f"there is no such figure; {closest(figure, FIGURES)}", *at, "figure")
    given: dict[str, Any] = {key: _choice(table, key, at) for key in CHOICES if key in table}
    given |= {key: _limit(table[key], figure, (*at, key)) for key in LIMITS if key in table}
    given |= {key: _change(table[key], (*at, key)) for key in CHANGES if key in table}
    gate = Gate(
        name=_text(table, "name", at),
        figure=figure,
        findings=_texts(table, "findings", at),
        by=_texts(table, "by", at, commas=True),
        group=_texts(table, "group", at),
        predicted=_text(table, "predicted", at),
        min_rows=_rows(table, at),
        # A gate that only warns does no more where it cannot be decided.
        **{"undecided": given.get("action", "fail"), **given},
    )
    _check_whole(gate, table, at)
    return gate


def _check_whole(gate: Gate, table: Mapping[str, Any], at: Path) -> None:
    """Raise Wrong if the keys do not go together."""
    of_findings = gate.findings or gate.severity is not None
    if gate.figure is None and not of_findings:
        raise Wrong("a gate needs a figure, or findings or a severity", *at)
    if gate.figure is None:
        for key in ONLY_FIGURES:
            if key in table:
                raise Wrong("this goes with a figure, not with findings", *at, key)
        return
    if of_findings:
        key = "findings" if "findings" in table else "severity"
        raise Wrong("a gate is about a figure or about findings: make two of it", *at, key)
    _check_figure(gate, table, at)


def _check_figure(gate: Gate, table: Mapping[str, Any], at: Path) -> None:
    if not any(key in table for key in (*LIMITS, *CHANGES)):
        raise Wrong("a figure needs a limit: max, min, max_change or min_change", *at, "figure")
    for key in CHANGES:
        if key in table and gate.figure not in WITH_BASELINE:
            names = listed(list(WITH_BASELINE))
            raise Wrong(f"only {names} are compared with a baseline", *at, key)
    for low, high in ((gate.min, gate.max), (gate.min_change, gate.max_change)):
        if low is not None and high is not None and low > high:
            raise Wrong("nothing can meet this: the lowest is above the highest", *at)
    if gate.figure in OF_GROUPS and not gate.by:
        raise Wrong("only groups have this figure: say by which columns, with by", *at, "figure")
    if gate.group and len(gate.group) != len(gate.by):
        raise Wrong(
            f"a group has a value for each column of by: {len(gate.by)}, not {len(gate.group)}",
            *at, "group",
        )  # fmt: skip


def _text(table: Mapping[str, Any], key: str, at: Path) -> str | None:
    value = table.get(key)
    if value is not None and not (isinstance(value, str) and value.strip()):
        what = "an empty text" if isinstance(value, str) else kind_of(value)
        raise Wrong(f"this is {what}; write a text", *at, key)
    return value


def _texts(
    table: Mapping[str, Any], key: str, at: Path, *, commas: bool = False
) -> tuple[str, ...]:
    """Return a text, or a list of texts; with `commas` a text may hold several."""
    if key not in table:
        return ()
    value = table[key]
    each = value if isinstance(value, list) else [value]
    if not each or not all(isinstance(v, str) for v in each):
        raise Wrong("write a text in quotes, or a list of such texts", *at, key)
    if commas:
        each = [part.strip() for v in each for part in v.split(",")]
        if not all(each):
            raise Wrong("a name of a column is empty", *at, key)
    if len(set(each)) < len(each) and key != "group":
        raise Wrong("the same text stands here twice", *at, key)
    return tuple(each)


def _choice(table: Mapping[str, Any], key: str, at: Path) -> str:
    value = table[key]
    if not isinstance(value, str) or value not in CHOICES[key]:
        shown = f"{visible(value, 40)!r}" if isinstance(value, str) else kind_of(value)
        raise Wrong(f"this is {shown}; choose one of {', '.join(CHOICES[key])}", *at, key)
    return value


def _number(value: Any) -> float | None:
    """Return a finite number; None of anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _limit(value: Any, figure: str | None, at: Path) -> float:
    if isinstance(value, str) and figure in SHARES and (found := PERCENT.fullmatch(value)):
        return float(found[1]) / 100
    number = _number(value)
    if number is None:
        share = " or a text such as '5%'" if figure in SHARES else ""
        raise Wrong(f"write a finite number{share}", *at)
    return number


def _change(value: Any, at: Path) -> float:
    found = PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong("write a change relative to the baseline as a text such as '10%'", *at)
    return float(found[1]) / 100


def _rows(table: Mapping[str, Any], at: Path) -> int:
    value = table.get("min_rows", 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Wrong("write a whole number of rows, 0 or more", *at, "min_rows")
    return value
