"""Gathers the rows that moved on one night into events: one for each thing that happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lossreport.nights.changes import Place
from lossreport.nights.levels import Hit
from lossreport.nights.series import FAMILIES, Floats

HALF = 0.5
"""Where so many groups move, it is all rows that moved."""
AS_WELL = 1.5
"""Standard deviations from which a group counts among those that moved."""
WITH_IT = 1.0
"""Standard deviations from which a group of another grouping is taken to have moved with one."""


@dataclass(frozen=True)
class Moved:
    """A place that moved, and what moved with it."""

    lead: Hit
    """Of its figure that is told: MAE if that moved."""
    rows: tuple[int, ...]
    """Whose level is another from now on."""
    also: tuple[Place, ...]


def gather(hits: Sequence[Hit], z: Floats, places: Sequence[Place]) -> list[Moved]:
    """Return one event for each place that moved, or one for all rows where half of them did.

    A group's rows are in other groupings' groups and among all rows too; what moves there as well
    is told with the group that moved most.

    Parameters
    ----------
    hits
        The rows beyond chance.
    z
        Of every row, in standard deviations.
    places
        Row f * len(places) + p is of figure f and place p.
    """
    found = []
    for predicted in dict.fromkeys(p.predicted for p in places):
        for family in FAMILIES:
            mine = [
                h
                for h in hits
                if places[h.row % len(places)].predicted == predicted
                and h.row // len(places) in family
            ]
            if mine:
                found += _of_family(mine, z, places, predicted, family)
    return found


def _of_family(
    hits: Sequence[Hit], z: Floats, places: Sequence[Place], predicted: str, family: Sequence[int]
) -> list[Moved]:
    count = len(places)
    by_place: dict[int, list[Hit]] = {}
    for hit in hits:
        by_place.setdefault(hit.row % count, []).append(hit)
    leads = {
        p: min(each, key=lambda h: (h.row >= count, -abs(h.z))) for p, each in by_place.items()
    }
    groups = {p: h for p, h in leads.items() if places[p].by}
    whole = next((p for p in leads if not places[p].by), None)
    ours = [p for p, place in enumerate(places) if place.predicted == predicted]
    if whole is not None and (not groups or _most_moved(leads[whole], z, places, ours)):
        rows = tuple(f * count + p for f in family for p in ours)
        return [Moved(leads[whole], rows, tuple(places[p] for p in groups))]
    if not groups:
        return []
    strongest = max(groups, key=lambda p: abs(groups[p].moved))
    told = [p for p in groups if places[p].by == places[strongest].by]
    also = tuple(places[p] for p in leads if p not in told)
    elsewhere = [p for p in ours if places[p].by != places[strongest].by]
    found = []
    for p in told:
        mine = [f * count + p for f in family]
        if p == strongest:
            mine += [
                f * count + e
                for f in family
                for e in elsewhere
                if not places[e].by or abs(z[f * count + e]) >= WITH_IT
            ]
        found.append(Moved(leads[p], tuple(mine), also if p == strongest else ()))
    return found


def _most_moved(lead: Hit, z: Floats, places: Sequence[Place], ours: Sequence[int]) -> bool:
    """Return whether in some grouping half of the groups moved as all rows did."""
    offset = lead.row - lead.row % len(places)
    told: dict[tuple[str, ...], list[bool]] = {}
    for p in ours:
        of = z[offset + p]
        if places[p].by and of == of:
            told.setdefault(places[p].by, []).append(bool(of * lead.z > 0 and abs(of) >= AS_WELL))
    return any(sum(moved) >= HALF * len(moved) for moved in told.values())
