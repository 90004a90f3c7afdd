"""What changed, in sentences that are true of every night."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.formats import amount, change, count, group_name, key_value, percent, ratio
from lossreport.nights.changes import Difference, Event, Figure, Place, PlaceChange
from lossreport.nights.series import IN_PROPORTION, LEAST

LONGEST = 28
NAMES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "ratio": "RMSE/MAE",
    "bias": "Bias",
    "left_out_share": "The left-out share",
    "rows": "The number of rows",
}
Told = tuple[PlaceChange, Difference]
"""A difference, and the place that it is of."""
HOW_DIFFERENT = (
    "Differences hold at 95 % each, by the delta method from the sums of both sides; the variation "
    "from night to night counts where seven steps between earlier nights tell it. A difference is "
    "called sure if it is beyond chance over all groups and figures (Benjamini and Hochberg, 5 %)."
)
HOW_ALARMED = (
    "Each figure is followed through the nights, its weekly pattern taken out once four nights of "
    "each weekday are there. A shift is a level that the last 2, 3, 5 or 8 nights together share "
    "and the nights before do not; creeping is told by the last two weeks against the first two of "
    "the level; both are beyond a chance of 1 in 2,000 a night over all groups and figures (Holm), "
    "and told on the night that they are found. The nights alone decide: nothing else is stored."
)


def value(figure: Figure, of: float | None, unit: str | None, scale: float | None = None) -> str:
    """Return a figure's value as it is read."""
    if figure == "left_out_share":
        return percent(of)
    if figure == "ratio":
        return ratio(of)
    if figure == "rows":
        return count(round(of or 0))
    return amount(of, unit, scale, signed=figure == "bias")


def place_name(place: Place, several: bool = False) -> str:
    """Return a place in words; with its prediction where there are several."""
    name = group_name(place.by, place.key, LONGEST) if place.by else "all rows"
    return f"{name} ({key_value(place.predicted, LONGEST)})" if several else name


def moved_words(
    kind: str, place: str, figure: Figure, since: str, values: tuple[float, float],
    also: Sequence[Place], unit: str | None,
) -> str:  # fmt: skip
    """Return the sentence of a shift, of creeping or of a bad night."""
    before, now = values
    scale = max(abs(before), abs(now)) or None
    texts = tuple(value(figure, v, unit, scale) for v in values)
    by = f" ({change(now / before - 1)})" if figure in IN_PROPORTION and before > 0 else ""
    of = f"{NAMES[figure]} of {place}"
    groups = sum(bool(p.by) for p in also)
    with_it = f"; {count(groups, 'group')} moved with it" if groups else ""
    if kind == "shift":
        return f"{of} shifted since {since}, from {texts[0]} to {texts[1]}{by}{with_it}."
    if kind == "creep":
        lately = f"{texts[1]} over the last two weeks"
        return f"{of} creeps since {since}, from {texts[0]} to {lately}{by}{with_it}."
    return (
        f"{of} is {texts[1]} on this night, where {texts[0]} was expected{by}{with_it}. One night "
        "is no shift; it becomes one if the next nights stay there."
    )


def odd_words(kind: str, rows: float, usual: float | None, several: str = "") -> str:
    """Return the sentence of a night that is not what nights usually are."""
    n = count(round(rows), "row")
    if kind == "nothing scored":
        whole = "The only row" if rows == 1 else f"All {n}"
        return f"{whole} of the night{several} {'is' if rows == 1 else 'are'} left out: no figure."
    share = f", {percent(rows / usual)} of the usual {count(round(usual))}" if usual else ""
    if kind == "few rows":
        return f"The night has {n}{share}: its groups are not judged."
    return f"The night has {n}{share}: look for repeated rows; its groups are not judged."


def coming_words(kind: str, place: str, rows: tuple[float | None, float], other: str = "") -> str:
    """Return the sentence of a group that came or went."""
    before, now = (None if r is None else count(round(r), "row") for r in rows)
    if kind == "renamed":
        return (
            f"{place} looks like {other} now: one went and the other came, with {before} a night "
            f"before and {now} since, and errors alike within chance."
        )
    if kind == "vanished":
        return f"{place} has gone: it had {before} a night before."
    if kind == "back":
        return f"{place} is back, with {now}."
    return f"{place} is new, with {now}."


def headline(
    alarms: Sequence[Event], told: Sequence[Told], said: str | None, nights: int,
    unit: str | None, several: bool,
) -> tuple[str, tuple[str, ...]]:  # fmt: skip
    """Return what changed in one sentence, and more points; `told` is of `differences_told`."""
    if alarms:
        first, *others = (e.sentence for e in alarms)
        # What comes or goes says nothing of the figures of all rows.
        known = any(not p.by for e in alarms if e.figure for p in (e.place, *e.also))
        whole = next((t for t in told if not t[0].place.by), None)
        if whole and said is not None and not known:
            others = [_sure_words(whole, said, unit, several), *others]
        return first, tuple(others)
    if said is None:
        return "There is no earlier night to compare with yet.", ()
    quiet = (
        f"Nothing shifted, crept, came or went on this night, the last of {count(nights, 'night')}."
    )
    if told:
        first = _sure_words(told[0], said, unit, several)
        groups = [t for t in told if t[0].place.by and t[0] != told[0][0]]
        most = max(groups, key=lambda t: abs(t[1].share or 0.0), default=None)
        points: tuple[str, ...] = ()
        if most:
            points = (_sure_words(most, said, unit, several),)
        left = len(told) - 1 - len(points)
        if left:
            differ = "differs" if left == 1 else "differ"
            points += (f"{count(left, 'more figure')} {differ} beyond chance.",)
        return first, (*points, quiet) if nights > 1 else points
    return quiet if nights > 1 else f"No figure differs from {said} beyond chance and by much.", ()


def differences_told(compared: Sequence[PlaceChange]) -> list[Told]:
    """Return the differences that are sure, and large enough to be told."""
    return [(p, d) for p in compared for d in p.differences if d.sure and worth_telling(p, d)]


def worth_telling(changed: PlaceChange, of: Difference) -> bool:
    """Return whether a difference is as large as those that alarms tell."""
    if of.change is None:
        return False
    unit = 1.0
    if of.figure in IN_PROPORTION:
        unit = abs(of.before or 0.0)
    elif of.figure == "bias":
        unit = changed.of("mae").before or 0.0
    return abs(of.change) >= LEAST[of.figure] * unit


def _sure_words(told: Told, said: str, unit: str | None, several: bool) -> str:
    changed, of = told
    scale = max(abs(of.now or 0), abs(of.before or 0)) or None
    now, before = (value(of.figure, v, unit, scale) for v in (of.now, of.before))
    share = of.share
    by = f" ({change(share)})" if of.figure in IN_PROPORTION and share is not None else ""
    name = place_name(changed.place, several)
    return f"{NAMES[of.figure]} of {name} is {now}; it was {before} in {said}{by}. Beyond chance."
