"""Draws the error by the size of the prediction."""

from __future__ import annotations

from typing import Any

from lossreport.formats import amount, number
from lossreport.render.drawing import Chart, draw, log_ticks
from lossreport.render.svg import BLUE, GREY, ORANGE
from lossreport.reports.results import Prediction

WIDE = 30.0
"""From this factor between the smallest and the largest prediction the axis is logarithmic."""


def by_level(prediction: Prediction, name: str, unit: str | None = None) -> Chart | None:
    """Draw the quantiles, the median and the mean of the errors over the predicted value."""
    found = prediction.levels
    if found is None or len(found.bins) < 2:
        return None
    bins = found.bins
    first, last = bins[0], bins[-1]
    scale = max(abs(v) for b in (first, last) for v in (b.p05, b.p95)) or None

    def within(low: float, high: float) -> str:
        return f"{number(low, scale, signed=True)} to {amount(high, unit, scale, signed=True)}"

    title = (
        f"90% of the errors are {within(first.p05, first.p95)} for the smallest predictions, "
        f"{within(last.p05, last.p95)} for the largest"
    )
    of = f", {unit}" if unit else ""
    log = first.low > 0 and last.middle > WIDE * first.middle

    def plot(ax: Any) -> None:
        at = [b.middle for b in bins]
        ax.fill_between(at, [b.p05 for b in bins], [b.p95 for b in bins],
                        color=BLUE, alpha=0.18, lw=0)  # fmt: skip
        ax.axhline(0, color=GREY, lw=0.9, ls=":")
        ax.plot(at, [b.median for b in bins], "-", color=BLUE, lw=1.8)
        ax.plot(at, [b.mean for b in bins], "D", color=ORANGE, ms=4)
        ax.set(xlabel=f"predicted{of}{' (log scale)' if log else ''}",
               ylabel=f"predicted − actual{of}")  # noqa: RUF001 # fmt: skip
        if log:
            ticks = log_ticks(at[0], at[-1])
            ax.set_xscale("log")
            ax.minorticks_off()
            ax.set_xticks(ticks, [f"{t:,g}" for t in ticks])
        ax.grid(axis="y")

    rows = "all rows" if found.whole else f"{found.rows:,} rows spread over the log"
    return Chart(
        title,
        "Error by predicted value, in bins of about equally many rows: line median, band 5% to "
        f"95% of the errors, diamonds mean. From {rows}.",
        draw(name, 2.9, title, f"Band and line over the predicted value. {title}.", plot),
        (
            f"Predicted{of}",
            "Rows",
            *(f"{x}{of}" for x in ("5% below", "Median", "Mean", "95% below")),
        ),
        tuple(
            (
                f"{number(b.low)} to {number(b.high)}",
                f"{b.rows:,}",
                *(number(v, scale, signed=True) for v in (b.p05, b.median, b.mean, b.p95)),
            )
            for b in bins
        ),
    )
