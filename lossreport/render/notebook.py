"""The page inside a notebook: in a frame of its own, which shares neither style nor script."""

from __future__ import annotations

from html import escape

from lossreport.formats import visible
from lossreport.render.page import render_page
from lossreport.reports.results import Report

HEIGHT = 640
"""In CSS pixels; the page scrolls inside."""
OF_PAGE, HEAD, BASE = "base-uri 'none'; ", '<meta charset="utf-8">', '<base href="about:srcdoc">'


def to_notebook(report: Report) -> str:
    """Return an HTML element that shows the page: sandboxed, loading nothing, `HEIGHT` high."""
    # In a frame, links to sections would be taken from the notebook's address, and open it again.
    page = render_page(report).replace(OF_PAGE, "", 1).replace(HEAD, f"{HEAD}{BASE}", 1)
    return (
        f'<iframe title="{escape(visible(report.title))}" sandbox="allow-scripts" '
        f'style="width:100%;height:{HEIGHT}px;border:1px solid #d8dee4" '
        f'srcdoc="{escape(page)}"></iframe>'
    )
