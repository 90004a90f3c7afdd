"""Colours for the summary on a terminal; every word of it is there without them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lossreport.reports.results import Report

if TYPE_CHECKING:
    from rich.text import Text

TONES = {"alert": "bold red", "note": "bold yellow", "calm": "bold green", "none": "bold"}
"""The style of what a verdict begins with."""
STYLES = {
    r"^== .+ ==$": "bold",
    r"^  (worst groups|models) .+$": "bold",
    r"^  (L1|L2|RMSE/MAE|bias|without)(?= )": "bold",
    r"^  \S.* !  .*$": "yellow",
    r"^LR\d{3}": "bold",
}
"""The styles of headings, of outlier-driven groups, and of findings' codes."""


def coloured(text: str, report: Report) -> Text:
    """Return the summary of a report, as `terminal.summary` has it, for Rich to print."""
    from rich.text import Text

    made = Text(text)
    said = [report.changes, report.comparison, *(p.verdict for p in report.predictions)]
    for each in said:
        if each is not None:
            made.highlight_regex(f"(?m)^{re.escape(each.tag)}(?=:)", TONES[each.tone])
    for pattern, style in STYLES.items():
        made.highlight_regex(f"(?m){pattern}", style)
    return made
