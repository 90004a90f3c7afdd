"""The comparison of models in sentences; each must be true in every case."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.formats import amount, count, group_name, key_value, listed, number, visible
from lossreport.reports.comparison import Gap, Model, Paired, Tone
from lossreport.reports.differences import Loss
from lossreport.reports.ranking import first, not_beaten

LONGEST = 28
MOST_NAMES = 4
"""Of more models their number is said, not their names."""
MOST_GAPS = 3
"""So many differences are told in sentences; the table holds all."""
FIGURE: dict[Loss, str] = {"L1": "MAE", "L2": "RMSE"}
Said = tuple[str, Tone, str]
"""A tag, its tone and a headline."""


def name_of(model: Model, column: str | None) -> str:
    """Return a model's name as sentences have it."""
    if column is None:
        return visible(model.name or "", LONGEST)
    return key_value(model.name, LONGEST)


def names_of(models: Sequence[Model], column: str | None) -> str:
    """Return the names of models as a list, or how many they are."""
    if len(models) > MOST_NAMES:
        return f"{len(models):,} models"
    return listed([name_of(m, column) for m in models])


def headline(
    models: Sequence[Model],
    column: str | None,
    losses: Sequence[Loss],
    compared: str,
    unit: str | None = None,
) -> Said:
    """Return which model comes first; `compared` is what shows it, "10,000 rows"."""
    if len(losses) < 2:
        return _by_one_loss(models, column, losses, compared, unit)
    best = {loss: first(models, loss) for loss in losses}
    if _without_interval(models):
        one, other = (_leader(best[loss], column, loss, unit) for loss in losses)
        said = f"{one}, {other}; how sure that is, the rows do not say."
        return "No intervals", "note", said
    level = {loss: not_beaten(models, loss) for loss in losses}
    both = tuple(m for m in models if m in level["L1"] and m in level["L2"])
    if len(both) == len(models):
        of = f"{names_of(models, column)}"
        said = f"{_capital(compared)} show no difference between {of}, by MAE or by RMSE."
        return "No difference", "note", said
    if not both:
        one, other = (_leader(best[loss], column, loss, unit) for loss in ("L1", "L2"))
        said = f"L1 and L2 name different models: {one}, {other}."
        return "L1 and L2 disagree", "alert", said
    if len(both) > 1:
        return (
            "No one model wins",
            "note",
            f"Neither by MAE nor by RMSE is any model surely ahead of {names_of(both, column)}.",
        )
    (winner,) = both
    name = name_of(winner, column)
    figures = f"MAE {amount(winner.mae, unit)}, RMSE {_rmse(winner, unit)}"
    if len(level["L1"]) == len(level["L2"]) == 1:
        said = f"{name} has the smallest error by both losses, L1 and L2: {figures}."
        return "L1 and L2 agree", "calm", said
    said = (
        f"{name} is the only model that no other one surely beats, be it by MAE or by RMSE: "
        f"{figures}."
    )
    return "One model leads", "note", said


def _without_interval(models: Sequence[Model]) -> bool:
    gaps = (above for m in models for above in (m.mae_gap, m.rmse_gap))
    return any(above is not None and above.low is None for above in gaps)


def _leader(model: Model | None, column: str | None, loss: Loss, unit: str | None) -> str:
    """Return who comes first by a loss, with the figure."""
    assert model is not None
    figure = amount(model.mae, unit) if loss == "L1" else _rmse(model, unit)
    return f"{name_of(model, column)} has the smallest {FIGURE[loss]} ({figure})"


def _rmse(model: Model, unit: str | None) -> str:
    return amount(model.rmse, unit, model.mae)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _by_one_loss(
    models: Sequence[Model],
    column: str | None,
    losses: Sequence[Loss],
    compared: str,
    unit: str | None,
) -> Said:
    if not losses:
        said = "The models' errors are beyond the range of floats: they cannot be ranked."
        return "Not comparable", "none", said
    (loss,) = losses
    if _without_interval(models):
        leader = _leader(first(models, loss), column, loss, unit)
        return "No intervals", "note", f"{leader}; how sure that is, the rows do not say."
    level = not_beaten(models, loss)
    if len(level) == len(models):
        said = f"{_capital(compared)} show no difference by {FIGURE[loss]} between "
        return "No difference", "note", f"{said}{names_of(models, column)}."
    if len(level) == 1:
        return (
            "One model leads",
            "calm",
            f"{name_of(level[0], column)} has the smallest " + (f"{FIGURE[loss]}."),
        )
    said = f"By {FIGURE[loss]} no model is surely ahead of "
    return "No one model wins", "note", f"{said}{names_of(level, column)}."


def gap_words(
    above: Gap, figure: str, name: str, best: str, compared: str, unit: str | None = None
) -> str:
    """Return a difference to the first model, with its interval, in a sentence."""
    if above.low is None or above.high is None:
        return (
            f"{name}'s {figure} is {amount(above.value, unit)} above {best}'s; the rows allow no "
            "interval for it."
        )
    if above.value == 0 and above.low == above.high:
        return f"{name}'s {figure} is the same as {best}'s."
    scale = above.scale
    if above.sure:
        low, high = number(above.low, scale), number(above.high, scale)
        between = f"{low} to {amount(above.high, unit, scale)}"
        between = between if low != high else amount(above.low, unit, scale)
        return f"{name}'s {figure} is {between} higher than {best}'s."
    return (
        f"{name}'s {figure} is {amount(above.value, unit, scale)} higher than {best}'s: no "
        f"difference that {compared} show ({number(-above.low, scale)} lower to "
        f"{amount(above.high, unit, scale)} higher)."
    )


def gap_sentences(
    models: Sequence[Model],
    column: str | None,
    losses: Sequence[Loss],
    compared: str,
    unit: str | None = None,
) -> list[str]:
    """Return the differences to the first model by each loss, the smallest first."""
    said = []
    for loss in losses:
        best = first(models, loss)
        gaps = [(m, m.mae_gap if loss == "L1" else m.rmse_gap) for m in models]
        nearest = sorted(((m, g) for m, g in gaps if g is not None), key=lambda pair: pair[1].value)
        said += [
            gap_words(g, FIGURE[loss], name_of(m, column), name_of(best, column), compared, unit)
            for m, g in nearest[:MOST_GAPS]
            if best is not None
        ]
    return said


def without_words(
    left: Sequence[Model],
    models: Sequence[Model],
    sources: Sequence[tuple[tuple[str, ...], tuple[str | None, ...]]],
    column: str | None,
    paired: Paired | None,
    n: int,
    whose: str,
    unit: str | None = None,
) -> str:
    """Return which models come first once the sources of (whose) large errors are left out."""
    places = listed([group_name(by, key, LONGEST) for by, key in sources])
    them, are = ("it", "is the source") if len(sources) == 1 else ("them", "are the sources")
    source = f"{places} {are} of {whose} largest errors."
    by_mae, by_rmse = first(left, "L1"), first(left, "L2")
    was = first(models, "L1"), first(models, "L2")
    if by_mae is None or by_rmse is None:
        return f"{source} Without {them} nothing is left that ranks the models by both losses."
    differed = None not in was and was[0] is not was[1]
    name = name_of(by_mae, column)
    if by_mae is not by_rmse:
        still = "still " if differed else ""
        return (
            f"{source} Without {them}, {name} {still}comes first by MAE and "
            f"{name_of(by_rmse, column)} by RMSE{_within_chance(left, paired, n)}."
        )
    agree = f"L1 and L2 agree: {name} comes first" if differed else f"{name} comes first by both"
    mae, rmse = amount(by_mae.mae, unit), _rmse(by_mae, unit)
    close = {m for loss in FIGURE for m in not_beaten(left, loss)} - {by_mae}
    ordered = [m for m in left if m in close]
    though = ""
    if ordered:
        beside = names_of(ordered, column)
        though = f", though {units(paired, n)} do not tell it surely from {beside} by both"
    return f"{source} Without {them}, {agree} (MAE {mae}, RMSE {rmse}){though}."


def _within_chance(left: Sequence[Model], paired: Paired | None, n: int) -> str:
    """Return by which losses the two models that come first are not told apart, if by any."""
    other: dict[Loss, Model | None] = {"L1": first(left, "L2"), "L2": first(left, "L1")}
    unsure = [FIGURE[loss] for loss, model in other.items() if model in not_beaten(left, loss)]
    told = f"; {units(paired, n)} do not tell the two surely apart by {' or '.join(unsure)}"
    return told if unsure else ""


def units(paired: Paired | None, n: int) -> str:
    """Return what is compared, with its number: "10,000 rows"."""
    return "the models' rows" if paired is None else count(n, paired[:-1])


def too_few_words(paired: Paired | None, n: int, models: int) -> Said:
    """Return that there is too little to compare."""
    of = "of one of them" if paired is None else "that all of them scored"
    if not n:
        said = (
            f"The {models:,} models cannot be compared: there is no {(paired or 'rows')[:-1]} {of}."
        )
        return "Not comparable", "none", said
    what = count(n, (paired or "rows")[:-1])
    return "Too few rows", "none", f"Too few rows to compare {models:,} models ({what} {of})."


def why_words(
    paired: Paired | None,
    n: int,
    lost: int,
    models: Sequence[Model],
    more: int,
    *,
    estimated: bool,
    without_id: int = 0,
) -> str:
    """Return what the models are compared on, and what is lost by that."""
    k = len(models)
    all_of = "both models" if k == 2 else f"all {k:,} models"
    said = ""
    if more:
        said = f"Of {k + more:,} models the {k:,} with the most rows are compared. "
    if paired is None:
        return (
            f"{said}Each model is judged by its own rows, which may differ in how hard they are: "
            "neither ids (--id) nor times (--time) that all models share say which belong together."
        )
    if paired in ("hours", "days"):
        one = paired[:-1]
        rest = f"; {count(lost, 'row')} of other {paired} or without time {_are(lost)} left out"
        return (
            f"{said}Compared {one} by {one}, on {count(n, one)} in which {all_of} have rows"
            f"{rest if lost else ''}. Each {one} weighs the same for every model. An --id that "
            "all of them share would compare them id by id."
        )
    about = "about " if estimated else ""
    rest = "no row is lost by that" if paired == "rows" else "no id is lost by that"
    if lost:
        one = paired[:-1]
        rest = f"{about}{count(lost, one)} that only some of them scored {_are(lost)} left out"
    said += f"Compared on the {count(n, paired[:-1])} that {all_of} scored; {rest}."
    if without_id:
        said += f" {count(without_id, 'row')} without an id {_are(without_id)} left out as well."
    if estimated:
        said += " These ids are a sample, evenly drawn, of the log's: the figures are estimates."
    return said


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def how_words(paired: Paired | None, clusters: Sequence[str], models: int) -> str:
    """Return what the intervals are."""
    pairs = models * (models - 1) // 2
    level = (
        "The intervals of the differences are at 95%"
        if pairs == 1
        else f"The intervals of the differences hold at 95% for all {pairs:,} pairs of models "
        "together (Bonferroni)"
    )
    if paired in ("hours", "days"):
        return f"{level}, by how the difference varies from {paired[:-1]} to {paired[:-1]}."
    taken = [paired or "rows", *(f"{c}s" for c in clusters if f"{c}s" != paired)]
    if len(taken) == 1:
        return f"{level}; they take the {taken[0]} as independent."
    return f"{level}; each is the widest of those that take {' or '.join(taken)} as independent."
