"""Judges a report by gates: what cannot be decided never passes silently."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from lossreport.checks.finding import Finding
from lossreport.formats import count, group_name, key_value, visible
from lossreport.gates.baseline import before
from lossreport.gates.gate import Check, Gate, Judged, Status
from lossreport.gates.values import (
    ROWS,
    Place,
    grouping_of,
    groups_of,
    rows_of,
    value_of,
    whole,
)
from lossreport.gates.wording import (
    ALL_FINDINGS,
    ALL_ROWS,
    LONGEST,
    change_words,
    condition,
    figure_words,
    in_unit,
    limit_words,
    value_words,
)
from lossreport.reports.private_groups import hashed
from lossreport.reports.results import Grouping, Prediction, Report

MISSING = key_value(None)
GRAVE = ("info", "warning", "error")
Before = Callable[[Report, Place, str], float | None]
"""From a report, a place and the name of a figure to that figure in the baseline, if known."""


def judge(report: Report, gates: Sequence[Gate], before: Before = before) -> Report:
    """Return the report with what was found of each gate.

    A figure that does not exist, too few rows, a group, grouping, prediction, check or baseline
    that is not there, and groups that are not told apart are *undecided*: `Gate.undecided` says
    what that does.

    Parameters
    ----------
    before
        Looks a figure up in the baseline.
    """
    return replace(report, gates=tuple(_judged(report, g, before) for g in gates))


def _judged(report: Report, gate: Gate, before: Before) -> Judged:
    if report.private and gate.group:
        each = zip(gate.group, gate.by, strict=True)
        names = tuple(k if k == MISSING else hashed(k, b) for k, b in each)
        gate = replace(gate, group=names)
    checks = tuple(_checks(report, gate, before))
    words = condition(gate, report.unit)
    return Judged(gate, visible(gate.name, 100) if gate.name else words, words, checks)


def _checks(report: Report, gate: Gate, before: Before) -> Iterator[Check]:
    known = [p.predicted for p in report.predictions]
    if gate.predicted is not None and gate.predicted not in known:
        name = visible(gate.predicted, LONGEST)
        yield _undecided(gate, name, "The report has no such prediction.")
    elif gate.figure is None:
        yield from _of_findings(report, gate)
    else:
        for prediction in report.predictions:
            if gate.predicted in (None, prediction.predicted):
                several = prediction.predicted if len(known) > 1 else None
                for check in _of_figure(report, prediction, gate, before):
                    yield replace(check, predicted=several)


def _undecided(gate: Gate, where: str, said: str) -> Check:
    effects: dict[str, Status] = {"fail": "failed", "warn": "warned", "pass": "passed"}
    return Check(where, said, effects[gate.undecided], undecided=True)


def _tripped(gate: Gate) -> Status:
    return "warned" if gate.action == "warn" else "failed"


def _of_figure(
    report: Report, prediction: Prediction, gate: Gate, before: Before
) -> Iterator[Check]:
    if not gate.by:
        yield _decided(report, whole(prediction), gate, before)
        return
    by = ", ".join(visible(b, LONGEST) for b in gate.by)
    grouping = grouping_of(prediction, gate.by)
    if grouping is None:
        yield _undecided(gate, f"by {by}", "The report has no such grouping.")
        return
    found = [p for p in groups_of(prediction, grouping) if _is_asked(p, gate)]
    for place in found:
        yield _decided(report, place, gate, before)
    if grouping.rest_groups and not (gate.group and found):
        yield _rest(grouping, gate, by)
    elif not found:
        where = group_name(gate.by, gate.group, LONGEST) if gate.group else f"by {by}"
        yield _undecided(gate, where, "The report has no such group.")


def _rest(grouping: Grouping, gate: Gate, by: str) -> Check:
    """Return that nothing is known of groups that are one sum."""
    where = f"{count(grouping.rest_groups, 'group')} by {by}"
    return _undecided(gate, where, "One sum in this report: not told apart, so not judged.")


def _is_asked(place: Place, gate: Gate) -> bool:
    """Return whether a group is the gate's, whose values may stand in another order."""
    if not gate.group:
        return True
    asked = dict(zip(gate.by, gate.group, strict=True))
    assert place.group is not None
    return all(
        asked[b] == key_value(k) or (k is not None and asked[b] == k and k != MISSING)
        for b, k in zip(place.by, place.group.key, strict=True)
    )


def _decided(report: Report, place: Place, gate: Gate, before: Before) -> Check:
    figure = gate.figure or ""
    key = place.group.key if place.group else ()
    where = group_name(place.by, key, LONGEST) if place.group else ALL_ROWS
    rows, value = rows_of(place, figure), _finite(value_of(place, figure))
    asks = gate.max_change is not None or gate.min_change is not None
    base = _finite(before(report, place, figure)) if asks else None
    check = _outcome(gate, where, rows, (value, base), report.unit)
    return replace(check, by=place.by, key=key, value=value, baseline=base, rows=rows)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _outcome(
    gate: Gate, where: str, rows: int, values: tuple[float | None, float | None], unit: str | None
) -> Check:
    """Return what a gate makes of a figure of so many rows; `values` are it and its baseline."""
    figure, (value, base) = gate.figure or "", values
    words = figure_words(figure)
    words = f"{words[0].upper()}{words[1:]}"
    if rows < gate.min_rows:
        kind = "read" if figure in ROWS else "scored"
        said = f"{count(rows, 'row')} {kind}, fewer than the {gate.min_rows:,} asked for."
        return _undecided(gate, where, said)
    if value is None:
        return _undecided(gate, where, f"{words} does not exist: {_why(rows)}.")
    limits = [x for x in (gate.min, gate.max) if x is not None]
    verb = "are" if figure in ("n", "read", "left_out") else "is"
    said = f"{words} {verb} {in_unit(value_words(figure, value, limits), figure, unit)}"
    if gate.max is not None and value > gate.max:
        limit = in_unit(limit_words(figure, gate.max), figure, unit)
        return Check(where, f"{said}, above {limit}.", _tripped(gate))
    if gate.min is not None and value < gate.min:
        limit = in_unit(limit_words(figure, gate.min), figure, unit)
        return Check(where, f"{said}, below {limit}.", _tripped(gate))
    if gate.max_change is None and gate.min_change is None:
        return Check(where, f"{said}.", "passed")
    return _changed(gate, where, words, (value, base))


def _why(rows: int) -> str:
    return "this report does not tell it" if rows else "no row is scored"


def _changed(gate: Gate, where: str, words: str, values: tuple[float, float | None]) -> Check:
    """Return what a gate makes of a change; its other limits are met."""
    value, base = values
    if base is None:
        return _undecided(gate, where, f"{words} has no baseline to compare with.")
    if base == 0:
        return _undecided(
            gate, where, f"{words} was 0 in the baseline: no change is relative to that."
        )
    change = (value - base) / abs(base)
    limits = [100 * x for x in (gate.min_change, gate.max_change) if x is not None]
    shown = value_words("", 100 * change, limits)
    said = f"{words} changed by {'' if change < 0 else '+'}{shown}% since the baseline"
    if gate.max_change is not None and change > gate.max_change:
        limit = f"more than {change_words(gate.max_change)}"
        return Check(where, f"{said}, {limit}.", _tripped(gate))
    if gate.min_change is not None and change < gate.min_change:
        limit = f"less than {change_words(gate.min_change)}"
        return Check(where, f"{said}, {limit}.", _tripped(gate))
    said = said if change else f"{words} is as in the baseline"
    return Check(where, f"{said}.", "passed")


def _of_findings(report: Report, gate: Gate) -> Iterator[Check]:
    asked = [f for f in report.findings if f.predicted in (None, gate.predicted or f.predicted)]
    if gate.findings:
        for code in gate.findings:
            of_code = [f for f in asked if f.code == code]
            if not of_code:
                yield _undecided(gate, visible(code, LONGEST), "The report has no such check.")
            for finding in of_code:
                yield _of_finding(finding, gate)
        return
    issues = [f for f in asked if f.status == "issue" and _is_grave(f, gate)]
    for finding in issues:
        yield _of_finding(finding, gate)
    if not any(p.rows.scored for p in report.predictions if gate.predicted in (None, p.predicted)):
        said = "No row is scored, so most checks could not be made."
        yield _undecided(gate, ALL_FINDINGS, said)
    elif not issues:
        yield Check(ALL_FINDINGS, "There is no such finding.", "passed")


def _of_finding(finding: Finding, gate: Gate) -> Check:
    if finding.status == "skipped":
        check = _undecided(gate, finding.code, f"Not checked: {finding.message}")
    elif finding.status == "passed":
        check = Check(finding.code, "Nothing found.", "passed")
    elif _is_grave(finding, gate):
        check = Check(finding.code, finding.message, _tripped(gate))
    else:
        said = f"Only of severity {finding.severity}: {finding.message}"
        check = Check(finding.code, said, "passed")
    return replace(check, code=finding.code, predicted=finding.predicted)


def _is_grave(finding: Finding, gate: Gate) -> bool:
    """Return whether a finding is of the gate's severity, or a graver one."""
    return gate.severity is None or GRAVE.index(finding.severity) >= GRAVE.index(gate.severity)
