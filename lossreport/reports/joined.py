"""The checks on predictions that were joined with actuals."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.checks.finding import Finding
from lossreport.formats import count, percent, visible
from lossreport.logs.joining import Join

UNMATCHED = "Every actual value has a prediction"
REPEATED = "Every key to join on occurs once"


def join_findings(joins: Sequence[Join]) -> list[Finding]:
    """Return what is to say of the joins; nothing of a log that was not joined.

    Several joins are those of profiles that were merged. What one of them lacks another may have,
    and only their counts are known, so these findings are no more than information.
    """
    if len(joins) > 1:
        return [_unmatched_by_profile(joins), _repeated_by_profile(joins)]
    return [finding for join in joins for finding in (_unmatched(join), _repeated(join))]


def join_notes(joins: Sequence[Join]) -> list[str]:
    """Return a sentence on how the join was made, or on several of merged profiles."""
    if len(joins) > 1:
        on = dict.fromkeys(visible(", ".join(j.on), 80) for j in joins)
        return [
            f"The actual values were joined profile by profile ({len(joins):,} profiles), on "
            f"{' or on '.join(list(on)[:3])}; the first are those of {_files(joins[0])}. A "
            "prediction without one in the actuals of its profile is left out as unmatched."
        ]
    return [
        f"The actual values are those of {_files(j)} ({count(j.rows, 'row')}), joined on "
        f"{visible(', '.join(j.on), 80)}; a prediction without one is left out as unmatched."
        for j in joins
    ]


def _files(join: Join) -> str:
    first = visible(join.actuals[0], 80)
    return first + (f" and {count(len(join.actuals) - 1, 'more file')}" if join.actuals[1:] else "")


def _unmatched_by_profile(joins: Sequence[Join]) -> Finding:
    lacking = [j for j in joins if j.unmatched]
    without_key = sum(j.without_key for j in joins)
    total = sum(j.unmatched for j in joins)
    parts = []
    if lacking:
        parts.append(
            f"Counted per profile: in {len(lacking):,} of {len(joins):,} profiles "
            f"{count(total, 'key')} of the actuals without a prediction of the same profile; "
            "another profile may hold it."
        )
    if without_key:
        parts.append(
            f"Counted per profile: {count(without_key, 'row')} of the actuals without a whole key."
        )
    return _information("LR041", UNMATCHED, parts, total + without_key)


def _repeated_by_profile(joins: Sequence[Join]) -> Finding:
    repeated = sum(j.repeated for j in joins)
    ambiguous = sum(j.ambiguous for j in joins)
    predictions = sum(j.repeated_predictions for j in joins)
    told = [
        (repeated, count(repeated, "row") + " of the actuals with the key of an earlier one"),
        (ambiguous, count(ambiguous, "key") + " whose actual values differ, which are left out"),
        (predictions, count(predictions, "prediction") + " with the key of an earlier one"),
    ]
    said = "; ".join(text for n, text in told if n)
    parts = [
        f"Counted per profile ({len(joins):,} profiles): {said}. Keys that occur in several "
        "profiles are not told."
    ]
    return _information("LR042", REPEATED, parts if said else [], repeated + predictions)


def _information(code: str, title: str, parts: Sequence[str], total: int) -> Finding:
    if not parts:
        return Finding(code, "passed", "info", title, "Nothing found.", 0)
    return Finding(code, "issue", "info", title, " ".join(parts), total)


def _unmatched(join: Join) -> Finding:
    title = UNMATCHED
    n = join.unmatched
    parts = []
    if n:
        key = ", ".join(
            f"{visible(c, 40)} = {visible(v or '(missing)', 40)}"
            for c, v in zip(join.on, join.example or (), strict=False)
        )
        keys = join.rows - join.without_key - join.repeated
        parts.append(
            f"{count(n, 'key')} of {keys:,} ({percent(n / keys)}) in {_files(join)} without a "
            f"prediction, such as {key}: they are in no figure."
        )
    if join.without_key:
        parts.append(f"{count(join.without_key, 'row')} of {_files(join)} without a whole key.")
    if not parts:
        return Finding("LR041", "passed", "warning", title, "Nothing found.", 0)
    total = n + join.without_key
    return Finding("LR041", "issue", "warning", title, " ".join(parts), total)


def _repeated(join: Join) -> Finding:
    title = REPEATED
    parts = []
    if join.repeated:
        same = "" if join.ambiguous else "; rows of one key are equal, and one of them was taken"
        parts.append(
            f"{count(join.repeated, 'row')} of {_files(join)} with the key of an earlier one{same}."
        )
    if join.ambiguous:
        parts.append(
            f"For {count(join.ambiguous, 'key')} the actual values differ: predictions with such a "
            "key are left out as ambiguous."
        )
    if join.repeated_predictions:
        parts.append(
            f"{count(join.repeated_predictions, 'prediction')} with the key of an earlier one: "
            "each is scored against the same actual value."
        )
    if not parts:
        return Finding("LR042", "passed", "warning", title, "Nothing found.", 0)
    total = join.repeated + join.repeated_predictions
    return Finding("LR042", "issue", "warning", title, " ".join(parts), total)
