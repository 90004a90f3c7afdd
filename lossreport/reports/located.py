"""Where the loss comes from: sources, slices, few rows, and what becomes of groups without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lossreport.advice.advice import Advice
from lossreport.advice.histogram import ErrorHistogram
from lossreport.profiles.profile import Profile
from lossreport.reports.attribution import attribute
from lossreport.reports.concentration import few_rows
from lossreport.reports.curves import Exceedance, exceedance
from lossreport.reports.groups import RawGroups
from lossreport.reports.ranking_flips import ranking_flips
from lossreport.reports.results import Grouping
from lossreport.reports.scored import By, Scored, shown_columns
from lossreport.reports.slices import find_slices
from lossreport.reports.where import Attribution, Concentration, Origin, Slices

MAX_CURVES = 12


@dataclass(frozen=True)
class Located:
    """Where one prediction's loss comes from."""

    groupings: tuple[Grouping, ...]
    """With the roles of their groups."""
    attribution: Attribution | None
    slices: Slices | None
    concentration: Concentration | None
    ranking_flips: tuple[str, ...]
    exceedance: tuple[Exceedance, ...]


def locate(
    profile: Profile,
    i: int,
    rows: Scored,
    groupings: Sequence[Grouping],
    advice: Advice,
    unit: str | None,
) -> Located:
    """Return where the loss of prediction column number `i` comes from.

    Parameters
    ----------
    groupings
        In the order of `rows.by_column`.
    advice
        Says the delta for the Huber loss, and which rows lie apart from all others.
    """
    found, slices, few = None, None, None
    origins: Sequence[Origin] = ()
    left: Mapping[By, RawGroups] = {}
    if rows.tail_tells:
        made = zip(rows.by_column, groupings, strict=True)
        flagged = {by: tuple(g.flagged for g in grouping.groups) for by, grouping in made}
        found, left = attribute(profile, i, rows.by_column, flagged, advice.delta)
        origins = found.origins if found else ()
        keys = profile.columns.keys
        shown = dict(zip(keys, shown_columns(keys, profile.columns), strict=True))
        slices = find_slices(profile, i, origins, shown)
        few = few_rows(rows.log.histogram, rows.raw, advice.broken)
        found = found and _named(found, rows.names)
        origins = found.origins if found else ()
    left = {rows.names[by]: groups for by, groups in left.items()}
    return Located(
        groupings=tuple(_with_roles(g, found) for g in groupings),
        attribution=found,
        slices=slices,
        concentration=few,
        ranking_flips=ranking_flips(rows.raw, left, origins, unit),
        exceedance=_exceedance(rows.raw, origins, rows.log.histogram),
    )


def _named(attribution: Attribution, names: Mapping[By, By]) -> Attribution:
    """Return it with columns called as they are shown."""
    return replace(
        attribution,
        origins=tuple(replace(o, by=names[o.by]) for o in attribution.origins),
        roles={(names[by], key): role for (by, key), role in attribution.roles.items()},
        outside={(names[by], key): f for (by, key), f in attribution.outside.items()},
    )


def _with_roles(grouping: Grouping, attribution: Attribution | None) -> Grouping:
    if attribution is None:
        return grouping
    groups = (
        replace(
            g,
            role=attribution.roles.get((grouping.by, g.key)),
            without_source=attribution.outside.get((grouping.by, g.key)),
        )
        for g in grouping.groups
    )
    return replace(grouping, groups=tuple(groups))


def _exceedance(
    raw: Mapping[By, RawGroups], origins: Sequence[Origin], whole: ErrorHistogram | None
) -> tuple[Exceedance, ...]:
    """Return the curves of the grouping that the first source is in, else of the smallest one.

    At most 12 of its groups: the sources, then those with the most squared error. Without a source
    and with more groups than that, which would say little of the log, the curve of all rows.
    """
    sources = {(o.by, o.key) for o in origins}
    drawable = [by for by, groups in raw.items() if 2 <= len(groups.groups) <= MAX_CURVES]
    by = origins[0].by if origins else min(drawable, key=lambda b: len(raw[b].groups), default=None)
    if by is None:
        points = exceedance(whole) if whole else ()
        return (Exceedance((), (), False, points),) if points else ()
    groups = sorted(raw[by].groups, key=lambda g: (by, g.key) not in sources)
    curves = (
        Exceedance(by, g.key, (by, g.key) in sources, exceedance(g.histogram))
        for g in groups[:MAX_CURVES]
        if g.histogram
    )
    return tuple(c for c in curves if c.points)
