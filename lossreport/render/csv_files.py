"""The tables of a report as CSV files: plain numbers, and texts that no spreadsheet computes."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from lossreport.formats import visible
from lossreport.reports.results import Report
from lossreport.reports.table import Table
from lossreport.reports.tables import tables_of

MARK = "lossreport"
"""The first column of every file: the version that wrote it. So its own files are known."""
# A spreadsheet that splits at semicolons sees a cell begin after each of them.
_FORMULA = re.compile(r"(^|;)(\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def to_csv(report: Report) -> dict[str, str]:
    """Return the text of each file by its name, all of `CSV_FILES`.

    Numbers have as many digits as tell them apart from every other. What does not exist is an
    empty cell. Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    return {f"{t.name}.csv": _text(t, report.version) for t in tables_of(report)}


def _text(table: Table, version: str) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow([MARK, *(defused(name) for name, _ in table.columns)])
    writer.writerows([version, *map(_cell, row)] for row in table.rows)
    return made.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return defused(value) if isinstance(value, str) else repr(value)


def defused(text: str) -> str:
    """Return text on one line that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'\2", visible(text))
