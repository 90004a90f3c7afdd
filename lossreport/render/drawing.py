"""The canvas of charts, their style and ticks; the only module that imports matplotlib.

Every chart carries its numbers as a table, for those who cannot see it.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lossreport.render.svg import GREY, GRID, INK, MUTED, clean

WIDTH = 5.3
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lossreport",
    "text.parse_math": False,  # a group called a$b$c is no formula
    "font.size": 9.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "grid.color": GRID,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
}


@dataclass(frozen=True)
class Chart:
    """A drawn chart."""

    title: str
    subtitle: str
    svg: str
    header: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]


def draw(
    name: str, height: float, title: str, description: str, plot: Callable[[Any], None]
) -> str:
    """Draw on fresh axes and return the SVG."""
    return clean(drawn(height, plot), name, title, description)


def drawn(height: float, plot: Callable[[Any], None]) -> str:
    """Return the SVG as matplotlib writes it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        canvas: Any = FigureCanvasSVG(figure)
        axes: Any = figure.add_subplot()
        plot(axes)
        _keep_ticks(axes)
        made = io.StringIO()
        with warnings.catch_warnings():
            # The text stays text: the reader's own fonts draw what matplotlib's lacks.
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            # Figure.savefig would draw everything twice.
            canvas.print_svg(made, metadata={"Date": None, "Creator": None})
    return made.getvalue()


def _keep_ticks(axes: Any) -> None:
    """Keep the ticks that the axes have before the chart is laid out.

    Else the last step of the layout may change the axes' height a little, and with it ticks from
    -5 to -7.5, whose room nobody has kept: the name of the axis is cut off.
    """
    from matplotlib.ticker import FixedLocator, MaxNLocator

    if isinstance(axes.yaxis.get_major_locator(), MaxNLocator):
        limits = axes.get_ylim()
        axes.yaxis.set_major_locator(FixedLocator(axes.get_yticks()))
        axes.set_ylim(limits)


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two, as few as will do: powers of ten, else 1, 2, 5 times."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 2, 5), (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)):
        ticks = [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]
        if len(ticks) >= 2:
            return ticks
    return []
