"""The groups of one grouping: their figures, flags and advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossreport.advice.advice import Goal
from lossreport.advice.choice import advise_all, with_costs
from lossreport.advice.mixing import Decomposition, decompose
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.pairs import Outcome
from lossreport.losses import from_sums
from lossreport.reports.advising import DECOMPOSED, By, Costs, of_outcome
from lossreport.reports.biased import biased_groups
from lossreport.reports.figures import Figures, beyond_rows, figures, judged_ratios
from lossreport.reports.groups import RawGroup, RawGroups, all_others
from lossreport.reports.recommending import recommendation
from lossreport.reports.results import Group, Grouping, Recommendation
from lossreport.reports.scored import ledger_of, of_all, share_of


def grouping_of(
    by: By,
    raw: RawGroups,
    whole: Mapping[str, Any],
    goal: Goal,
    costs: Costs | None,
    unit: str | None,
    *,
    outcome: Outcome | None,
) -> Grouping:
    """Return a grouping's groups; `whole` are the sums of all rows."""
    judged = _judged(raw.groups, goal, costs, unit, outcome=outcome)
    flags, rest_flagged = _flags([own for own, _ in judged], raw, outcome=outcome)
    each = zip(
        raw.groups, judged, flags, all_others(raw), biased_groups(raw.groups, int(whole["n"])),
        strict=True,
    )  # fmt: skip
    return Grouping(
        by,
        tuple(
            _group(group, own, advised, whole, others, flagged=flag, biased=leans)
            for group, (own, advised), flag, others, leans in each
        ),
        _decomposition(raw),
        raw.rest_groups,
        None if raw.rest is None else ledger_of(raw.rest),
        None if raw.rest is None else figures(raw.rest, None),
        rest_flagged,
    )


def _flags(
    of_groups: Sequence[Figures], raw: RawGroups, *, outcome: Outcome | None
) -> tuple[list[bool], int]:
    """Return which groups are driven by outliers, and how many of those not told apart."""
    if outcome is not None:
        # Of a rare outcome most errors are small and few are near 1: no outliers, but what it is.
        return [False] * len(of_groups), 0
    n, absolute, squared = (raw.others[s].to_numpy() for s in DECOMPOSED)
    with np.errstate(all="ignore"):  # of groups that are not tested
        others = np.sqrt(squared / n) / (absolute / n)
    own, own_n = judged_ratios(of_groups)
    flags = beyond_rows(np.append(own, others), np.append(own_n, n), MINIMUM_ROWS)
    return flags[: len(own)].tolist(), int(flags[len(own) :].sum())


def _judged(
    groups: Sequence[RawGroup],
    goal: Goal,
    costs: Costs | None,
    unit: str | None,
    *,
    outcome: Outcome | None,
) -> list[tuple[Figures, Recommendation]]:
    """Return each group's figures and the advice for it."""
    judged = []
    shapes = [(group.judged, int(group.sums["n"])) for group in groups]
    for group, usual in zip(groups, advise_all(shapes, goal, detail=False), strict=True):
        advice = of_outcome(usual, outcome)
        own = figures(group.sums, group.histogram, advice.delta, group.judged)
        if costs and outcome is None:
            advice = with_costs(advice, of_all(group), *costs)
        judged.append((own, recommendation(advice, own, unit)))
    return judged


def _group(
    group: RawGroup,
    own: Figures,
    advised: Recommendation,
    whole: Mapping[str, Any],
    others: Mapping[str, Any],
    *,
    flagged: bool,
    biased: bool,
) -> Group:
    return Group(
        key=group.key,
        rows=ledger_of(group.sums),
        figures=own,
        share_of_rows=share_of(group.sums["n"], whole["n"]) or 0.0,
        share_of_abs_error=share_of(group.sums["sum_abs_error"], whole["sum_abs_error"]),
        share_of_sq_error=share_of(group.sums["sum_sq_error"], whole["sum_sq_error"]),
        ratio_without=from_sums(others)["ratio"],
        flagged=flagged,
        too_few_rows=own.n < MINIMUM_ROWS,
        recommendation=advised,
        biased=biased,
    )


def _decomposition(raw: RawGroups) -> Decomposition | None:
    """Return the ratio inside and between the groups; None if not all of them are told apart."""
    if raw.rest is not None:
        return None
    return decompose(*([g.sums[name] for g in raw.groups] for name in DECOMPOSED))
