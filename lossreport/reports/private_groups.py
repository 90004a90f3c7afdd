"""Hides groups: their names become hashes, and small ones are told with others or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lossreport.reports.comparing import in_words as comparison_in_words
from lossreport.reports.comparison import Comparison, Without
from lossreport.reports.curves import Exceedance
from lossreport.reports.figures import Figures
from lossreport.reports.private_fields import only
from lossreport.reports.private_figures import (
    curve,
    hidden,
    ledger,
    none_or_enough,
    together,
    told_apart,
)
from lossreport.reports.results import Group, Grouping, Prediction
from lossreport.reports.slices import in_words as slice_in_words
from lossreport.reports.where import Attribution, Concentration, Slices

DIGITS = 10
"""Hexadecimal digits of a hash: among 10,000 names two are the same once in 20,000 reports."""
By = tuple[str, ...]
Key = tuple[str | None, ...]
Told = Mapping[tuple[By, Key], Group]
"""The groups that are told, by their columns and hashed values."""


def hashed(name: str, column: str) -> str:
    """Return what stands for a name: the beginning of the SHA-256 of column, a zero byte, name."""
    text = f"{column}\0{name}".encode("utf-8", errors="surrogatepass")
    return f"#{hashlib.sha256(text).hexdigest()[:DIGITS]}"


def hashed_key(by: By, key: Key) -> Key:
    """Return a group's values under their hashes; a missing one stays missing."""
    return tuple(None if k is None else hashed(k, b) for b, k in zip(by, key, strict=True))


def told_of(groupings: Iterable[Grouping]) -> Told:
    """Return the groups of private groupings."""
    return {(g.by, x.key): x for g in groupings for x in g.groups}


def grouping(found: Grouping, least: int) -> Grouping:
    """Return a grouping whose small groups are in the rest."""
    others = found.rest_figures.n if found.rest_figures else 0
    apart = told_apart([g.figures.n for g in found.groups], least, others)
    kept = tuple(_group(found.by, g, least) for i, g in enumerate(found.groups) if i in apart)
    rest = [(g.rows, g.figures) for i, g in enumerate(found.groups) if i not in apart]
    away = len(rest)
    flagged = sum(g.flagged for i, g in enumerate(found.groups) if i not in apart)
    if found.rest_rows is not None and found.rest_figures is not None:
        rest.append((found.rest_rows, found.rest_figures))
    return only(
        found,
        groups=kept,
        rest_groups=found.rest_groups + away,
        rest_rows=ledger([rows for rows, _ in rest]) if away else found.rest_rows,
        rest_figures=together([f for _, f in rest]) if away else found.rest_figures,
        rest_flagged=found.rest_flagged + flagged,
    )


def _group(by: By, group: Group, least: int) -> Group:
    outside = group.without_source
    if outside is not None:
        outside = _part(outside, group.figures.n, least)
    return only(
        group,
        key=hashed_key(by, group.key),
        figures=hidden(group.figures, least),
        role=group.role,
        without_source=outside,
    )


def _part(some: Figures, whole: int, least: int) -> Figures | None:
    """Return the figures of some of the rows; None if they, or the other rows, are too few."""
    enough = none_or_enough(whole - some.n, least) and none_or_enough(some.n, least)
    return hidden(some, least) if enough else None


def without_roles(found: Grouping) -> Grouping:
    """Return a grouping that says nothing of sources."""
    groups = tuple(replace(g, role=None, without_source=None) for g in found.groups)
    return replace(found, groups=groups)


def attribution(found: Attribution, n: int, told: Told, least: int) -> Attribution | None:
    """Return the sources under their hashes; None if one of them is hidden.

    Also None if too few rows are in several sources or in none: both follow from the sums.
    """
    origins = tuple(only(o, key=hashed_key(o.by, o.key), filters=None) for o in found.origins)
    if any((o.by, o.key) not in told for o in origins):
        return None
    if found.without is not None:
        inside = n - found.without.n
        twice = sum(o.rows for o in origins) - inside
        if not (none_or_enough(twice, least) and none_or_enough(found.without.n, least)):
            return None
    roles = {(by, hashed_key(by, key)): role for (by, key), role in found.roles.items()}
    return only(
        found,
        origins=origins,
        roles={group: role for group, role in roles.items() if group in told},
        without=found.without and hidden(found.without, least),
        outside={
            group: x.without_source for group, x in told.items() if x.without_source is not None
        },
    )


def concentration(few: Concentration, told: Told, least: int) -> Concentration:
    """Return the few rows that make most of the squared error; their group only if it is told."""
    place = few.place
    if place is not None:
        key = hashed_key(place.by, place.key)
        without = hidden(place.without, least)
        place = only(place, key=key, without=without) if (place.by, key) in told else None
    return only(few, place=place)


def slices(found: Slices, n: int, told: Told, groupings: Sequence[Grouping], least: int) -> Slices:
    """Return the slices that can be told, without filters.

    Not those that are small, that lie in a group which is not told, or that leave so few rows of
    a larger slice or group that these could be worked out.
    """
    known = {_cell(by, key): x.figures.n for (by, key), x in told.items()} | {frozenset(): n}
    kept = []
    for one in found.found:
        made = slice_in_words(only(one, key=hashed_key(one.by, one.key), sentence="", filters=None))
        cell = _cell(made.by, made.key)
        parents = [g.by for g in groupings if set(g.by) <= set(made.by)]
        values = dict(cell)
        apart = all((by, tuple(values[c] for c in by)) in told for by in parents)
        if apart and made.rows >= least and _differs_enough(cell, made.rows, known, least):
            known[cell] = made.rows
            kept.append(made)
    return only(found, found=tuple(kept))


def _cell(by: By, key: Key) -> frozenset[tuple[str, str | None]]:
    return frozenset(zip(by, key, strict=True))


def _differs_enough(
    cell: frozenset[tuple[str, str | None]],
    rows: int,
    known: Mapping[frozenset[tuple[str, str | None]], int],
    least: int,
) -> bool:
    """Return whether the rows between a cell and each that it is part of, or has, are enough."""
    return all(
        none_or_enough(abs(n - rows), least)
        for other, n in known.items()
        if cell <= other or other <= cell
    )


def exceedance(
    curves: Iterable[Exceedance], n: int, told: Told, sources: Attribution | None, least: int
) -> tuple[Exceedance, ...]:
    """Return the curves of groups that are told, as far as many rows have a larger error."""
    places = {(o.by, o.key) for o in sources.origins} if sources else set()
    made = []
    for one in curves:
        key = hashed_key(one.by, one.key)
        if one.by and (one.by, key) not in told:
            continue
        rows = told[one.by, key].figures.n if one.by else n
        points = curve(one.points, rows, least)
        made.append(only(one, key=key, source=(one.by, key) in places, points=points))
    return tuple(c for c in made if c.points)


def comparison(
    found: Comparison, predictions: Sequence[Prediction], unit: str | None, least: int
) -> Comparison | None:
    """Return the comparison of models under their hashes; None if it tells of too few rows.

    It does where a model is hidden as a group, and where so few rows are left out that they are
    the difference to the model's own figures.

    Parameters
    ----------
    predictions
        The private ones.
    """
    told = told_of(predictions[0].groupings)
    column = found.column
    models = found.models
    if column is not None:
        models = tuple(only(m, name=None if m.name is None else hashed(m.name, column))
                       for m in models)  # fmt: skip
        apart = any(g.by == (column,) for g in predictions[0].groupings)
        if apart and any(((column,), (m.name,)) not in told for m in models):
            return None
    if not _enough(found, least):
        return None
    without = found.without and _without(found, found.without, predictions, least)
    return comparison_in_words(
        only(found, models=models, without=without, tag="", tone="none", headline="", points=()),
        predictions,
        unit,
    )


def _enough(found: Comparison, least: int) -> bool:
    rows = [m.rows for m in found.models]
    if found.paired in ("hours", "days"):
        return none_or_enough(found.lost, least) and min(rows) - found.lost >= least
    if found.n < least:
        return False
    return found.paired is None or all(none_or_enough(n - found.n, least) for n in rows)


def _without(
    found: Comparison,
    without: Without,
    predictions: Sequence[Prediction],
    least: int,
) -> Without | None:
    """Return the comparison without the sources; None if too few rows are in them, or outside."""
    told = told_of(predictions[0].groupings)
    column = found.column
    sources = tuple((by, hashed_key(by, key)) for by, key in without.sources)
    if any(source not in told for source in sources):
        return None
    made = tuple(
        m if column is None or m.name is None else only(m, name=hashed(m.name, column))
        for m in without.models
    )
    if column is None or (found.paired, without.paired) == ("ids", "ids"):
        enough = without.n >= least and none_or_enough(found.n - without.n, least)
    else:
        groups = [told.get(((column,), (m.name,))) for m in made]
        enough = all(g is not None and g.without_source is not None for g in groups)
    return only(without, sources=sources, models=made, said="") if enough else None
