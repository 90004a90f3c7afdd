"""What the report's forms in text have in common: the terminal's, the e-mail's, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.formats import NONE, count, number, ratio, reason
from lossreport.nights.changes import Changes
from lossreport.reports.comparing_words import name_of
from lossreport.reports.comparison import Comparison
from lossreport.reports.results import Group, Ledger, Prediction, Report, Verdict

MAX_CHANGES = 10
"""So many changes of a night are told where the page is not at hand."""
FIGURES_OF_MODELS = ("MAE", "rank", "RMSE", "rank", "RMSE/MAE", "bias")


def heading_of(prediction: Prediction, report: Report) -> str | None:
    """Return what stands over a prediction; None where it is all that is told."""
    if len(report.predictions) > 1:
        return prediction.predicted
    return None if report.comparison is None else "all models together"


def opening(verdict: Verdict) -> str:
    """Return the verdict's tag and headline; one that begins like the tag says it itself."""
    tag, headline = verdict.tag, verdict.headline
    alike = headline.split()[:1] == tag.split()[:1]
    return headline if alike else f"{tag}: {headline}"


def changes_told(changes: Changes, most: int) -> list[str]:
    """Return at most so many of tonight's alarms and of what still holds, and how many are left."""
    told = [*changes.points[:most], *(e.sentence for e in changes.standing[:most])]
    more = len(changes.points) + len(changes.standing) - len(told)
    return [*told, f"{count(more, 'more change')}: see the page."] if more else told


def worst_first(prediction: Prediction) -> list[tuple[tuple[str, ...], Group]]:
    """Return the groups with scored rows and their groupings: flagged ones, most of L2 first."""
    groups = [(g.by, x) for g in prediction.groupings for x in g.groups if x.figures.n]
    return sorted(groups, key=lambda g: (not g[1].flagged, -(g[1].share_of_sq_error or 0)))


def models_table(found: Comparison) -> Sequence[tuple[str, ...]]:
    """Return a row for each model: its name, and the `FIGURES_OF_MODELS`."""
    return [
        (
            name_of(m, found.column),
            number(m.mae),
            str(m.rank_l1 or NONE),
            number(m.rmse, m.mae),
            str(m.rank_l2 or NONE),
            ratio(m.ratio),
            number(m.bias, m.mae, signed=True),
        )
        for m in found.models
    ]


def places_told(prediction: Prediction) -> list[str]:
    """Return the sentences that say where losses rank otherwise, or where the error comes from."""
    slices = prediction.slices.found if prediction.slices else ()
    return [
        *prediction.ranking_flips,
        *(f"Slice {s.sentence}" for s in slices),
        *(p.sentence for p in prediction.patterns),
    ]


def ledger_told(rows: Ledger) -> str:
    """Return the ledger in a line: rows read, scored, and left out by reason."""
    told = f"{count(rows.read, 'row')} read = {rows.scored:,} scored + {rows.missing:,} left out"
    reasons = ", ".join(f"{n:,} {reason(r)}" for r, n in rows.left_out)
    return f"{told} ({reasons})" if reasons else told
