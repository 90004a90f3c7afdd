"""The checks on predictions that were joined with actuals."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.formats import count, percent, visible
from lossreport.logs.joining import Join
from lossreport.reports.results import Finding


def join_findings(joins: Sequence[Join]) -> list[Finding]:
    """Return what is to say of each join; nothing of a log that was not joined."""
    return [finding for join in joins for finding in (_unmatched(join), _repeated(join))]


def join_notes(joins: Sequence[Join]) -> list[str]:
    """Return a sentence on how each join was made."""
    return [
        f"The actual values are those of {_files(j)} ({count(j.rows, 'row')}), joined on "
        f"{visible(', '.join(j.on), 80)}; a prediction without one is left out as unmatched."
        for j in joins
    ]


def _files(join: Join) -> str:
    first = visible(join.actuals[0], 80)
    return first + (f" and {count(len(join.actuals) - 1, 'more file')}" if join.actuals[1:] else "")


def _unmatched(join: Join) -> Finding:
    title = "Every actual value has a prediction"
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
    title = "Every key to join on occurs once"
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
