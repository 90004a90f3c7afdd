"""Renders an index of reports as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from lossreport.render.templating import INDEX, fill
from lossreport.reports.index import RUN, Index
from lossreport.version import __version__

STEP, HEIGHT = 5, 20
"""Of a line: the way from one report to the next and the height, in pixels."""


def render_index(index: Index, title: str | None = None) -> str:
    """Return the index as HTML text: the same index gives the same bytes.

    Parameters
    ----------
    title
        The heading; "Prediction loss reports" if None.
    """
    return fill(
        {
            "version": __version__,
            "title": title or "Prediction loss reports",
            "index": index,
            "rows": [(r, href(r.path), line(r.mae), line(r.rmse)) for r in index.listed],
            "width": STEP * RUN,
            "height": HEIGHT,
            "run": RUN,
        },
        page=INDEX,
    )


def href(path: str) -> str:
    """Return the address of a file beside the index; its bytes are those of the file's name."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def line(values: Sequence[float | None]) -> str:
    """Return the path of a line over the values, from 0 at the bottom to their largest at the top.

    The last value is at the right. Where one is None the line has a gap; a value between two gaps
    is a dot. Fewer than two values give no line: "".
    """
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return ""
    largest = max(known) or 1.0
    left = STEP * (RUN - len(values)) + 2
    path, pen = "", "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        y = HEIGHT - 1 - (HEIGHT - 2) * (value / largest)
        start = "h1" if pen == "M" else ""
        path += f"{pen}{left + STEP * place} {y:.1f}".removesuffix(".0") + start
        pen = "L"
    return path
