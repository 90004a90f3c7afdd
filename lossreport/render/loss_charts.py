"""Charts of which loss suits the errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lossreport.advice.advice import Advice, Efficiency
from lossreport.formats import amount, group_name, number, percent, ratio, visible
from lossreport.losses import GAUSSIAN_RATIO, MAD_TO_SIGMA
from lossreport.render.drawing import Chart, draw
from lossreport.render.labels import Point, box_at, first_free, fraction, outline, place_beside
from lossreport.render.svg import BACKGROUND, BLUE, GREY, INK, MUTED, ORANGE
from lossreport.reports.results import Prediction

MOST_DOTS = 400
MOST_ROWS = 15
MOST_BARS = 6


def dial(prediction: Prediction, name: str, unit: str | None = None) -> Chart | None:
    """Draw how much of the rows each loss makes use of, from L1 over Huber to L2."""
    points = prediction.recommendation.advice.dial
    if not points:
        return None
    best = max(points, key=lambda p: p.value)
    marked = _advised(prediction.recommendation.advice) or best
    title = _title_of_dial(marked, best, next(p for p in points if p.loss == "L2"), unit)
    labels = [p.loss if p.delta is None else number(p.delta) for p in points]
    within = unit or "the target's unit"

    def plot(ax: Any) -> None:
        at = range(len(points))
        value = [100 * p.value for p in points]
        ax.fill_between(at, [100 * p.low for p in points], [100 * p.high for p in points],
                        color=BLUE, alpha=0.18, lw=0)  # fmt: skip
        ax.plot(at, value, "-o", color=BLUE, lw=1.8, ms=4.5)
        ax.plot([points.index(marked)], [100 * marked.value], "D", color=ORANGE, ms=7)
        ax.axhline(95, color=GREY, lw=0.9, ls=":")
        said = "95%: as good as the best"
        ax.annotate(said, _beside_line(points, said), color=MUTED, fontsize=8.5,
                    xycoords="axes fraction")  # fmt: skip
        ax.set(ylim=(0, DIAL_TOP), ylabel="rows made use of",
               xlabel=f"L1, Huber by its delta in {within}, L2")  # fmt: skip
        ax.set_xticks(at, labels, rotation=45, ha="right", rotation_mode="anchor")
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:.0f}%")
        ax.grid(axis="y")

    return Chart(
        title,
        "Efficiency of each loss against the best of them, with its 90% band; diamond: "
        f"{'the best' if marked is best else 'what is recommended'}.",
        draw(name, 2.9, title, f"Line over thirteen losses from L1 to L2. {title}.", plot),
        ("Loss", "Rows made use of", "90% band"),
        tuple(
            (
                p.loss if p.delta is None else f"Huber, delta {amount(p.delta, unit)}",
                percent(p.value),
                f"{percent(p.low)} to {percent(p.high)}",
            )
            for p in points
        ),
    )


DIAL_TOP = 106
"""The dial's axis ends here, in percent."""


def _beside_line(points: Sequence[Efficiency], said: str) -> Point:
    """Return a place for what the 95 % line means, next to it where the band leaves room."""
    last = len(points) - 1
    band = []
    for i in range(4 * last + 1):
        before, part = points[i // 4], i % 4 / 4
        after = points[min(i // 4 + 1, last)]
        low, high = (
            (1 - part) * of_before + part * of_after
            for of_before, of_after in ((before.low, after.low), (before.high, after.high))
        )
        x = (0.05 + i / 4 / last) / 1.1  # matplotlib leaves 5 % of the width on both sides
        band += [(x, 100 * (low + k / 20 * (high - low)) / DIAL_TOP) for k in range(21)]
    line = 95 / DIAL_TOP
    lower = [line - 0.12 - 0.1 * k for k in range(8)]
    return first_free(said, (line + 0.01, *lower), band, 8.5) or (0.02, 0.02)


def _advised(advice: Advice) -> Efficiency | None:
    """Return the point of the loss that is recommended, if it is one of them."""
    for point in advice.dial:
        if point.loss == advice.loss and (
            point.delta is None
            or (advice.delta is not None and math.isclose(point.delta, advice.delta, rel_tol=1e-6))
        ):
            return point
    return None


def _title_of_dial(marked: Efficiency, best: Efficiency, l2: Efficiency, unit: str | None) -> str:
    called = (
        marked.loss if marked.delta is None else f"Huber with delta = {amount(marked.delta, unit)}"
    )
    if marked is best:
        title = f"{called} makes the best use of the rows"
        return title if marked is l2 else f"{title}; L2 uses {percent(l2.value)} of them"
    title = f"{called} makes {percent(marked.value)} of the best use of the rows"
    return title if marked is l2 else f"{title}; L2 makes {percent(l2.value)}"


LAWS = (
    ("Gauss", 0.955, 1.49),
    ("Laplace", 1.40, 0.70),
    ("t3", 1.89, 1.17),
    ("1% x10", 1.84, 1.48),
)
"""Rows that L2 and L1 need, times those of Huber, for known laws (computed by quadrature)."""
LIMITS = (0.2, 20.0)
"""The map ends here; what lies beyond is drawn at its edge."""


def loss_map(prediction: Prediction, name: str) -> Chart | None:
    """Draw where each group lies: how many rows L2 and L1 need, times those of Huber."""
    dots = [
        (group_name(grouping.by, g.key), g.figures.n, *found)
        for grouping in prediction.groupings
        for g in grouping.groups
        if (found := _needs(g.recommendation.advice))
    ][:MOST_DOTS]
    whole = _needs(prediction.recommendation.advice)
    if whole is None or len(dots) < 2:
        return None
    suits = [_region(x, y) for _, _, x, y in dots]
    each = [(loss, suits.count(loss)) for loss in ("L2", "Huber", "L1") if loss in suits]
    if len(each) == 1:
        title = f"{'Both' if len(dots) == 2 else f'All {len(dots):,}'} groups suit {each[0][0]}"
    else:
        title = "Groups differ: " + ", ".join(
            f"{n:,} {'suits' if n == 1 else 'suit'} {loss}" for loss, n in each
        )

    far = any(max(needs) > LIMITS[1] for needs in [whole, *((x, y) for *_, x, y in dots)])
    beyond = f" What needs more than {LIMITS[1]:.0f} times is drawn at the edge." if far else ""

    def plot(ax: Any) -> None:
        _plot_map(ax, dots, whole)

    return Chart(
        title,
        "Rows that L2 (across) and L1 (up) need, times those that Huber needs. One dot per group, "
        f"larger with more rows; diamond: the whole log; crosses: known laws.{beyond}",
        draw(name, 3.3, title, f"Map of three regions: L2, Huber, L1. {title}.", plot),
        ("Group", "L2 ÷ Huber", "L1 ÷ Huber", "Suits"),
        tuple(
            (label, f"{x:.2f}", f"{y:.2f}", _region(x, y)) for label, _, x, y in dots[:MOST_ROWS]
        ),
    )


def _needs(advice: Advice) -> tuple[float, float] | None:
    """Return the rows that L2 and L1 need, times those of Huber."""
    needed = dict(advice.rows_needed)
    if not needed or not needed["Huber"] > 0:
        return None
    across, up = needed["L2"] / needed["Huber"], needed["L1"] / needed["Huber"]
    return (across, up) if across > 0 and up > 0 else None


def _region(across: float, up: float) -> str:
    if min(across, up) >= 1:
        return "Huber"
    return "L2" if across <= up else "L1"


def _plot_map(
    ax: Any, dots: Sequence[tuple[str, int, float, float]], whole: tuple[float, float]
) -> None:
    def inside(value: float) -> float:
        return min(max(value, LIMITS[0]), LIMITS[1])

    values = [inside(v) for v in (*whole, *(v for dot in dots for v in dot[2:]))]
    low, high = min(0.5, *values) / 1.15, max(2.5, *values) * 1.15
    ax.plot([1, 1], [1, high], color=GREY, lw=1)
    ax.plot([1, high], [1, 1], color=GREY, lw=1)
    ax.plot([low, 1], [low, 1], color=GREY, lw=1)
    for label, x, y in (("L2", low * 1.1, high / 1.15), ("Huber", high / 1.1, high / 1.15),
                        ("L1", high / 1.1, low * 1.1)):  # fmt: skip
        ax.annotate(label, (x, y), color=MUTED, fontsize=12,
                    ha="left" if label == "L2" else "right",
                    va="bottom" if label == "L1" else "top")  # fmt: skip
    most = max(n for _, n, _, _ in dots)
    for size, low_share, high_share in ((4, 0, 0.1), (6.5, 0.1, 0.4), (9, 0.4, 1)):
        places = [
            (inside(x), inside(y)) for _, n, x, y in dots if low_share < n / most <= high_share
        ]
        if places:
            ax.plot(*zip(*places, strict=True), "o", color=BLUE, alpha=0.55, mew=0, ms=size)
    for label, x, y in LAWS:
        ax.plot([x], [y], "+", color=INK, ms=6)
        ax.annotate(label, (x, y), color=MUTED, fontsize=8, xytext=(4, 3),
                    textcoords="offset points")  # fmt: skip
    ax.plot([inside(whole[0])], [inside(whole[1])], "D", color=ORANGE, ms=7)
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high),
           xlabel="rows L2 needs ÷ rows Huber needs", ylabel="rows L1 needs ÷ Huber")  # fmt: skip
    ticks = [t for t in (0.2, 0.5, 1, 2, 5, 10, 20) if low <= t <= high]
    ax.minorticks_off()
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])


def inside_between(prediction: Prediction, name: str) -> Chart | None:
    """Draw each grouping's share in the ratio: inside its groups times between them."""
    parts = [
        (visible(", ".join(g.by), 20), g.decomposition)
        for g in prediction.groupings
        if g.decomposition
    ][:MOST_BARS]
    if not parts:
        return None
    label, most = max(parts, key=lambda p: p[1].between)
    if most.between < 1.03:
        title = "Groups differ little in error size: the ratio is made inside them"
    else:
        title = f"Between groups of {label} the ratio grows {most.between:.2f} times"

    def plot(ax: Any) -> None:
        gauss = math.log(GAUSSIAN_RATIO)
        for at, (_, d) in enumerate(parts):
            middle, end = math.log(d.inside), math.log(d.ratio)
            ax.barh([at], [middle], color=BLUE, height=0.5)
            ax.barh([at], [end - middle], left=[middle], color=ORANGE, height=0.5)
            ax.annotate(f"{ratio(d.inside)} inside, times {ratio(d.between)} between",
                        (0, at - 0.25), xytext=(2, 3), textcoords="offset points", fontsize=8.5,
                        color=MUTED)  # fmt: skip
            ax.plot([gauss, gauss], [at - 0.25, at + 0.25], color=BACKGROUND, lw=1.2, ls=":")
        high = max(math.log(d.ratio) for _, d in parts) * 1.1 or 0.5
        ax.set(xlim=(0, max(high, 0.3)), ylim=(len(parts) - 0.5, -0.7),
               xlabel="RMSE ÷ MAE (log scale)")  # fmt: skip
        ticks = [t for t in (1, 1.25, 1.5, 2, 3, 5, 10, 20, 50) if math.log(t) <= max(high, 0.3)]
        ax.set_xticks([math.log(t) for t in ticks], [f"{t:g}" for t in ticks])
        ax.set_yticks(range(len(parts)), [name for name, _ in parts])
        ax.tick_params(axis="y", length=0)

    return Chart(
        title,
        "RMSE ÷ MAE of the log is what it is inside the groups times what lies between them, "
        "exactly. Between is 1 where all groups have the same MAE. Dotted: Gaussian errors, 1.25.",
        draw(name, 0.9 + 0.5 * len(parts), title, f"One bar per grouping. {title}.", plot),
        ("Grouping", "RMSE ÷ MAE", "inside groups", "between groups"),
        tuple((name, ratio(d.ratio), ratio(d.inside), ratio(d.between)) for name, d in parts),
    )


def quantiles(prediction: Prediction, name: str) -> Chart | None:
    """Draw the errors' quantiles against a Gaussian's, with a Laplace law to compare."""
    points = prediction.quantiles
    if len(points) < 3 or prediction.overall.n < 20:
        return None
    last = max(points, key=lambda p: abs(p.error) - abs(p.gaussian))
    times = abs(last.error) / max(abs(last.gaussian), 1e-9)
    if abs(last.gaussian) > 1 and times > 1.15:
        title = (
            f"Errors reach {_deviations(abs(last.error))} robust deviations where a Gaussian's "
            f"reach {abs(last.gaussian):.1f}"
        )
    else:
        out = min(-points[0].gaussian, points[-1].gaussian)
        title = (
            f"Out to {out:.1f} standard deviations, the tails reach no further than a Gaussian's"
        )

    reach = 4 * points[-1].gaussian
    cut = f" Cut off at {reach:.1f}." if any(abs(p.error) > reach for p in points) else ""

    def plot(ax: Any) -> None:
        x = [p.gaussian for p in points]
        y = [min(max(p.error, -reach), reach) for p in points]
        ax.plot(x, x, color=GREY, lw=1, ls=":")
        ax.plot(x, [_laplace(z) for z in x], color=ORANGE, lw=1, ls="--")
        ax.plot(x, y, color=BLUE, lw=2)
        end, top = 1.08 * x[-1], 1.08 * max(map(abs, (*y, _laplace(x[-1]))))
        curves = [
            [(fraction(a, -end, end), fraction(b, -top, top)) for a, b in zip(x, up, strict=True)]
            for up in (y, x, [_laplace(z) for z in x])
        ]
        named = [("Gaussian", MUTED, curves[1]), ("Laplace", ORANGE, curves[2])]
        for label, colour, own in named:
            rest = [c for c in curves if c is not own]
            place = place_beside(label, own[-6:], rest, 8.5)  # in the middle all are one
            ax.annotate(label, place, color=colour, fontsize=8.5, xycoords="axes fraction")
            curves.append(outline(box_at(label, place, 8.5)))
        ax.set(xlabel="Gaussian quantile (standard deviations)", xlim=(-end, end),
               ylabel="error (robust deviations)", ylim=(-top, top))  # fmt: skip
        ax.grid(axis="y")

    return Chart(
        title,
        "Quantiles of the errors, less their median and in robust standard deviations, against a "
        f"Gaussian's: a straight dotted line would be Gaussian errors.{cut}",
        draw(name, 2.9, title, f"A curve beside two lines. {title}.", plot),
        ("Gaussian", "Errors"),
        tuple((f"{p.gaussian:.2f}", f"{p.error:.2f}") for p in points[:: len(points) // 12 or 1]),
    )


def _deviations(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _laplace(gaussian: float) -> float:
    """Return the Laplace quantile at a Gaussian's, in its robust standard deviations."""
    tail = 0.5 * math.erfc(abs(gaussian) / math.sqrt(2))
    scale = MAD_TO_SIGMA * math.log(2)  # of a Laplace law with b = 1
    return math.copysign(-math.log(2 * tail), gaussian) / scale
