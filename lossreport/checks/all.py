"""All checks on the data, in one place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lossreport.checks import order, pairs, placeholders, places, repeats, totals, units, values
from lossreport.checks.finding import Finding
from lossreport.checks.view import View, skipped, view_of
from lossreport.profiles.profile import Profile
from lossreport.reports.results import Ledger

Check = Callable[[View], Finding]

OF_THE_LOG: tuple[Check, ...] = (
    repeats.duplicate_rows,
    repeats.duplicate_ids,
    lambda view: placeholders.placeholders(view, "actual"),
    values.constant_actual,
    order.stale,
    places.impossible_times,
    places.uneven_days,
    order.repeated_times,
    places.thin_files,
    places.lookalike_groups,
)
OF_A_PREDICTION: tuple[Check, ...] = (
    lambda view: placeholders.placeholders(view, "predicted"),
    units.unit_slips,
    pairs.sign_flips,
    values.constant,
    values.clipped,
    pairs.copies,
    order.persistence,
    pairs.probabilities,
    values.whole,
    values.negative,
    totals.totals,
)
CODES = (*(f"LR{n:03d}" for n in range(12, 33)), "LR034", "LR036")


def check_data(profile: Profile, ledgers: list[tuple[str | None, Ledger]]) -> list[Finding]:
    """Return what the checks on the data found.

    Parameters
    ----------
    profile
        Of the log.
    ledgers
        For each prediction its name (None if it is the only one) and its ledger.
    """
    found = []
    for i, (name, ledger) in enumerate(ledgers):
        view = view_of(profile, i, name)
        if view is None:
            why = "The profile was made by a version of lossreport that kept no rows for checks."
            return [skipped(code, "The data itself", why) for code in CODES]
        with np.errstate(all="ignore"):  # values near the largest float are compared, not trusted
            found += _checked(view, dict(ledger.left_out), first=i == 0)
    return found


def _checked(view: View, left_out: dict[str, int], *, first: bool) -> list[Finding]:
    """Return what the checks of one prediction found, and, if it is the first, of the log."""
    found = [check(view) for check in (*(OF_THE_LOG if first else ()), *OF_A_PREDICTION)]
    if first:
        found.append(repeats.tokens(view, "actual", left_out.get("actual_not_numeric", 0)))
    found.append(repeats.tokens(view, "predicted", left_out.get("predicted_not_numeric", 0)))
    return found
