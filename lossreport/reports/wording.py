"""The sentences of the report, from its numbers; each must be true in every case."""

from __future__ import annotations

from lossreport.advice.choice import Advice
from lossreport.formats import MINUS, count, group_name, number, percent, ratio, reason
from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2, LAPLACE_RATIO
from lossreport.reports.results import (
    Concentration,
    Figures,
    Ledger,
    Recommendation,
    Verdict,
    WorstRow,
)

LOSS_NAMES = {"L1": "L1 (absolute error)", "L2": "L2 (squared error)"}
PROBABILITIES = (
    "Every actual value is 0 or 1 and every prediction lies between. L2 is then the Brier score, a "
    "proper one: to say the true probability makes it smallest. Log loss is proper too.",
    "L1 is not proper: it is smallest for a model that says 0 or 1, whichever is likelier. Do not "
    "train or compare with it, nor with Huber.",
)
LONGEST = 28
"""Group values are cut to this many characters in sentences; tables show them whole."""


def loss_name(loss: str, delta: float | None) -> str:
    """Return a loss in words, "Huber with delta = 1.54"."""
    return LOSS_NAMES.get(loss, f"Huber with delta = {number(delta)}")


def _all_of(losses: tuple[str, ...], last: str) -> str:
    return f" {last} ".join((", ".join(losses[:-1]), losses[-1])) if losses[1:] else losses[0]


def recommendation(advice: Advice, figures: Figures) -> Recommendation:
    """Return the advice in words."""
    told = PROBABILITIES if advice.verdict == "probabilities" else _because(advice, figures)
    return Recommendation(advice, _headline(advice), tuple(told))


def _headline(advice: Advice) -> str:
    if advice.loss is None:
        assert advice.reason is not None
        return advice.reason
    name = loss_name(advice.loss, advice.delta)
    if advice.verdict == "probabilities":
        return "These are probabilities: train with L2 (squared error, the Brier score), not L1."
    if advice.broken:
        one = advice.broken.rows == 1
        return (
            f"Check {count(advice.broken.rows, 'row')} first: {'it holds' if one else 'they hold'} "
            f"{percent(advice.broken.share_of_sq_error)} of the squared error and "
            f"{'lies' if one else 'lie'} {_far(advice.broken.factor)} times further out than any "
            "other row."
        )
    if advice.verdict == "quantile":
        assert advice.level is not None
        return (
            f"Train with the quantile loss at level {advice.level:.3g}, because predicting too "
            f"{_cost_words(advice.level)}."
        )
    if advice.goal == "large-errors":
        return "Train with L2 (squared error), because large errors must not happen."
    if advice.verdict == "weights":
        return (
            f"Weight rows by 1/variance of their group ({', '.join(advice.weights_by)}) and keep "
            "L2 (squared error)."
        )
    if advice.verdict == "depends":
        assert advice.for_totals is not None
        assert advice.for_typical is not None
        return (
            "It depends on what an error costs. Totals and averages must be right: "
            f"{loss_name(advice.for_totals, advice.delta)}. The typical row must be right: "
            f"{loss_name(advice.for_typical, advice.delta)}. Undecided: {name}."
        )
    if advice.verdict == "no-clear-winner":
        out = (
            f"{_all_of(advice.ruled_out, 'and')} can be ruled out; otherwise n"
            if advice.ruled_out
            else "N"
        )
        rows = count(advice.rows, "row")
        if advice.loss == advice.best_guess:
            return f"{out}o clear winner in {rows}. Best guess and cautious choice: {name}."
        guess = loss_name(advice.best_guess or "", advice.delta)
        return f"{out}o clear winner in {rows}. Best guess: {guess}. Cautious choice: {name}."
    return f"Train with {name}."


def _far(factor: float) -> str:
    return f"{factor:.1f}" if factor < 10 else f"{factor:,.0f}" if factor < 1e6 else f"{factor:.0e}"


def _cost_words(level: float) -> str:
    if level == 0.5:
        return "low and too high cost the same"
    side, other = ("low", "high") if level > 0.5 else ("high", "low")
    times = max(level, 1 - level) / min(level, 1 - level)
    return f"{side} costs {times:.3g} times as much as too {other}"


def _first_reason(advice: Advice) -> list[str]:
    """Return what is to be known of the headline itself."""
    if advice.broken and advice.loss_if_repaired:
        repaired = loss_name(advice.loss_if_repaired, advice.delta_if_repaired)
        left_in = loss_name(advice.loss or "", advice.delta)
        return [
            f"Repaired or removed, the errors suit {repaired}; left in, {left_in}.",
        ]
    if advice.verdict == "quantile":
        assert advice.level is not None
        assert advice.shift is not None
        aim = f"It aims at the value that {percent(advice.level)} of what happens stays below"
        return [
            f"{aim}: on this log it would move predictions by {number(advice.shift, signed=True)}."
        ]
    if advice.mixing:
        return [
            f"Groups differ in error size: RMSE/MAE {ratio(advice.mixing.ratio)} is "
            f"{ratio(advice.mixing.inside)} inside groups times {ratio(advice.mixing.between)} "
            f"between groups of {', '.join(advice.weights_by)}. Inside the groups the errors suit "
            f"L2. Without weights, train with {loss_name(advice.best_guess or '', advice.delta)}.",
        ]
    return []


def _because(advice: Advice, figures: Figures) -> list[str]:
    if advice.loss is None:
        return []
    sentences = [*_first_reason(advice), _efficiency(advice)]
    if figures.ratio is not None:
        interval = ""
        if figures.ratio_low is not None:
            interval = f" ({ratio(figures.ratio_low)} to {ratio(figures.ratio_high)})"
        centred = figures.centred_ratio
        hidden = ""
        if centred is not None and abs(centred / figures.ratio - 1) > 0.02:
            hidden = (
                f" Around the median error it is {ratio(centred)}: bias hides part of the tail."
            )
        sentences.append(
            f"RMSE/MAE is {ratio(figures.ratio)}{interval}; Gaussian errors give "
            f"{GAUSSIAN_RATIO:.2f}, Laplace errors {LAPLACE_RATIO:.2f}.{hidden}"
        )
    one = next((s for s in figures.worst_shares if s.rows == 0.01), None)
    if one:
        sentences.append(
            f"The worst 1% of the rows hold {percent(one.sq_error)} of the squared and "
            f"{percent(one.abs_error)} of the absolute error (Gaussian: 8% and 4%; "
            "Laplace: 16% and 6%)."
        )
    if advice.lopsided is not None:
        assert advice.scale is not None
        sentences.append(
            "The errors lean to one side: mean minus median is "
            f"{number(advice.lopsided, signed=True)} robust standard deviations. L2 aims at the "
            "mean, L1 at the median, so changing from one to the other moves every prediction by "
            "about "
            f"{number(abs(advice.lopsided * advice.scale))}, and totals with it."
        )
    sentences += _of_flags(advice)
    told = advice.verdict in ("clear", "no-clear-winner") and advice.goal != "large-errors"
    if told and advice.confidence and advice.probability is not None:
        sentences.append(
            f"Confidence: {advice.confidence} (this choice was within 5% of the best loss in "
            f"{percent(advice.probability)} of 200 resamples, taking the rows as independent)."
        )
    return sentences


def _of_flags(advice: Advice) -> list[str]:
    said = []
    if "biased" in advice.flags:
        said.append(
            "Mean and median of the errors lie on one side of 0 by more than a quarter of their "
            "robust spread: put the level right first, it is worth more than another loss."
        )
    if "spike_at_zero" in advice.flags:
        said.append(
            f"{percent(advice.zeros)} of the errors are exactly 0; the shape was judged on the "
            "rest. Look for a leaked or copied target, or a target that is mostly 0."
        )
    if "rounded" in advice.flags:
        said.append("The errors are rounded; they were spread over their step to judge the shape.")
    return said


def _efficiency(advice: Advice) -> str:
    needed = dict(advice.rows_needed)
    best = min(needed, key=lambda loss: needed[loss])
    others = [(loss, times) for loss, times in needed.items() if loss != best]
    if advice.goal == "large-errors":
        if best == "L2":
            return "On this log that costs nothing: L2 needs the fewest rows of the three losses."
        return (
            f"On this log that costs {_times(needed['L2'])} the rows that {best} would need "
            "for the same precision."
        )
    (first, first_times), (second, second_times) = others
    sentence = (
        f"{best} is steadiest here; for the same precision {first} needs {_times(first_times)} "
        f"and {second} {_times(second_times)} as many rows."
    )
    if advice.verdict == "clear" and advice.loss != best:
        sentence += (
            f" {advice.loss} is nearly as good, and the safer choice with "
            f"{count(advice.rows, 'row')}: it loses least if the tail is heavier than it looks."
        )
    if advice.ruled_out and advice.verdict != "no-clear-winner":
        sentence += f" {_all_of(advice.ruled_out, 'and')} can be ruled out."
    return sentence


def _times(factor: float) -> str:
    return f"{factor:.2f} times" if factor < 100 else "more than 100 times"


def verdict(
    rows: Ledger,
    figures: Figures,
    advised: Recommendation,
    concentration: Concentration | None,
    worst: tuple[WorstRow, ...],
    flagged: int,
    groups: int,
) -> Verdict:
    """Return what the page opens with.

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
            "Perfect match", "alert",
            "Every prediction equals the actual value: check whether the target has leaked.",
            f"All {count(figures.n, 'error')} are exactly 0, so no loss can be recommended.", (),
        )  # fmt: skip
    if advised.advice.verdict == "not-enough-rows":
        return Verdict("Too few rows", "none", advised.headline, _of_few_rows(figures, worst), ())
    if advised.advice.verdict == "probabilities":
        why = " ".join(advised.because)
        return Verdict("Probabilities", "note", advised.headline, why, tuple(_bias(figures)))
    points = [advised.headline] if concentration else []
    points += _points(figures, flagged, groups)
    if concentration:
        return Verdict(
            "Outlier-driven error", "alert", _concentrated(figures, concentration),
            _judge_by_mae(figures, concentration), tuple(points),
        )  # fmt: skip
    heavy = (figures.centred_ratio or 0) > HUBER_BEATS_L2
    because = " ".join(advised.because[:2])
    judged = (
        " Quote MAE beside RMSE: the tail is broad, not a few rows."
        if heavy
        else " RMSE and MAE tell the same story here."
    )
    return Verdict(
        "Heavy tail" if heavy else "No outlier problem", "note" if heavy else "calm",
        advised.headline,
        because + (judged if figures.ratio is not None else ""), tuple(points),
    )  # fmt: skip


def _of_few_rows(figures: Figures, worst: tuple[WorstRow, ...]) -> str:
    """Return what can be said of a handful of rows: how much of each loss the worst one makes."""
    sentence = f"L1 (MAE) is {number(figures.mae)} and L2 (MSE) is {number(figures.mse)}."
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


def _judge_by_mae(figures: Figures, few: Concentration) -> str:
    rows = "It is the row" if few.rows == 1 else "They are the rows"
    text = (
        f"{rows} with an error beyond {number(few.cut)}; of the absolute error "
        f"{'it makes' if few.rows == 1 else 'they make'} {percent(few.share_of_abs_error)}. "
        "Judge this log by MAE, and look at those rows before you trust its RMSE."
    )
    if few.place and few.place.without.ratio is not None:
        name = group_name(few.place.by, few.place.key, LONGEST)
        text += (
            f" Without {name}, RMSE/MAE goes from {ratio(figures.ratio)} to "
            f"{ratio(few.place.without.ratio)} and MAE from {number(figures.mae)} to "
            f"{number(few.place.without.mae, figures.mae)}."
        )
    return text


def _points(figures: Figures, flagged: int, groups: int) -> list[str]:
    points = []
    if flagged:
        points.append(
            f"{flagged:,} of {count(groups, 'group')} {'has' if flagged == 1 else 'have'} more "
            "outlier-driven error than the number of rows explains."
        )
    return points + _bias(figures)


def _bias(figures: Figures) -> list[str]:
    """Return what the bias says, if it is large beside the MAE."""
    points = []
    if figures.bias is not None and figures.mae and abs(figures.bias) > 0.25 * figures.mae:
        much = "much" if figures.bias > 0 else "little"
        points.append(
            f"The model predicts too {much}: the mean error (predicted {MINUS} actual) is "
            f"{number(figures.bias, signed=True)}, "
            f"{percent(abs(figures.bias) / figures.mae)} of the MAE."
        )
    return points
