"""What is said of gates: their conditions, what was found, and how many failed."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.formats import MINUS, NONE, count, listed, number, percent, squared, visible
from lossreport.gates.gate import Check, Gate, Judged, gravest_gates, tally
from lossreport.gates.values import ROWS, SHARES

LONGEST = 40
ALL_ROWS, ALL_FINDINGS = "all rows", "all findings"
WORDS = {
    "n": "rows scored",
    "read": "rows read",
    "left_out": "rows left out",
    "left_out_share": "share of rows left out",
    "mae": "MAE",
    "mse": "MSE",
    "rmse": "RMSE",
    "ratio": "RMSE/MAE",
    "ratio_low": "lower end of the interval of RMSE/MAE",
    "ratio_high": "upper end of the interval of RMSE/MAE",
    "ratio_without_worst": "RMSE/MAE without the worst 1% of the rows",
    "ratio_without": "RMSE/MAE of all other rows",
    "max_abs_error": "largest |error|",
    "median_abs_error": "median |error|",
    "p90_abs_error": "90% quantile of |error|",
    "p95_abs_error": "95% quantile of |error|",
    "p99_abs_error": "99% quantile of |error|",
    "huber": "mean Huber loss",
    "huber_delta": "delta of the Huber loss",
    "log_cosh": "mean log-cosh loss",
    "share_of_abs_error": "share of the absolute error",
    "share_of_sq_error": "share of the squared error",
}
"""Of figures whose name is no word."""
IN_UNIT = (
    "mae", "rmse", "bias", "median_abs_error", "p90_abs_error", "p95_abs_error", "p99_abs_error",
    "max_abs_error", "huber_delta", "mean_actual", "mean_predicted",
)  # fmt: skip
"""Figures in the unit of actual and predicted, ..."""
IN_SQUARES = ("mse", "huber")
"""... and in its square."""


def figure_words(figure: str) -> str:
    """Return what a figure is called in a sentence."""
    return WORDS.get(figure, figure.replace("_", " "))


def limit_words(figure: str, limit: float) -> str:
    """Return a limit with all its digits; shares in per cent."""
    text = f"{100 * limit:.12g}%" if figure in SHARES else f"{limit:,.15g}"
    return text.replace("-", MINUS, 1) if limit < 0 else text


def in_unit(text: str, figure: str, unit: str | None) -> str:
    """Return a figure or its limit with the unit that it has, if any."""
    of = unit if figure in IN_UNIT else squared(unit) if figure in IN_SQUARES else None
    return f"{text} {of}" if of else text


def change_words(share: float) -> str:
    """Return a relative change with all its digits, "+10%"."""
    sign = MINUS if share < 0 else "+"
    return f"{sign}{abs(100 * share):.12g}%"


def value_words(figure: str, value: float, limits: Sequence[float] = ()) -> str:
    """Return a value so that it reads on the side of each limit on which it is."""
    if figure in SHARES:
        short = percent(value)
        least = 100 * value
        limits = [100 * x for x in limits]
    else:
        short = f"{value:,.0f}" if figure in ROWS else number(value)
        least = value
    end = "%" if figure in SHARES else ""
    for text in (short, *(f"{least:.{digits}g}{end}" for digits in range(4, 18))):
        if all(_side(_read(text), x) == _side(least, x) for x in limits):
            return text.replace("-", MINUS, 1) if least < 0 else text
    return short


def _read(text: str) -> float | None:
    """Return the number that a text shows; None of "<0.001%"."""
    try:
        return float(text.replace(MINUS, "-").replace(",", "").removesuffix("%"))
    except ValueError:
        return None


def _side(value: float | None, limit: float) -> int | None:
    return None if value is None else (value > limit) - (value < limit)


def condition(gate: Gate, unit: str | None = None) -> str:
    """Return what a gate asks for, in words; its limits with the unit that is given."""
    of = f" of {visible(gate.predicted, LONGEST)}" if gate.predicted else ""
    if gate.figure is None:
        severity = f" of severity {gate.severity}" if gate.severity else ""
        graver = " or graver" if gate.severity in ("warning", "info") else ""
        which = f" {listed([visible(c, LONGEST) for c in gate.findings])}" if gate.findings else ""
        return f"No finding{which}{severity}{graver}{of}"
    by = ", ".join(visible(b, LONGEST) for b in gate.by)
    if gate.group:
        each = zip(gate.by, gate.group, strict=True)
        of += " where " + ", ".join(
            f"{visible(b, LONGEST)} = {visible(g, LONGEST)}" for b, g in each
        )
    elif by:
        of += f" in each group by {by}"
    limits = []
    if gate.min is not None:
        least = limit_words(gate.figure, gate.min)
        limits.append(f"at least {in_unit(least, gate.figure, unit)}")
    if gate.max is not None:
        most = limit_words(gate.figure, gate.max)
        limits.append(f"at most {in_unit(most, gate.figure, unit)}")
    if gate.min_change is not None:
        limits.append(f"change at least {change_words(gate.min_change)}")
    if gate.max_change is not None:
        limits.append(f"change at most {change_words(gate.max_change)}")
    words = figure_words(gate.figure)
    return f"{words[0].upper()}{words[1:]}{of} {listed(limits)}"


def counted(gates: Sequence[Judged]) -> str:
    """Return how many gates failed, warned and passed, in a sentence: "" without gates."""
    if not gates:
        return ""
    of = tally(gates)
    undecided = sum(bool(g.undecided) for g in gates)
    each = [f"{of[s]:,} {s}" for s in ("failed", "warned", "passed") if of[s]]
    unsure = f"; {undecided:,} could not be decided everywhere" if undecided else ""
    if len(each) == 1 and len(gates) > 1:
        return f"All {len(gates):,} gates {next(iter(of))}{unsure}."
    return f"Of {count(len(gates), 'gate')}, {listed(each)}{unsure}."


def check_line(check: Check) -> str:
    """Return a check in one line: prediction and place if they need saying, what was found."""
    of = f"{visible(check.predicted, LONGEST)}: " if check.predicted else ""
    where = "" if check.where in (ALL_ROWS, ALL_FINDINGS) else f"{check.where}: "
    return f"{of}{where}{check.said}"


def shown_value(judged: Judged, check: Check) -> str:
    """Return the figure of a check as its sentence has it; a dash if there is none."""
    if check.value is None:
        return NONE
    limits = [x for x in (judged.gate.min, judged.gate.max) if x is not None]
    return value_words(judged.gate.figure or "", check.value, limits)


def told(check: Check) -> str:
    """Return how a check ended, in words."""
    if not check.undecided:
        return check.status
    return {"failed": "undecided: failed", "warned": "undecided: warned"}.get(
        check.status, "undecided: let pass"
    )


def unmet(gates: Sequence[Judged]) -> list[tuple[str, str, str]]:
    """Return how it ended, the gate and what was found, for each check that is no plain pass.

    The gravest gates first, and of each the gravest checks.
    """
    return [
        (told(c), g.name, check_line(c))
        for g in gravest_gates(gates)
        for c in g.gravest_first
        if c.status != "passed" or c.undecided
    ]
