"""Draws the report as one picture for chats, 1200 by 630 pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lossreport.checks.finding import gravest_first
from lossreport.formats import amount, count, key_value, percent, ratio, visible
from lossreport.render.svg import BACKGROUND, BLUE, GREY, GRID, INK, MUTED, ORANGE
from lossreport.reports.results import Prediction, Report

WIDTH, HEIGHT, DOTS = 1200, 630, 100
GREEN = "#00664b"
TONES = {"alert": ORANGE, "note": BLUE, "calm": GREEN, "none": GREY}
FONT = "DejaVu Sans"
"""Comes with matplotlib, so that every computer draws the same picture."""
ELLIPSIS, BOX = "\u2026", "\u25a1"
INVISIBLE = "\u200c\u200d\ufe0e\ufe0f"
"""Joiners and variants of emoji, which are drawn as boxes here."""


@dataclass(frozen=True)
class _Pen:
    """Writes on a figure in pixels from its top left corner."""

    figure: Any
    font: Any

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return the width of text in pixels."""
        from matplotlib.font_manager import FontProperties

        weight = "bold" if bold else "normal"
        set_in = FontProperties(family=FONT, size=size, weight=weight)
        renderer = self.figure.canvas.get_renderer()
        return float(renderer.get_text_width_height_descent(text, set_in, False)[0])

    def drawable(self, text: str) -> str:
        """Return text in which a box stands for what the font lacks."""
        shown = (c for c in visible(text) if c not in INVISIBLE)
        return "".join(c if self.font.get_char_index(ord(c)) else BOX for c in shown)

    def lines(self, text: str, size: float, width: float, most: int) -> list[str]:
        """Return text in at most so many lines of this width; an ellipsis if it is longer."""
        left, lines = self.drawable(text).strip(), list[str]()
        while left and len(lines) < most:
            n = self._fits(left, size, width)
            if n < len(left) and len(lines) == most - 1:
                n = self._fits(left, size, width - self.width(ELLIPSIS, size))
                blank = left.rfind(" ", n // 2, n + 1)
                return [*lines, left[: blank if blank > 0 else n].rstrip() + ELLIPSIS]
            blank = left.rfind(" ", 1, n + 1)
            n = n if n == len(left) or blank < 1 else blank
            lines.append(left[:n].rstrip())
            left = left[n:].lstrip()
        return lines

    def _fits(self, text: str, size: float, width: float) -> int:
        """Return how many characters from the start fit, at least one."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.width(text[:middle], size) <= width
            low, high = (middle, high) if fits else (low, middle - 1)
        return low

    def write(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        """Write one line with its baseline at `y`."""
        style = {"color": INK, "family": FONT, **style}
        self.figure.text(x / WIDTH, 1 - y / HEIGHT, text, size=size, parse_math=False, **style)

    def fill(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        from matplotlib.patches import Rectangle

        corner = (x / WIDTH, 1 - (y + height) / HEIGHT)
        size = (width / WIDTH, height / HEIGHT)
        self.figure.add_artist(Rectangle(corner, *size, color=colour, lw=0))


def to_png(report: Report) -> bytes:
    """Return the first prediction's verdict as a PNG: the same report gives the same bytes."""
    import matplotlib as mpl
    from matplotlib import font_manager
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"text.antialiased": True, "text.hinting": "none"}):
        figure = Figure(figsize=(WIDTH / DOTS, HEIGHT / DOTS), dpi=DOTS, facecolor=BACKGROUND)
        FigureCanvasAgg(figure)
        font = font_manager.get_font(font_manager.findfont(FONT))
        _draw(_Pen(figure, font), report)
        made = io.BytesIO()
        metadata = {"Software": f"lossreport {report.version}"}
        figure.savefig(made, format="png", dpi=DOTS, metadata=metadata)
    return made.getvalue()


def _draw(pen: _Pen, report: Report) -> None:
    prediction = report.predictions[0]
    verdict = prediction.verdict
    tone = TONES[verdict.tone]
    pen.fill(0, 0, 15, HEIGHT, tone)
    pen.write(56, 66, pen.lines(_heading(report), 15, 1088, 1)[0], 15, color=MUTED)
    pen.write(56, 138, pen.lines(verdict.tag, 36, 1060, 1)[0], 36, weight="bold")
    y = 188
    for line in pen.lines(verdict.headline, 18, 1088, 2):
        pen.write(56, y, line, 18)
        y += 32
    shares = _shares(prediction)
    if prediction.overall.n and prediction.overall.mae is not None:
        _bars(pen, shares) if shares else _why(pen, verdict.why, 620)
        pen.fill(729, 258, 2, 250, GRID)
        _figures(pen, prediction, report.unit, tone)
    else:
        _why(pen, verdict.why, 1088)
    y = 552
    for line in pen.lines(_also(report), 15, 1088, 2):
        pen.write(56, y, line, 15)
        y += 26
    pen.write(56, 612, f"lossreport {report.version}{_privacy(report)}", 11.5, color=MUTED)


def _privacy(report: Report) -> str:
    return " · private: names are hashes" if report.private else ""


def _heading(report: Report) -> str:
    parts = [visible(report.title, 60), count(report.rows.read, "row")]
    if report.span:
        first, last = (time[:10] for time in report.span)
        parts.append(first if first == last else f"{first} to {last}")
    if len(report.predictions) > 1:
        others = f"first of {len(report.predictions):,} predictions"
        parts.append(f"{visible(report.predicted[0], 30)}, {others}")
    return " · ".join(parts)


def _shares(prediction: Prediction) -> Sequence[tuple[float, str, str]]:
    """Return the shares to draw as bars: of the few rows, or else of the worst 1 %."""
    few = prediction.concentration
    held = next((s for s in prediction.overall.worst_shares if s.rows == 0.01), None)
    if few:
        rows = f"{percent(few.share_of_rows)} of the rows ({count(few.rows, 'row')}) "
        rows += "makes" if few.rows == 1 else "make"
        values = few.share_of_rows, few.share_of_abs_error, few.share_of_sq_error
    elif held:
        rows, values = "The worst 1% of the rows make", (held.rows, held.abs_error, held.sq_error)
    else:
        return ()
    return (
        (values[0], rows, GREY),
        (values[1], f"{percent(values[1])} of the absolute error (L1)", BLUE),
        (values[2], f"{percent(values[2])} of the squared error (L2)", ORANGE),
    )


def _bars(pen: _Pen, shares: Sequence[tuple[float, str, str]]) -> None:
    for i, (share, label, colour) in enumerate(shares):
        y = 290 + 76 * i
        pen.write(56, y, label, 17)
        pen.fill(56, y + 13, 621, 19, GRID)
        pen.fill(56, y + 13, max(3.0, 621 * share), 19, colour)


def _why(pen: _Pen, why: str, width: float) -> None:
    for i, line in enumerate(pen.lines(why, 17, width, 7)):
        pen.write(56, 290 + 33 * i, line, 17)


def _figures(pen: _Pen, prediction: Prediction, unit: str | None, tone: str) -> None:
    """Write the figures of all rows and, if there is a source, without it."""
    all_rows, few = prediction.overall, prediction.concentration
    without = few.place.without if few and few.place else None
    columns = [(1000.0, "all rows", all_rows)] if without else [(1144.0, "all rows", all_rows)]
    if few and few.place and without:
        name = ", ".join(key_value(k, 20) for k in few.place.key)
        columns.append((1144.0, f"without {name}", without))
    for x, heading, _ in columns:
        room = 130 if x == 1000 or not without else 136
        for up, line in enumerate(reversed(pen.lines(heading, 12, room, 2))):
            pen.write(x, 268 - 18 * up, line, 12, color=MUTED, ha="right")
    if unit:
        pen.write(756, 268, pen.lines(f"in {unit}", 12, 128, 1)[0], 12, color=MUTED)
    rows = [
        ("RMSE ÷ MAE", [ratio(f.ratio) for *_, f in columns]),
        ("RMSE", [amount(f.rmse, None, all_rows.mae) for *_, f in columns]),
        ("MAE", [amount(f.mae, None, all_rows.mae) for *_, f in columns]),
        ("bias", [amount(f.bias, None, all_rows.mae, signed=True) for *_, f in columns]),
    ]
    for i, (label, values) in enumerate(rows):
        y = 316 + 54 * i
        pen.write(756, y, label, 14, color=MUTED)
        for j, ((x, *_), value) in enumerate(zip(columns, values, strict=True)):
            colour = tone if i == 0 and j == 0 and prediction.verdict.tone == "alert" else INK
            size = next((s for s in (20, 17, 14, 11) if pen.width(value, s, bold=True) < 118), 9)
            weight = "normal" if j else "bold"
            pen.write(x, y, value, size, weight=weight, color=colour, ha="right")


def _also(report: Report) -> str:
    """Return the second finding: the verdict's next point, or else the gravest of the checks."""
    points = report.predictions[0].verdict.points
    issues = gravest_first(report.findings, notes=False)
    said = points[0] if points else issues[0].message if issues else ""
    return f"Also: {said}" if said else ""
