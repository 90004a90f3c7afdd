"""Charts of how the loss spreads over rows, groups and time.

Every title is computed and must be true by construction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lossreport.formats import count, group_name, number, percent, ratio
from lossreport.losses import GAUSSIAN_RATIO, LAPLACE_RATIO
from lossreport.render.drawing import Chart, draw, log_ticks
from lossreport.render.labels import (
    HEIGHT,
    Box,
    Point,
    box_at,
    fraction,
    is_free,
    outline,
    place_beside,
)
from lossreport.render.svg import BACKGROUND, BLUE, GREY, GRID, INK, MUTED, ORANGE
from lossreport.reports.figures import WorstShare, funnel
from lossreport.reports.level_words import moves
from lossreport.reports.results import Group, Prediction

MAX_DOTS = 400
MAX_LABELS = 3
RATIO_LINES = ((GAUSSIAN_RATIO, "1.25 Gaussian", -10), (LAPLACE_RATIO, "1.41 Laplace", 2))
"""Ratios with a line, its name, and by how many points the name stands above it."""
MAX_TABLE_ROWS = 15
STEADY = 1.2
"""Figures within this factor of each other are steady."""


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
        rows = round(marked.rows * prediction.overall.n)
        worst = "The worst row makes" if rows == 1 else f"The worst {count(rows, 'row')} make"
        who = "The worst 1% of the rows make" if one else worst
    title = f"{who} {percent(marked.sq_error)} of L2 and {percent(marked.abs_error)} of L1"

    def plot(ax: Any) -> None:
        x = [100 * p.rows for p in points]
        ax.plot(x, [100 * p.sq_error for p in points], color=ORANGE, lw=2)
        ax.plot(x, [100 * p.abs_error for p in points], color=BLUE, lw=2)
        at = 100 * marked.rows
        ax.plot([at], [100 * marked.sq_error], "D", color=ORANGE, ms=6)
        ax.plot([at], [100 * marked.abs_error], "o", color=BLUE, ms=6)
        low, high = 80 * points[0].rows, 125.0
        across = [fraction(100 * p.rows, low, high, log=True) for p in points]
        squared = list(zip(across, [p.sq_error / 1.04 for p in points], strict=True))
        absolute = list(zip(across, [p.abs_error / 1.04 for p in points], strict=True))
        lines: list[list[Point]] = []
        for label, colour, own, other in (
            ("squared error (L2)", ORANGE, squared, absolute),
            ("absolute error (L1)", BLUE, absolute, squared),
        ):
            place = place_beside(label, own, [other, *lines], 9.5)
            ax.annotate(label, place, color=colour, xycoords="axes fraction")
            lines.append(outline(box_at(label, place, 9.5)))
        ax.set(xscale="log", xlim=(low, high), ylim=(0, 104), ylabel="share of the loss",
               xlabel="worst rows, share of all rows (log scale)")  # fmt: skip
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
        draw(name, 2.9, title, f"Two rising curves. {title}.", plot),
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
    elif all(x.too_few_rows for _, x in every):
        title = f"Too few rows to judge any of {count(scored, 'group')}"
    else:
        title = f"None of {count(scored, 'group')} lies above what chance explains"
    subtitle = (
        "RMSE ÷ MAE of each group against its number of rows; grey: 95% of groups with Gaussian "
        "errors."
    )
    if flagged:
        subtitle += " Orange diamonds: outlier-driven, corrected for the number of groups."
    if len(shown) < len(every):
        subtitle += f" The {MAX_DOTS} groups with the most squared error are drawn."

    def plot(ax: Any) -> None:
        _plot_funnel(ax, shown)

    return Chart(
        title,
        subtitle,
        draw(name, 3.1, title, f"Scatter of groups on logarithmic axes. {title}.", plot),
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


def _shown_ratio(group: Group) -> float:
    """Return the centred ratio, which the flag judges, or the plain one where there is no other."""
    value = group.figures.centred_ratio or group.figures.ratio
    assert value is not None
    return value


def _plot_funnel(ax: Any, shown: list[tuple[tuple[str, ...], Group]]) -> None:
    rows = [x.figures.n for _, x in shown]
    # Right of the last dot there is room for the names of the lines.
    low = max(2.0, min(rows) / 1.6)
    high = max(rows) * max(1.6, (max(rows) / low) ** 0.3)
    steps = [low * (high / low) ** (i / 40) for i in range(41)]
    band = [funnel(n) for n in steps]
    ax.fill_between(steps, [max(1.0, b[0]) for b in band], [b[1] for b in band], color=GRID, lw=0)
    for value, label, way in RATIO_LINES:
        ax.axhline(value, color=GREY, lw=0.9, ls=":")
        ax.annotate(label, (high, value), color=MUTED, fontsize=8.5, ha="right",
                    xytext=(0, way), textcoords="offset points")  # fmt: skip
    for is_flagged, marker, colour in ((False, "o", BLUE), (True, "D", ORANGE)):
        dots = [(x.figures.n, _shown_ratio(x)) for _, x in shown if x.flagged is is_flagged]
        if dots:
            ax.plot(*zip(*dots, strict=True), marker, color=colour, ms=5, mec=BACKGROUND, mew=0.5)
    top = max(1.6, 1.12 * max(_shown_ratio(x) for _, x in shown))
    _name_worst(ax, shown, (low, high), top)
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(0.97, top),
           xlabel="rows in the group (log scale)", ylabel="RMSE ÷ MAE")  # fmt: skip
    ticks = [t for t in (1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100, 300, 1000) if t <= top]
    ax.minorticks_off()
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    across = log_ticks(low, high) or sorted({min(rows), max(rows)})
    ax.set_xticks(across, [f"{t:,.0f}" for t in across])


def _name_worst(
    ax: Any, shown: list[tuple[tuple[str, ...], Group]], ends: tuple[float, float], top: float
) -> None:
    """Name the flagged groups with the most squared error, where a name hides nothing."""
    places = [
        (fraction(x.figures.n, *ends, log=True), fraction(_shown_ratio(x), 0.97, top, log=True))
        for _, x in shown
    ]
    lines = [(t, fraction(v, 0.97, top, log=True) + way / HEIGHT) for v, t, way in RATIO_LINES]
    taken: list[Box] = [box_at(label, (1.0, up), 8.5, "right") for label, up in lines]
    for (by, x), (across, up) in sorted(
        zip(shown, places, strict=True), key=lambda e: -(e[0][1].share_of_sq_error or 0)
    ):
        if not x.flagged or len(taken) == len(lines) + MAX_LABELS:
            continue
        name = group_name(by, x.key, 13)
        others = [p for p in places if p != (across, up)]
        for start, side in ((across + 0.022, "left"), (across - 0.022, "right")):
            box = box_at(name, (start, up - 0.02), 8.5, side)
            if is_free(box, others, taken):
                ax.annotate(name, (start, up - 0.02), xycoords="axes fraction", fontsize=8.5,
                            ha=side)  # fmt: skip
                taken.append(box)
                break


def over_time(prediction: Prediction, name: str, unit: str | None = None) -> Chart | None:
    """Draw MAE and RMSE over time, and the mean error where it moves."""
    points = [p for p in prediction.timeline if p.figures.rmse is not None]
    if len(points) < 3 or prediction.time_step is None:
        return None
    mae = [p.figures.mae or 0.0 for p in points]
    rmse = [p.figures.rmse or 0.0 for p in points]
    scale = max(mae)
    drift = prediction.recommendation.advice.drift
    drift = None if drift and drift.places else drift  # steps of weeks hide it
    bias = [p.figures.bias or 0.0 for p in points] if drift else []
    title = _title_over_time(mae, rmse, prediction.time_step)
    if drift:
        title = f"The mean error moves {moves(drift, unit)}"
    log = not drift and any(mae) and max(rmse) > 10 * min(v for v in mae if v > 0)

    def plot(ax: Any) -> None:
        at = range(len(points))
        ax.plot(at, rmse, color=ORANGE, lw=1.6)
        ax.plot(at, mae, color=BLUE, lw=1.6)
        named = [(rmse, "RMSE", ORANGE, 2), (mae, "MAE", BLUE, -9)]
        if bias:
            ax.axhline(0, color=GREY, lw=1)
            ax.plot(at, bias, color=INK, lw=1.6, ls="--")
            named.append((bias, "mean", INK, 2 if bias[-1] < 0 else -19))
        for values, label, colour, way in named:
            ax.annotate(label, (len(points) - 1, values[-1]), color=colour, ha="left",
                        xytext=(5, way), textcoords="offset points")  # fmt: skip
        ax.set_xlim(-0.02 * len(points), 1.1 * len(points))
        chosen = sorted({round(i * (len(points) - 1) / 4) for i in range(5)})
        ax.set_xticks(chosen, [_short(points[i].start, prediction.time_step) for i in chosen])
        ax.set(ylabel=f"error by {prediction.time_step}{_in(unit)}")
        if log:
            low, high = min(v for v in mae if v > 0) / 1.25, max(rmse) * 1.25
            ax.set(yscale="log", ylim=(low, high))
            decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            ticks = [t for d in decades for m in (1, 2, 5) if low <= (t := m * 10.0**d) <= high]
            ax.minorticks_off()
            ticks = ticks[:: math.ceil(len(ticks) / 7)]
            ax.set_yticks(ticks, [f"{t:,g}" for t in ticks])
        else:
            ax.set_ylim(1.15 * min(0, *bias, 0), max(rmse) * 1.15 or 1)
        ax.grid(axis="y")

    return Chart(
        title,
        f"{_each(prediction.time_step)}{', logarithmic scale' if log else ''}"
        f"{'; dashed: the mean error' if drift else ''}.",
        draw(name, 2.7, title, f"{'Three' if drift else 'Two'} lines over time. {title}.", plot),
        (
            prediction.time_step.capitalize(),
            "Rows",
            f"MAE{_in(unit)}",
            f"RMSE{_in(unit)}",
            *([f"Mean error{_in(unit)}"] if drift else []),
        ),
        tuple(
            (
                p.start,
                f"{p.figures.n:,}",
                number(p.figures.mae, scale),
                number(p.figures.rmse, scale),
                *([number(p.figures.bias, scale, signed=True)] if drift else []),
            )
            for p in points
        ),
    )


def _each(step: str) -> str:
    return f"The error of every {step}" if step[0].isdigit() else f"Each {step}'s error"


def _title_over_time(mae: Sequence[float], rmse: Sequence[float], step: str) -> str:
    several = step[0].isdigit()  # "11 weeks"
    many = f"periods of {step}" if several else f"{step}s"
    if not min(mae) or not min(rmse):
        one = step if several else f"one {step}"
        return f"The MAE of {one} goes up to {number(max(mae))}, the RMSE to {number(max(rmse))}"
    swings = [max(v) / min(v) for v in (rmse, mae)]
    if max(swings) < STEADY:
        return f"RMSE and MAE differ by less than {STEADY - 1:.0%} between {many}"
    said = [f"{s:.1f}" if s < 10 else f"{s:,.0f}" for s in swings]
    return f"RMSE differs {said[0]}-fold between {many}, MAE {said[1]}-fold"


def _in(unit: str | None) -> str:
    return f", {unit}" if unit else ""


def _short(start: str, step: str | None) -> str:
    """Return a time as short as its step allows."""
    return start[5:] if step == "hour" else start[2:]
