"""The sentences of the report, from its numbers; each must be true in every case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from lossreport.advice.advice import Goal
from lossreport.advice.picking import AS_GOOD
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.finding import Finding
from lossreport.formats import (
    MINUS,
    amount,
    count,
    group_name,
    percent,
    ratio,
    reason,
    squared,
)
from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2
from lossreport.reports.figures import Figures, outlier_driven, surely_biased
from lossreport.reports.level_words import level_first
from lossreport.reports.recommending import outcome_in
from lossreport.reports.results import Group, Ledger, Recommendation, Verdict, WorstRow
from lossreport.reports.where import Attribution, Concentration, of_few_rows

HEAVY_TAIL = "Heavy tail"
PERFECT = "Perfect match"
WRONG_LEVEL = "Wrong level"
MAE_MOVED = 0.25
"""Few rows that make this share of the absolute error move the MAE too."""
LONGEST = 28
"""Group values are cut to this many characters in sentences; tables show them whole."""


def verdict(
    rows: Ledger,
    figures: Figures,
    advised: Recommendation,
    concentration: Concentration | None,
    worst: tuple[WorstRow, ...],
    flagged: str | None,
    biased: str | None,
    unit: str | None = None,
) -> Verdict:
    """Return what the page opens with.

    `flagged` and `biased` are what is to be said of outlier-driven and of biased groups.

    First how to judge the log, or which loss to train with, whichever matters more; then the other.
    """
    if not rows.scored:
        reasons = ", ".join(f"{reason(r)} {n:,}" for r, n in rows.left_out)
        why = f"Left out: {reasons}." if reasons else "Check what wrote it, or give another one."
        all_of = "the one row lacks" if rows.read == 1 else f"all {rows.read:,} lack"
        return Verdict(
            "No verdict", "none",
            f"No row can be scored: {all_of} a usable actual or predicted value."
            if rows.read else "The log holds no rows.",
            why, (),
        )  # fmt: skip
    if figures.max_abs_error == 0:
        return Verdict(
            PERFECT, "alert",
            "Every prediction equals the actual value: check whether the target has leaked.",
            f"All {count(figures.n, 'error')} are exactly 0, so no loss can be recommended.", (),
        )  # fmt: skip
    if advised.advice.verdict == "not-enough-rows":
        return Verdict(
            "Too few rows", "none", advised.headline, _of_few_rows(figures, worst, unit), ()
        )
    if advised.advice.verdict == "probabilities":
        why = " ".join(advised.because)
        leaning = tuple(_points(figures, None, biased, unit))
        tag = outcome_in(advised.advice).capitalize()
        return Verdict(tag, "note", advised.headline, why, leaning)
    level = level_first(advised.advice, figures, unit)
    points = [advised.headline] if concentration else []
    few = of_few_rows(concentration, advised.advice.flags)
    points += _points(figures, flagged, biased, unit, of_few=few, bias_told=level is not None)
    if concentration:
        return Verdict(
            "Outlier-driven error", "alert", _concentrated(figures, concentration),
            _judge_by_mae(figures, concentration, advised.advice.goal, unit), tuple(points),
        )  # fmt: skip
    because = " ".join(advised.because[:2])
    if advised.advice.broken or figures.mse is None:
        tag = "Check rows first" if advised.advice.broken else "Beyond the range of floats"
        return Verdict(tag, "alert", advised.headline, because, tuple(points))
    (beyond,) = outlier_driven([figures], MINIMUM_ROWS)
    needed = dict(advised.advice.rows_needed)
    heavy = beyond and needed.get("L2", math.inf) > 1 / (1 - AS_GOOD)
    judged = _judged(figures, beyond=beyond, heavy=heavy)
    if level:
        then = advised.headline.removeprefix(level).strip()
        why = f"{then} {because} {judged}".strip()
        return Verdict(WRONG_LEVEL, "alert", level, why, tuple(points))
    if advised.advice.loss is None and surely_biased(figures):
        return Verdict(WRONG_LEVEL, "alert", advised.headline, because, tuple(points))
    return Verdict(
        HEAVY_TAIL if heavy else "No outlier problem", "note" if heavy else "calm",
        advised.headline, f"{because} {judged}".strip(), tuple(points),
    )  # fmt: skip


def _judged(figures: Figures, *, beyond: bool, heavy: bool) -> str:
    """Return whether MAE must stand beside RMSE, with the centred ratio that decides it.

    `beyond` says whether it is beyond what the number of rows explains, `heavy` whether L2 wastes
    rows as well: zeros, rounding and two-sided levels also make a high ratio.
    """
    if figures.centred_ratio is None:
        return "RMSE and MAE tell the same story here."
    told = (
        f"(around the median error RMSE/MAE is {ratio(figures.centred_ratio)}; a bell curve gives "
        f"{ratio(GAUSSIAN_RATIO)})"
    )
    if heavy:
        return f"Quote MAE beside RMSE: large errors are more frequent than in a bell curve {told}."
    if beyond:
        return f"Quote MAE beside RMSE {told}; L2 still is as good as any loss here."
    if figures.centred_ratio > HUBER_BEATS_L2:
        return f"Of {count(figures.n, 'row')} no tail heavier than a bell curve's is sure {told}."
    return (
        "RMSE and MAE tell the same story: large errors are about as frequent as in a bell curve, "
        f"or rarer {told}."
    )


def with_faults(verdict: Verdict, faults: Sequence[Finding]) -> Verdict:
    """Return a verdict that says first what was found wrong in the data, if anything.

    Where few rows make the loss, or lie apart, that stays the first sentence, unless most rows are
    wrong; a tail that is heavy everywhere, or a level, is no property of the data while its units
    are wrong.
    """
    if not faults or verdict.tone == "none" or verdict.tag == PERFECT:
        return verdict
    said = [f"{f.message} {f.todo or ''}".strip() for f in faults]
    if verdict.tag not in (HEAVY_TAIL, WRONG_LEVEL) and faults[0].severity != "error":
        return replace(verdict, points=(*said, *verdict.points))
    return replace(
        verdict,
        tag="Check the data first",
        tone="alert",
        headline=faults[0].message,
        why=f"{faults[0].todo or ''} As the data are: {verdict.headline}".strip(),
        points=(*said[1:], *verdict.points),
    )


def _of_few_rows(figures: Figures, worst: tuple[WorstRow, ...], unit: str | None) -> str:
    """Return what can be said of a handful of rows: how much of each loss the worst one makes."""
    l2 = amount(figures.mse, squared(unit))
    sentence = f"L1 (MAE) is {amount(figures.mae, unit)} and L2 (MSE) is {l2}."
    told = figures.n > 1 and worst and figures.mae
    if not told or not figures.mae or worst[0].share_of_sq_error is None:
        return sentence
    absolute = abs(worst[0].error) / (figures.mae * figures.n)
    return (
        f"{sentence} One row of {figures.n:,} makes {percent(worst[0].share_of_sq_error)} of "
        f"the L2 and {percent(absolute)} of the L1: L2 grows with the square of an error "
        "(quadratically), L1 in proportion to it."
    )


def _concentrated(figures: Figures, few: Concentration) -> str:
    where = ""
    if few.place:
        name = group_name(few.place.by, few.place.key, LONGEST)
        if few.place.rows == few.rows:
            where = f", all in {name}" if few.rows > 1 else f"; it is in {name}"
        else:
            where = f", and {few.place.rows:,} of them are in {name}"
    makes = "makes" if few.rows == 1 else "make"
    return (
        f"{count(few.rows, 'row')} of {figures.n:,} ({percent(few.share_of_rows)}) {makes} "
        f"{percent(few.share_of_sq_error)} of the squared error{where}."
    )


def _judge_by_mae(figures: Figures, few: Concentration, goal: Goal, unit: str | None) -> str:
    one = few.rows == 1
    those = "that row" if one else "those rows"
    text = (
        f"{'It is the row' if one else 'They are the rows'} with an error beyond "
        f"{amount(few.cut, unit)}; of the absolute error {'it makes' if one else 'they make'} "
        f"{percent(few.share_of_abs_error)}. "
    )
    if goal == "large-errors":
        text += f"Large errors must not happen: look at {those} first; MAE hides them."
    elif goal == "totals":
        text += f"Totals must be right: look at {those} first; MAE does not tell whether they are."
    elif few.share_of_abs_error > MAE_MOVED and figures.mae:
        rest = figures.mae * figures.n * (1 - few.share_of_abs_error) / (figures.n - few.rows)
        text += (
            f"Look at {those} before you trust any figure: without {'it' if one else 'them'} MAE "
            f"would be {amount(rest, unit)}, not {amount(figures.mae, unit)}."
        )
    else:
        text += f"Judge this log by MAE, and look at {those} before you trust its RMSE."
    if few.place and few.place.without.ratio is not None:
        name = group_name(few.place.by, few.place.key, LONGEST)
        text += (
            f" Without {name}, RMSE/MAE goes from {ratio(figures.ratio)} to "
            f"{ratio(few.place.without.ratio)} and MAE from {amount(figures.mae, unit)} to "
            f"{amount(few.place.without.mae, unit)}."
        )
    return text


def flagged_words(groups: Sequence[Group], attribution: Attribution | None) -> str | None:
    """Return how many groups are outlier-driven, and of how many that is the cause; None if none.

    A threshold alone flags every group that shares rows with the one where the trouble is.
    """
    groups = [g for g in groups if g.figures.n]
    those = [g for g in groups if g.flagged]
    flagged = len(those)
    if not flagged:
        return None
    of = (
        f"{flagged:,} of {count(len(groups), 'group')} {'has' if flagged == 1 else 'have'} more "
        "outlier-driven error than the number of rows explains"
    )
    origins = attribution.origins if attribution else ()
    if not origins or attribution is None:
        return f"{of}."
    names = [group_name(o.by, o.key, LONGEST) for o in origins]
    only = attribution.count("affected") + attribution.count("part of the source")
    own = attribution.count("heavy tail")
    if not only:
        held = percent(attribution.share_of_sq_error)
        makes = "makes" if len(origins) == 1 else "make"
        keys = {g.key for g in those}
        apart = "" if any(o.key in keys for o in origins) else "not among them, "
        return f"{of}; {apart}{' and '.join(names)} {makes} {held} of the squared error."
    sources = "one source" if len(origins) == 1 else f"{len(origins)} sources"
    said = (
        f"{of}, {only:,} of them only because of {' and '.join(names)}: {sources}, not "
        f"{flagged:,} problems."
    )
    if own:
        have, their = ("has", "its") if own == 1 else ("have", "their")
        said += f" {own:,} {have} a heavy tail of {their} own."
    return said


def _points(
    figures: Figures,
    flagged: str | None,
    biased: str | None,
    unit: str | None,
    *,
    of_few: float = 0.0,
    bias_told: bool = False,
) -> list[str]:
    bias = [] if bias_told else _bias(figures, of_few, unit)
    return [*([flagged] if flagged else []), *bias, *([biased] if biased else [])]


def _bias(figures: Figures, of_few: float, unit: str | None) -> list[str]:
    bias, mae = figures.bias, figures.mae
    if bias is None or not mae or not surely_biased(figures, of_few):
        return []
    mean = amount(bias, unit, signed=True)
    return [
        f"The model predicts too {'much' if bias > 0 else 'little'}: the mean error (predicted "
        f"{MINUS} actual) is {mean}, {percent(abs(bias) / mae)} of the MAE."
    ]
