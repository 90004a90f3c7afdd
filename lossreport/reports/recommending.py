"""The recommendation in words, from the advice's numbers; each must be true in every case."""

from __future__ import annotations

from lossreport.advice.advice import LOSSES, Advice
from lossreport.formats import amount, count, names, number, percent, ratio, times
from lossreport.losses import GAUSSIAN_RATIO, LAPLACE_RATIO
from lossreport.reports.efficiency import efficiency_words, for_its_aim, ruled_out_words
from lossreport.reports.figures import Figures, surely_biased
from lossreport.reports.level_words import level_first, level_words
from lossreport.reports.results import Recommendation

LOSS_NAMES = {"L1": "L1 (absolute error)", "L2": "L2 (squared error)"}
OUTCOMES = {
    "probabilities": (
        "These are probabilities: train with L2 (squared error, the Brier score), not L1.",
        "Every actual value is 0 or 1 and every prediction lies between. L2 is then the Brier "
        "score, a proper one: to say the true probability makes it smallest. Log loss is proper "
        "too.",
        "L1 is not proper: it is smallest for a model that says 0 or 1, whichever is likelier. Do "
        "not train or compare with it, nor with Huber.",
    ),
    "labels": (
        "These are labels of 0 or 1: L1 and L2 are both the share of wrong rows.",
        "Every actual value and every prediction is 0 or 1, so every error is 0 or 1 in size, and "
        "MAE and MSE are the same number.",
        "It does not tell how sure the model was. Log the predicted probabilities: L2 (the Brier "
        "score) and log loss suit them, L1 does not.",
    ),
    "scores": (
        "The actual value is 0 or 1: train with L2 (squared error), not L1.",
        "What L2 aims at, the mean, is then a probability; what L1 aims at, the median, is 0 or 1, "
        "whichever is likelier.",
        "Not every prediction lies between 0 and 1: look for percentages or scores, and make "
        "probabilities of them before you compare losses.",
    ),
}
"""The headline, and what else is said, of predictions of an actual value that is 0 or 1."""


def loss_name(loss: str, delta: float | None, unit: str | None = None) -> str:
    """Return a loss in words, "Huber with delta = 1.54"."""
    return LOSS_NAMES.get(loss, f"Huber with delta = {amount(delta, unit)}")


def recommendation(advice: Advice, figures: Figures, unit: str | None = None) -> Recommendation:
    """Return the advice in words; `unit` is that of actual and predicted."""
    if advice.verdict == "probabilities":
        _, *told = OUTCOMES[outcome_in(advice)]
    else:
        told = _because(advice, figures, unit)
    headline = _headline(advice, unit)
    if level := level_first(advice, figures, unit):
        then = headline if headline.startswith(LOSSES) else headline[0].lower() + headline[1:]
        several = advice.levels_by or advice.drift
        after = "As the errors are" if several else "After that"
        headline = f"{level} {after}: {then}"
    return Recommendation(advice, headline, tuple(told))


def outcome_in(advice: Advice) -> str:
    """Return what is predicted of an outcome of 0 or 1: "probabilities", "labels" or "scores"."""
    return "".join(advice.flags) or "probabilities"


def _headline(advice: Advice, unit: str | None) -> str:
    if advice.loss is None:
        assert advice.reason is not None
        return advice.reason
    name = loss_name(advice.loss, advice.delta, unit)
    if advice.verdict == "probabilities":
        return OUTCOMES[outcome_in(advice)][0]
    if advice.broken:
        one = advice.broken.rows == 1
        return (
            f"Check {count(advice.broken.rows, 'row')} first: {'it holds' if one else 'they hold'} "
            f"{percent(advice.broken.share_of_sq_error)} of the squared error and "
            f"{'lies' if one else 'lie'} {times(advice.broken.factor)} times further out than any "
            "other row."
        )
    if advice.verdict == "quantile":
        assert advice.level is not None
        half = ", which is half of L1" if advice.level == 0.5 else ""
        return (
            f"Train with the quantile loss at level {advice.level:.3g}{half}, because predicting "
            f"too {_cost_words(advice.level)}."
        )
    if goal := _goal_of_l2(advice):
        return f"Train with L2 (squared error), because {goal}."
    if advice.verdict == "weights":
        return (
            f"Weight rows by 1/variance of their group ({names(advice.weights_by)}) and keep "
            "L2 (squared error)."
        )
    if advice.verdict == "depends":
        assert advice.for_totals is not None
        assert advice.for_typical is not None
        return (
            "It depends on what an error costs. Totals and averages must be right: "
            f"{loss_name(advice.for_totals, advice.delta, unit)}. The typical row must be right: "
            f"{loss_name(advice.for_typical, advice.delta, unit)}. Undecided: {name}."
        )
    if advice.verdict == "no-clear-winner":
        out = f"{ruled_out_words(advice)}. Otherwise n" if advice.ruled_out else "N"
        rows = count(advice.rows, "row")
        if advice.loss == advice.best_guess:
            return f"{out}o clear winner in {rows}. Best guess and cautious choice: {name}."
        guess = loss_name(advice.best_guess or "", advice.delta, unit)
        return f"{out}o clear winner in {rows}. Best guess: {guess}. Cautious choice: {name}."
    return f"Train with {name}."


def _goal_of_l2(advice: Advice) -> str | None:
    """Return for which goal L2 is taken though another loss needs fewer rows, if for any."""
    if advice.goal == "large-errors":
        return "large errors must not happen"
    if advice.goal == "totals" and advice.loss == "L2" and for_its_aim(advice):
        return "totals must be right"
    return None


def _cost_words(level: float) -> str:
    if level == 0.5:
        return "low and too high cost the same"
    side, other = ("low", "high") if level > 0.5 else ("high", "low")
    times = max(level, 1 - level) / min(level, 1 - level)
    return f"{side} costs {times:.3g} times as much as too {other}"


def _first_reason(advice: Advice, unit: str | None) -> list[str]:
    """Return what is to be known of the headline itself."""
    if advice.repaired:
        return [_repaired_or_not(advice, advice.repaired, unit)]
    if advice.verdict == "quantile":
        assert advice.level is not None
        assert advice.shift is not None
        aim = f"It aims at the value that {percent(advice.level)} of what happens stays below"
        return [
            f"{aim}: on this log it would move predictions by "
            f"{amount(advice.shift, unit, signed=True)}."
        ]
    if advice.mixing:
        return [
            f"Groups differ in error size: RMSE/MAE {ratio(advice.mixing.ratio)} is "
            f"{ratio(advice.mixing.inside)} inside groups times {ratio(advice.mixing.between)} "
            f"between groups of {names(advice.weights_by)}. Inside the groups the errors suit "
            "L2. Without weights, train with "
            f"{loss_name(advice.best_guess or '', advice.delta, unit)}.",
        ]
    return []


def _repaired_or_not(advice: Advice, repaired: Advice, unit: str | None) -> str:
    """Return which loss suits the errors without the rows to be checked, and with them."""
    loss = advice.loss or ""
    take = "the errors suit" if advice.goal == "unknown" else "train with"
    if advice.level is not None:
        return (
            "Repaired, removed or left in, train with the quantile loss at level "
            f"{advice.level:.3g}, because predicting too {_cost_words(advice.level)}."
        )
    if loss != repaired.best_guess:
        left_in = loss_name(loss, advice.delta, unit)
    elif loss != "Huber":
        return f"Repaired, removed or left in, {take} {loss_name(loss, None)}."
    else:
        with_them, without = amount(advice.delta, unit), amount(repaired.delta, unit)
        if with_them == without:
            return f"Repaired, removed or left in, {take} Huber with delta = {without}."
        return (
            f"Repaired, removed or left in, {take} Huber: with delta = {without} once "
            f"they are repaired or removed, {with_them} as long as they are left in."
        )
    suited = loss_name(repaired.best_guess or "", repaired.delta, unit)
    return f"Repaired or removed, {take} {suited}; left in, {left_in}."


def _because(advice: Advice, figures: Figures, unit: str | None) -> list[str]:
    if advice.loss is None:
        return []
    quantile = advice.verdict == "quantile"  # at another place, and not compared by rows
    level_told = quantile or level_first(advice, figures, unit) is not None
    level = [] if level_told else level_words(advice, figures, unit)
    sentences = [*level, *_first_reason(advice, unit)]
    sentences += [] if quantile else [efficiency_words(advice)]
    if figures.ratio is not None:
        interval = ""
        if figures.ratio_low is not None:
            interval = f" ({ratio(figures.ratio_low)} to {ratio(figures.ratio_high)})"
        centred = figures.centred_ratio
        hidden = ""
        if centred is not None and abs(centred / figures.ratio - 1) > 0.02:
            hides = centred > figures.ratio and surely_biased(figures)
            why = ": bias hides part of the tail" if hides else ""
            hidden = f" Around the median error it is {ratio(centred)}{why}."
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
            f"{amount(abs(advice.lopsided * advice.scale), unit)}, and totals with it."
        )
    sentences += _of_flags(advice)
    told = advice.verdict in ("clear", "no-clear-winner") and advice.goal != "large-errors"
    if told and advice.confidence and advice.probability is not None:
        was = "this choice was within 5% of the best loss"
        if advice.goal != "unknown":
            was = "no other loss saved over 5% of the rows, beyond what its aim may cost,"
        sentences.append(
            f"Confidence: {advice.confidence} ({was} in "
            f"{percent(advice.probability)} of 200 resamples, taking the rows as independent)."
        )
    return sentences


def _of_flags(advice: Advice) -> list[str]:
    said = []
    if "spike_at_zero" in advice.flags:
        said.append(
            f"{percent(advice.zeros)} of the errors are exactly 0; the shape was judged on the "
            "rest. Look for a leaked or copied target, or a target that is mostly 0."
        )
    if "rounded" in advice.flags:
        said.append("The errors are rounded; they were spread over their step to judge the shape.")
    return said
