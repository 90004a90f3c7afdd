"""Sources and symptoms: which groups make the large errors, and which only contain rows of these.

When one region's errors have outliers, every model and every product sold there looks
outlier-driven as well. A *source* is a group that holds far more of the large errors than its
rows explain, and without which the log's ratio falls; a flagged group is *affected* if it is not
flagged any more once the sources' rows are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from lossreport.advice.histogram import ErrorHistogram
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.losses import GAUSSIAN_RATIO, from_sums
from lossreport.profiles.profile import Profile
from lossreport.reports.figures import Figures, figures, outlier_driven
from lossreport.reports.filters import filters_for
from lossreport.reports.groups import Key, RawGroup, RawGroups, all_others, groups_of
from lossreport.reports.where import Attribution, Origin

By = tuple[str, ...]
Groupings = Mapping[By, RawGroups]

MOST_SOURCES = 3
LARGE = (0.3, 0.5, 0.8)
"""Large are the fewest errors that make one of these shares of the squared error."""
FINER = 2.0
"""A group of a finer grouping must have so many times the weight of a coarser one's."""
SHARE, LIFT = 0.10, 2.0
"""A source holds at least this share of the squared error, and so many times its share of rows."""
CHANCE = 0.01
"""That any group holds so many of the large errors by chance."""
FALL = 0.75
"""Without a source, what the ratio is above a Gaussian's falls to this share or below."""


def attribute(
    profile: Profile,
    prediction: int,
    groupings: Groupings,
    flagged: Mapping[By, tuple[bool, ...]],
    delta: float | None = None,
) -> tuple[Attribution | None, Groupings]:
    """Return the sources of the large errors, and what is left of each group without them.

    Parameters
    ----------
    groupings, flagged
        The groups by each set of columns, and which of them are outlier-driven.
    delta
        For the Huber loss of the rows outside the sources.

    Returns
    -------
    Attribution or None
        None if there are no groups to compare, or so many that the log's rows are not kept by all
        group columns together (then sources cannot be left out of other groups).
    Mapping
        The groups by each set of columns without the rows of the sources; empty without sources.
    """
    cube = profile.tables[0]
    if len(profile.tables) > 1 or cube.histogram is None or not groupings:
        return None, {}
    origins: list[Origin] = []
    rest, now = profile, groupings
    centre = profile.centre(prediction)
    while len(origins) < MOST_SOURCES:
        found = _source(rest, prediction, now)
        if found is None:
            break
        origins.append(found)
        rest = without_group(rest, found.by, found.key)
        now = {by: groups_of(rest.table(by), prediction, centre) for by in groupings}
    if not origins:
        return Attribution((), {}, None), {}
    roles: dict[tuple[By, Key], str] = {}
    figures_outside: dict[tuple[By, Key], Figures] = {}
    for by, raw in groupings.items():
        left = {g.key: g for g in now[by].groups if g.sums["n"]}
        figures_outside |= {(by, key): figures(g.sums, None) for key, g in left.items()}
        still = dict(zip(left, _flags(list(left.values())), strict=True))
        for group, was in zip(raw.groups, flagged[by], strict=True):
            role = _role(by, group, origins, was=was, left=group.key in left)
            if role is None and was:
                role = "heavy tail" if still[group.key] else "affected"
            if role:
                roles[by, group.key] = role
    (log,) = groups_of(profile.table(()), prediction).groups
    (outside,) = groups_of(rest.table(()), prediction, centre).groups
    kinds = dict(zip(profile.columns.keys, profile.columns.kinds, strict=False))
    attributed = Attribution(
        # Each was found among what the sources before it left; its shares are of the whole log.
        tuple(
            replace(
                _origin(o.by, _group(groupings[o.by], o.key), log),
                filters=filters_for(o.by, o.key, [kinds.get(c, "") for c in o.by]),
            )
            for o in origins
        ),
        roles,
        figures(outside.sums, outside.histogram, delta, outside.judged),
        figures_outside,
        1 - float(outside.sums["sum_sq_error"]) / float(log.sums["sum_sq_error"]),
    )
    return attributed, now


def _group(groups: RawGroups, key: Key) -> RawGroup:
    return next(g for g in groups.groups if g.key == key)


def _role(by: By, group: RawGroup, origins: list[Origin], *, was: bool, left: bool) -> str | None:
    if any((o.by, o.key) == (by, group.key) for o in origins):
        return "source"
    return "part of the source" if was and not left else None


def _flags(groups: list[RawGroup]) -> list[bool]:
    own: list[Figures] = [figures(g.sums, g.histogram, judged=g.judged) for g in groups]
    return outlier_driven(own, MINIMUM_ROWS)


def without_group(profile: Profile, by: By, key: Key) -> Profile:
    """Return the profile without the rows of a group."""
    cube = profile.tables[0]
    inside = pl.all_horizontal(
        pl.col(f"key_{cube.by.index(column)}").eq_missing(pl.lit(value, pl.String))
        for column, value in zip(by, key, strict=True)
    )
    assert cube.histogram is not None
    table = replace(
        cube,
        moments=cube.moments.filter(~inside),
        histogram=cube.histogram.filter(~inside),
        centred=None if cube.centred is None else cube.centred.filter(~inside),
    )
    return replace(profile, tables=(table,))


def _source(profile: Profile, prediction: int, groupings: Groupings) -> Origin | None:
    """Return the group that holds most of the squared error for its rows, if it is a source."""
    (log,) = groups_of(profile.table(()), prediction).groups
    ratio = from_sums(log.sums)["ratio"] if log.sums["n"] else None
    if log.histogram is None or ratio is None or not np.any(log.histogram.mean):
        return None
    cuts = [cut_for(log.histogram, share) for share in LARGE]
    large = [log.histogram.beyond(cut)[0] for cut in cuts]
    looks = len(cuts) * sum(len(raw.groups) for raw in groupings.values())
    best: Origin | None = None
    for by in sorted(groupings, key=len):
        raw = groupings[by]
        for group, others in zip(raw.groups, all_others(raw), strict=True):
            without = from_sums(others)["ratio"] if others["n"] else None
            if group.histogram is None or without is None:
                continue
            origin = _origin(by, group, log)
            inside = [group.histogram.beyond(cut)[0] for cut in cuts]
            found = zip(inside, large, strict=True)
            chance = min(chance_of(k, n, origin.share_of_rows) for k, n in found)
            finer = FINER if best and len(by) > len(best.by) else 1 + 1e-9
            conditions = (
                best is None or origin.weight > finer * best.weight,
                origin.share_of_sq_error >= max(SHARE, LIFT * origin.share_of_rows),
                without - GAUSSIAN_RATIO <= FALL * (ratio - GAUSSIAN_RATIO),
                chance * looks < CHANCE,
            )
            if all(conditions):
                best = origin
    return best


def _origin(by: By, group: RawGroup, log: RawGroup) -> Origin:
    shares = {
        s: float(group.sums[s]) / float(log.sums[s]) if log.sums[s] else 0.0
        for s in ("n", "sum_abs_error", "sum_sq_error")
    }
    return Origin(
        by=by,
        key=group.key,
        rows=int(group.sums["n"]),
        share_of_rows=shares["n"],
        share_of_abs_error=shares["sum_abs_error"],
        share_of_sq_error=shares["sum_sq_error"],
    )


def cut_for(histogram: ErrorHistogram, share: float) -> float:
    """Return a cut beyond which the fewest rows make this share of the squared error."""
    order = np.argsort(-histogram.edge, kind="stable")
    top = float(np.max(np.abs(histogram.mean)))
    squares = (histogram.mean / top) ** 2 + (histogram.deviation / top) ** 2
    held = np.cumsum((histogram.n * squares)[order])
    last = histogram.edge[order][int(np.searchsorted(held, share * held[-1]))]
    inner = histogram.edge[histogram.edge < last]
    return float(inner.max()) if len(inner) else 0.0


def chance_of(inside: int, large: int, share: float) -> float:
    """Return a bound of the chance that so many of the large errors are in a share of the rows.

    Chernoff's: exp(-n KL(k / n || p)) bounds the binomial tail P(X >= k) for k > n p.
    """
    if not large or inside <= large * share or share >= 1:
        return 1.0
    found = inside / large
    distance = found * math.log(found / share)
    if found < 1:
        distance += (1 - found) * math.log((1 - found) / (1 - share))
    return math.exp(-large * distance)
