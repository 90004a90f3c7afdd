"""Draws parts of a report as SVG; the only module that imports matplotlib.

Every title is computed and must be true by construction, and every chart carries its numbers as a
table, for those who cannot see it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lossreport.formats import count, group_name, number, percent, ratio
from lossreport.losses import GAUSSIAN_RATIO, LAPLACE_RATIO
from lossreport.render.svg import BACKGROUND, BLUE, GREY, GRID, INK, MUTED, ORANGE, clean
from lossreport.reports.figures import WorstShare, funnel
from lossreport.reports.results import Group, Prediction

WIDTH = 5.3
MAX_DOTS = 400
MAX_LABELS = 3
MAX_TABLE_ROWS = 40
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


def _draw(
    name: str, height: float, title: str, description: str, plot: Callable[[Any], None]
) -> str:
    """Draw on fresh axes and return the SVG."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        plot(figure.add_subplot())
        made = io.StringIO()
        figure.savefig(made, format="svg", metadata={"Date": None, "Creator": None})
    return clean(made.getvalue(), name, title, description)


def worst_rows(prediction: Prediction, name: str) -> Chart | None:
    """Draw which share of each loss the worst rows hold."""
    points = prediction.lorenz
    if prediction.overall.n < 3 or not points:
        return None
    few = prediction.concentration
    if few:
        marked = WorstShare(few.share_of_rows, few.share_of_abs_error, few.share_of_sq_error)
        who = f"{count(few.rows, 'row')} {'makes' if few.rows == 1 else 'make'}"
    else:
        one = [s for s in prediction.overall.worst_shares if s.rows == 0.01]
        marked = one[0] if one else points[0]
        who = "The worst 1% of the rows make" if one else "The worst row makes"
    title = f"{who} {percent(marked.sq_error)} of L2 and {percent(marked.abs_error)} of L1"

    def plot(ax: Any) -> None:
        x = [100 * p.rows for p in points]
        ax.plot(x, [100 * p.sq_error for p in points], color=ORANGE, lw=2)
        ax.plot(x, [100 * p.abs_error for p in points], color=BLUE, lw=2)
        at = 100 * marked.rows
        ax.plot([at], [100 * marked.sq_error], "D", color=ORANGE, ms=6)
        ax.plot([at], [100 * marked.abs_error], "o", color=BLUE, ms=6)
        for half, label, colour, way, side in (
            (
                min(points, key=lambda p: abs(p.sq_error - 0.6)),
                "squared error (L2)",
                ORANGE,
                8,
                "sq_error",
            ),
            (
                min(points, key=lambda p: abs(p.abs_error - 0.4)),
                "absolute error (L1)",
                BLUE,
                -16,
                "abs_error",
            ),
        ):
            where = (100 * half.rows, 100 * getattr(half, side))
            left = half.rows > points[0].rows ** 0.5
            ax.annotate(label, where, color=colour, xytext=(-8 if left else 8, way),
                        textcoords="offset points", ha="right" if left else "left")  # fmt: skip
        ax.set(xscale="log", ylim=(0, 104), xlabel="worst rows, share of all rows (log scale)",
               ylabel="share of the loss")  # fmt: skip
        ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}%")
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
        ax.minorticks_off()
        ax.grid(axis="y")

    chosen = sorted(
        {*points[:: max(1, len(points) // 10)], marked, points[-1]}, key=lambda p: p.rows
    )
    return Chart(
        title,
        "Rows ordered from the worst; how much of each loss they hold.",
        _draw(name, 2.9, title, f"Two rising curves. {title}.", plot),
        ("Worst rows", "of squared error", "of absolute error"),
        tuple((percent(p.rows), percent(p.sq_error), percent(p.abs_error)) for p in chosen),
    )


def ratio_by_group(prediction: Prediction, name: str) -> Chart | None:
    """Draw the ratio of each group against its rows, over the funnel of Gaussian errors."""
    every = [
        (g.by, x)
        for g in prediction.groupings
        for x in g.groups
        if x.figures.n > 1 and x.figures.ratio is not None
    ]
    if len(every) < 2:
        return None
    flagged = [e for e in every if e[1].flagged]
    shown = sorted(every, key=lambda e: (not e[1].flagged, -(e[1].share_of_sq_error or 0)))[
        :MAX_DOTS
    ]
    scored = sum(x.figures.n > 0 for g in prediction.groupings for x in g.groups)
    if flagged:
        lie = "lies" if len(flagged) == 1 else "lie"
        title = f"{len(flagged):,} of {count(scored, 'group')} {lie} above what chance explains"
    else:
        title = f"None of {count(scored, 'group')} lies above what chance explains"
    subtitle = (
        "RMSE ÷ MAE of each group against its number of rows; grey: 95% of groups with Gaussian "
        "errors. Orange diamonds: outlier-driven, corrected for the number of groups."
    )
    if len(shown) < len(every):
        subtitle += f" The {MAX_DOTS} groups with the most squared error are drawn."

    def plot(ax: Any) -> None:
        _plot_funnel(ax, shown)

    return Chart(
        title,
        subtitle,
        _draw(name, 3.1, title, f"Scatter of groups on logarithmic axes. {title}.", plot),
        ("Group", "Rows", "RMSE ÷ MAE", "Outlier-driven"),
        tuple(
            (
                group_name(by, x.key),
                f"{x.figures.n:,}",
                ratio(_shown_ratio(x)),
                "yes" if x.flagged else "no",
            )
            for by, x in shown[:MAX_TABLE_ROWS]
        ),
    )


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two, as few as will do: powers of ten, else 1, 2, 5 times."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 2, 5), (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)):
        ticks = [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]
        if len(ticks) >= 2:
            return ticks
    return []


def _shown_ratio(group: Group) -> float:
    """Return the centred ratio, which the flag judges, or the plain one where there is no other."""
    value = group.figures.centred_ratio or group.figures.ratio
    assert value is not None
    return value


def _plot_funnel(ax: Any, shown: list[tuple[tuple[str, ...], Group]]) -> None:
    rows = [x.figures.n for _, x in shown]
    low, high = max(2.0, min(rows) / 1.6), max(rows) * 1.6
    steps = [low * (high / low) ** (i / 40) for i in range(41)]
    band = [funnel(n) for n in steps]
    ax.fill_between(steps, [max(1.0, b[0]) for b in band], [b[1] for b in band], color=GRID, lw=0)
    for value, label in ((GAUSSIAN_RATIO, "1.25 Gaussian"), (LAPLACE_RATIO, "1.41 Laplace")):
        ax.axhline(value, color=GREY, lw=0.9, ls=":")
        ax.annotate(label, (high, value), color=MUTED, fontsize=8.5, ha="right",
                    xytext=(0, 2), textcoords="offset points")  # fmt: skip
    for is_flagged, marker, colour in ((False, "o", BLUE), (True, "D", ORANGE)):
        dots = [(x.figures.n, _shown_ratio(x)) for _, x in shown if x.flagged is is_flagged]
        if dots:
            ax.plot(*zip(*dots, strict=True), marker, color=colour, ms=5, mec=BACKGROUND, mew=0.5)
    top = max(_shown_ratio(x) for _, x in shown)
    worst = sorted((e for e in shown if e[1].flagged), key=lambda e: -(e[1].share_of_sq_error or 0))
    middle = (low * high) ** 0.5
    labelled: list[float] = []
    for by, x in worst:
        height = math.log(_shown_ratio(x)) / math.log(max(1.6, top * 1.12))
        if len(labelled) == MAX_LABELS or any(abs(height - h) < 0.07 for h in labelled):
            continue  # it would stand on another label
        labelled.append(height)
        left = x.figures.n > middle
        ax.annotate(group_name(by, x.key, 13), (x.figures.n, _shown_ratio(x)), fontsize=8.5,
                    xytext=(-7 if left else 7, -3), textcoords="offset points",
                    ha="right" if left else "left")  # fmt: skip
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(0.97, max(1.6, top * 1.12)),
           xlabel="rows in the group (log scale)", ylabel="RMSE ÷ MAE")  # fmt: skip
    ticks = [
        t for t in (1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100, 300, 1000) if t <= max(1.6, top * 1.12)
    ]
    ax.minorticks_off()
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    across = _log_ticks(low, high) or sorted({min(rows), max(rows)})
    ax.set_xticks(across, [f"{t:,.0f}" for t in across])


def dial(prediction: Prediction, name: str) -> Chart | None:
    """Draw how much of the rows each loss makes use of, from L1 over Huber to L2."""
    points = prediction.recommendation.advice.dial
    if not points:
        return None
    best = max(points, key=lambda p: p.value)
    l2 = next(p for p in points if p.loss == "L2")
    if best.loss == "L2":
        title = "L2 makes the best use of the rows"
    else:
        called = "L1" if best.loss == "L1" else f"Huber with delta near {number(best.delta)}"
        title = f"{called} makes the best use of the rows; L2 uses {percent(l2.value)} of them"
    labels = [p.loss if p.delta is None else number(p.delta) for p in points]

    def plot(ax: Any) -> None:
        at = range(len(points))
        value = [100 * p.value for p in points]
        ax.fill_between(at, [100 * p.low for p in points], [100 * p.high for p in points],
                        color=BLUE, alpha=0.18, lw=0)  # fmt: skip
        ax.plot(at, value, "-o", color=BLUE, lw=1.8, ms=4.5)
        ax.plot([points.index(best)], [100 * best.value], "D", color=ORANGE, ms=7)
        ax.axhline(95, color=GREY, lw=0.9, ls=":")
        ax.annotate("95%: as good as the best", (0, 95), color=MUTED, fontsize=8.5,
                    xytext=(-8, -11), textcoords="offset points")  # fmt: skip
        ax.set(ylim=(0, 106), ylabel="rows made use of",
               xlabel="L1, Huber by its delta in the target's unit, L2")  # fmt: skip
        ax.set_xticks(at, labels, rotation=45, ha="right", rotation_mode="anchor")
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
        ax.grid(axis="y")

    return Chart(
        title,
        "Efficiency of each loss against the best of them, with its 90% band.",
        _draw(name, 2.9, title, f"Line over thirteen losses from L1 to L2. {title}.", plot),
        ("Loss", "Rows made use of", "90% band"),
        tuple(
            (
                p.loss if p.delta is None else f"Huber, delta {number(p.delta)}",
                percent(p.value),
                f"{percent(p.low)} to {percent(p.high)}",
            )
            for p in points
        ),
    )


def over_time(prediction: Prediction, name: str) -> Chart | None:
    """Draw MAE and RMSE over time."""
    points = [p for p in prediction.timeline if p.figures.rmse is not None]
    if len(points) < 3 or prediction.time_step is None:
        return None
    mae = [p.figures.mae or 0.0 for p in points]
    rmse = [p.figures.rmse or 0.0 for p in points]
    scale = max(mae)
    title = (
        f"RMSE runs from {number(min(rmse), scale)} to {number(max(rmse), scale)}, "
        f"MAE from {number(min(mae), scale)} to {number(max(mae), scale)}"
    )
    log = any(mae) and max(rmse) > 10 * min(v for v in mae if v > 0)

    def plot(ax: Any) -> None:
        at = range(len(points))
        ax.plot(at, rmse, color=ORANGE, lw=1.6)
        ax.plot(at, mae, color=BLUE, lw=1.6)
        for values, label, colour, way in ((rmse, "RMSE", ORANGE, 2), (mae, "MAE", BLUE, -9)):
            ax.annotate(label, (len(points) - 1, values[-1]), color=colour, ha="left",
                        xytext=(5, way), textcoords="offset points")  # fmt: skip
        ax.set_xlim(-0.02 * len(points), 1.1 * len(points))
        chosen = sorted({round(i * (len(points) - 1) / 4) for i in range(5)})
        ax.set_xticks(chosen, [_short(points[i].start, prediction.time_step) for i in chosen])
        ax.set(ylabel=f"error by {prediction.time_step}")
        if log:
            low, high = min(v for v in mae if v > 0) / 1.25, max(rmse) * 1.25
            ax.set(yscale="log", ylim=(low, high))
            decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            ticks = [t for d in decades for m in (1, 2, 5) if low <= (t := m * 10.0**d) <= high]
            ax.minorticks_off()
            ticks = ticks[:: math.ceil(len(ticks) / 7)]
            ax.set_yticks(ticks, [f"{t:,g}" for t in ticks])
        else:
            ax.set_ylim(0, max(rmse) * 1.15 or 1)
        ax.grid(axis="y")

    return Chart(
        title,
        f"Each {prediction.time_step}'s error{', logarithmic scale' if log else ''}.",
        _draw(name, 2.7, title, f"Two lines over time. {title}.", plot),
        (prediction.time_step.capitalize(), "Rows", "MAE", "RMSE"),
        tuple(
            (
                p.start,
                f"{p.figures.n:,}",
                number(p.figures.mae, scale),
                number(p.figures.rmse, scale),
            )
            for p in points
        ),
    )


def _short(start: str, step: str | None) -> str:
    """Return a time as short as its step allows."""
    return start[5:] if step == "hour" else start[2:]
