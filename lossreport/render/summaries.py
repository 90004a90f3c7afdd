"""The summary that a page carries in its head: as text, and read back from any page.

Pages come from anywhere, so that nothing read here is taken as it stands: what is not of the kind
that lossreport writes is no summary.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from html.parser import HTMLParser
from typing import Any

from lossreport.formats import visible
from lossreport.reports.results import SCHEMA as REPORT_SCHEMA
from lossreport.reports.summary import LONGEST, Summary, date_in

NAME = "lossreport:summary"
"""Of the meta element that holds it, ..."""
SCHEMA = "lossreport/summary/1"
"""... as JSON of this schema."""
INDEX = "lossreport:index"
"""Of the meta element that an index has instead."""
TONES = ("alert", "note", "calm", "none")
LONGEST_SENTENCE = 300


def summary_text(summary: Summary) -> str:
    """Return a summary as JSON on one line, for the attribute of a page."""
    return json.dumps(
        {"schema": SCHEMA, **asdict(summary)}, ensure_ascii=False, allow_nan=False,
        separators=(",", ":"),
    )  # fmt: skip


def summary_of_page(head: str) -> Summary | None:
    """Return what a page says of itself; None if it is no report that lossreport wrote.

    Parameters
    ----------
    head
        The page, or its beginning. Pages of versions that carried no summary give one without
        figures.
    """
    parser = _Head()
    parser.feed(head)
    of = parser.metas
    if INDEX in of or not of.get("generator", "").startswith("lossreport "):
        return None
    if NAME in of:
        return _summary(of[NAME])
    tag, *title = parser.title.split(" \u2013 ")
    if len(title) < 2:
        return None
    return Summary(
        title=_text(" \u2013 ".join(title[:-1])),
        date=None,
        tag=_text(tag),
        tone="none",
        headline=_text(of.get("description", ""), LONGEST_SENTENCE),
        actual="",
        predicted="",
        predictions=1,
        unit=None,
        rows=None,
        scored=0,
        mae=None,
        rmse=None,
        ratio=None,
    )


def with_figures(summary: Summary, report: Mapping[str, Any]) -> Summary:
    """Return the summary of a page that carried none, with figures of its report's JSON.

    A JSON that is not of the schema changes nothing.
    """
    if report.get("schema") != REPORT_SCHEMA:
        return summary
    try:
        first, span = report["predictions"][0], report["time_span"]
        overall = first["overall"]
        return replace(
            summary,
            date=date_in(str(span[1])) if span else None,
            actual=_text(report["columns"]["actual"]),
            predicted=_text(first["predicted"]),
            predictions=len(report["predictions"]),
            unit=report.get("unit") and _text(report["unit"]),
            rows=_whole(first["rows"]["read"]),
            scored=_whole(first["rows"]["scored"]),
            mae=_figure(overall["mae"]),
            rmse=_figure(overall["rmse"]),
            ratio=_figure(overall["ratio"]),
        )
    except (KeyError, IndexError, TypeError, ValueError):
        return summary


class _Head(HTMLParser):
    """The meta elements and the title of a page; the first of each name counts."""

    def __init__(self) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.title = ""
        self._in_title = False
        self._in_head = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self._in_head = self._in_head and tag not in ("body", "style", "script", "svg")
        if self._in_head and tag == "meta" and of.get("name"):
            self.metas.setdefault(of["name"] or "", of.get("content") or "")
        self._in_title = self._in_head and tag == "title"

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""


def _summary(text: str) -> Summary | None:
    try:
        of = json.loads(text)
        if of["schema"] != SCHEMA or of["tone"] not in TONES:
            return None
        gates = of.get("gates")
        return Summary(
            title=_text(of["title"]),
            date=of["date"] and date_in(str(of["date"])),
            tag=_text(of["tag"]),
            tone=of["tone"],
            headline=_text(of["headline"], LONGEST_SENTENCE),
            actual=_text(of["actual"]),
            predicted=_text(of["predicted"]),
            predictions=_whole(of["predictions"]),
            unit=of["unit"] and _text(of["unit"]),
            rows=_whole(of["rows"]),
            scored=_whole(of["scored"]),
            mae=_figure(of["mae"]),
            rmse=_figure(of["rmse"]),
            ratio=_figure(of["ratio"]),
            gates=None if gates is None else _whole(gates),
            warned=_whole(of.get("warned", 0)),
            failed=_whole(of.get("failed", 0)),
        )
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _text(value: object, longest: int = LONGEST) -> str:
    if not isinstance(value, str):
        raise TypeError
    return visible(value, longest)


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError
    return value


def _figure(value: object) -> float | None:
    """Return a figure, none of which is negative."""
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < math.inf:  # type: ignore[operator]
        raise ValueError
    return float(value)  # type: ignore[arg-type]
