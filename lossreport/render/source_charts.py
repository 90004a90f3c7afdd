"""Charts of the sources of large errors: ratios with and without them, and how far errors reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lossreport.formats import amount, count, group_name, key_value, number, percent, ratio, visible
from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2, LARGEST
from lossreport.render.drawing import Chart, draw, log_ticks
from lossreport.render.labels import box_at, fraction, outline, place_beside
from lossreport.render.svg import BLUE, GREY, GRID, INK, MUTED, ORANGE
from lossreport.reports.curves import Exceedance
from lossreport.reports.results import Group, Prediction

MOST_LINES = 12
"""A grouping of no more groups is drawn whole, of a larger one ..."""
WORST_LINES = 6
"""... the groups with the most squared error."""
Line = tuple[str, Group | None]
"""A heading, or a group's name with the group."""


def with_and_without(prediction: Prediction, name: str) -> Chart | None:
    """Draw each group's ratio over all its rows, and over those outside the sources."""
    attribution = prediction.attribution
    if attribution is None or not attribution.origins:
        return None
    lines = _lines(prediction)
    groups = [g for _, g in lines if g is not None]
    if len(groups) < 2:
        return None
    names = " and ".join(group_name(o.by, o.key, 13) for o in attribution.origins)
    falls = attribution.count("affected") + attribution.count("part of the source")
    if falls:
        title = f"Without {names}, {count(falls, 'flagged group')} "
        title += f"{'falls' if falls == 1 else 'fall'} back to what chance explains"
    else:
        others = attribution.count("heavy tail")
        title = f"RMSE ÷ MAE with and without {names}"
        if others:
            title = (
                f"Without {names}, {'the other' if others == 1 else f'{others:,} other'} flagged "
                f"{'group does' if others == 1 else 'groups do'} not fall back to what chance "
                "explains"
            )

    def plot(ax: Any) -> None:
        _plot_lines(ax, lines)

    return Chart(
        title,
        f"RMSE ÷ MAE of each group. Filled: all its rows; open: without {names}; diamond: source.",
        draw(name, 0.9 + 0.22 * len(lines), title, f"Dots on one axis per group. {title}.", plot),
        ("Group", "RMSE ÷ MAE", "without the source"),
        tuple(_table_row(label, g) for label, g in _named_lines(prediction)),
    )


def _table_row(label: str, group: Group) -> tuple[str, str, str]:
    return (label, ratio(group.figures.ratio), ratio(_outside(group)))


def _outside(group: Group) -> float | None:
    """Return the group's ratio without the sources; None for a source, which has no such rows."""
    left = group.without_source
    return left.ratio if left and group.role != "source" else None


def _named_lines(prediction: Prediction) -> list[tuple[str, Group]]:
    return [
        (group_name(grouping.by, group.key), group)
        for grouping in prediction.groupings
        for group in _drawn(grouping.groups)
    ]


def _drawn(groups: Sequence[Group]) -> Sequence[Group]:
    judged = [g for g in groups if g.figures.ratio is not None]
    return judged if len(judged) <= MOST_LINES else judged[:WORST_LINES]


def _lines(prediction: Prediction) -> list[Line]:
    lines: list[Line] = []
    for grouping in prediction.groupings:
        drawn = _drawn(grouping.groups)
        cut = f", top {len(drawn)}" if len(drawn) < len(grouping.groups) else ""
        if drawn:
            lines.append((visible(", ".join(grouping.by), 20) + cut, None))
            lines += [(", ".join(key_value(k, 13) for k in g.key), g) for g in drawn]
    return lines


def _plot_lines(ax: Any, lines: Sequence[Line]) -> None:
    top = 1.6
    for at, (_, group) in enumerate(lines):
        if group is None or group.figures.ratio is None:
            continue
        all_rows, outside = group.figures.ratio, _outside(group)
        top = max(top, all_rows, outside or 0)
        source = group.role == "source"
        if outside is not None:
            ax.plot([outside, all_rows], [at, at], color=GRID, lw=2.5, zorder=1)
            ax.plot([outside], [at], "o", mfc="none", mec=BLUE, ms=5.5, mew=1.4, zorder=3)
        colour = ORANGE if source else GREY
        ax.plot([all_rows], [at], "D" if source else "o", color=colour, ms=6, zorder=2)
        if source:
            ax.annotate("source", (all_rows, at), color=ORANGE, fontsize=8.5, ha="right",
                        va="center", xytext=(-8, 0), textcoords="offset points")  # fmt: skip
    for value, label, style in (
        (GAUSSIAN_RATIO, "Gaussian 1.25", ":"),
        (HUBER_BEATS_L2, "", "--"),
    ):
        ax.axvline(value, color=MUTED, lw=0.9, ls=style, zorder=0)
        ax.annotate(label, (value, -0.9), color=MUTED, fontsize=8.5, ha="left", va="bottom",
                    xytext=(2, 0), textcoords="offset points")  # fmt: skip
    ax.set(xscale="log", xlim=(0.98, top * 1.15), ylim=(len(lines) - 0.4, -1.0),
           xlabel="RMSE ÷ MAE (log scale)")  # fmt: skip
    ticks = [t for t in (1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100, 300) if t <= top * 1.15]
    ax.minorticks_off()
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_yticks(range(len(lines)), [label for label, _ in lines])
    for tick, (_, group) in zip(ax.get_yticklabels(), lines, strict=True):
        if group is None:
            tick.set_fontweight("bold")
            tick.set_color(INK)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def exceedance(prediction: Prediction, name: str, unit: str | None = None) -> Chart | None:
    """Draw which share of a group's rows has a larger error."""
    curves = prediction.exceedance
    if not curves or all(len(c.points) < 3 for c in curves):
        return None
    title = _title_of_reach(prediction, curves, unit)
    mae, rmse = prediction.overall.mae, prediction.overall.rmse
    within = f", {unit}" if unit else ""

    def plot(ax: Any) -> None:
        # One group's errors may be far smaller than the MAE of all: its curve's end is shown too.
        end = min(c.points[-1][0] for c in curves)
        low = max(min(c.points[0][0] for c in curves), min((mae or 1) / 100, end / 10))
        high = min(1.3 * max(c.points[-1][0] for c in curves), LARGEST)
        least = min(c.points[-1][1] for c in curves)
        # The limits first: margins around data of all sizes would leave the floats' range.
        ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(least / 1.5, 1.6))
        for curve in sorted(curves, key=lambda c: c.source):
            colour = ORANGE if curve.source else BLUE if len(curves) == 1 else GREY
            ax.plot(*zip(*curve.points, strict=True), color=colour, lw=2 if curve.source else 1.2)
        for value, label, colour, side in (
            (mae, "MAE", BLUE, "right"),
            (rmse, "RMSE", INK, "left"),
        ):
            if value:
                ax.axvline(value, color=colour, lw=0.9, ls=":")
                ax.annotate(label, (value, 1.0), color=colour, fontsize=8.5, ha=side,
                            xytext=(-2 if side == "right" else 2, 2),
                            textcoords="offset points")  # fmt: skip
        _name_curves(ax, curves, (low, high, least / 1.5, 1.6), [mae or low, rmse or low])
        ax.set(xlabel=f"|error|{within} (log scale)", ylabel="rows with a larger error")
        ax.minorticks_off()
        across, up = log_ticks(low, high), log_ticks(least / 1.5, 1.0)
        ax.set_xticks(across, [f"{t:,g}" for t in across])
        ax.set_yticks(up, [f"{100 * t:g}%" for t in up])
        ax.grid(axis="y")

    return Chart(
        title,
        "Share of the rows with an |error| above the value on the axis, both on log scales.",
        draw(name, 2.9, title, f"Falling curves, one per group. {title}.", plot),
        ("Group", f"|error|{within}", "Rows with a larger one"),
        tuple(
            (group_name(c.by, c.key) if c.by else "all rows", number(e, mae), percent(s))
            for c in curves[:3]
            for e, s in c.points[:: max(1, len(c.points) // 6)]
        ),
    )


def _title_of_reach(prediction: Prediction, curves: Sequence[Exceedance], unit: str | None) -> str:
    """Return what the curves show, true whatever they are."""
    scale = prediction.overall.mae
    one_percent = prediction.overall.p99_abs_error
    sources = [c for c in curves if c.source]
    if len(sources) == 1:
        reach = _reach_of_others(prediction, sources[0])
        if reach is not None and sources[0].points[-1][0] > reach:
            who = ", ".join(key_value(k, 13) for k in sources[0].key)
            return f"Beyond an error of {amount(reach, unit, scale)}, only {who} goes on"
    if one_percent is None:
        return "How many rows have a larger error, by its size"
    return f"1% of the rows have an error beyond {amount(one_percent, unit, scale)}"


def _reach_of_others(prediction: Prediction, source: Exceedance) -> float | None:
    """Return the largest |error| of the source's grouping outside it; None if it is not known."""
    (grouping,) = (g for g in prediction.groupings if g.by == source.by)
    others = [g.figures for g in grouping.groups if g.key != source.key]
    others += [] if grouping.rest_figures is None else [grouping.rest_figures]
    largest = [f.max_abs_error for f in others if f.n]
    known = [x for x in largest if x is not None]
    return max(known) if known and len(known) == len(largest) else None


def _name_curves(
    ax: Any,
    curves: Sequence[Exceedance],
    limits: tuple[float, float, float, float],
    upright: Sequence[float],
) -> None:
    """Name the sources, and the other groups together, beside their curves."""
    low, high, least, most = limits

    def drawn(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [
            (fraction(e, low, high, log=True), fraction(s, least, most, log=True))
            for e, s in points
            if e >= low
        ]

    every = [(c, drawn(c.points)) for c in curves]
    lines = [drawn([(v, least), (v, most)]) for v in upright]
    sources = [(c, points) for c, points in every if c.source]
    others = [points for c, points in every if not c.source]
    for curve, own in sources:
        label = ", ".join(key_value(k, 13) for k in curve.key)
        rest = [points for c, points in every if c is not curve]
        at = place_beside(label, own[len(own) // 2 :], [*rest, *lines], 9.5)
        ax.annotate(label, at, color=ORANGE, xycoords="axes fraction")
        lines.append(outline(box_at(label, at, 9.5)))
    if sources and others:
        nearest = min(others, key=lambda points: points[-1][0])
        rest = [points for points in (p for _, p in every) if points is not nearest]
        at = place_beside("others", nearest[len(nearest) // 2 :], [*rest, *lines], 9.5)
        ax.annotate("others", at, color=MUTED, xycoords="axes fraction")
