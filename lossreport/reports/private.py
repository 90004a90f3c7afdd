"""Makes a report that can be passed on: no single rows, no small groups, no names of groups."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lossreport.checks.finding import Finding
from lossreport.formats import count, percent
from lossreport.logs.joining import Join
from lossreport.logs.part import Source
from lossreport.profiles.statistics import REASONS
from lossreport.reports.build import with_faults_of
from lossreport.reports.figures import Figures, WorstShare
from lossreport.reports.results import (
    Group,
    Grouping,
    Ledger,
    Prediction,
    Privacy,
    Report,
    TimePoint,
)
from lossreport.reports.where import Attribution, Concentration
from lossreport.reports.wording import flagged_words, verdict

MIN_GROUP = 50
DIGITS = 10
"""Hexadecimal digits of a hash: among 10,000 names two are the same once in 20,000 reports."""
FEW_BEYOND = 5
"""A quantile that fewer rows lie beyond is nearly one row's error."""
MEANS = ("mae", "mse", "bias", "mean_actual", "mean_predicted")
Key = tuple[str | None, ...]
By = tuple[str, ...]


def made_private(report: Report, min_group: int = MIN_GROUP, title: str | None = None) -> Report:
    """Return a report without single rows, small groups, and names of groups and files.

    Groups with fewer than `min_group` scored rows become one sum per grouping, into which the next
    larger groups go as well until it has `min_group` rows, so that it cannot be found as the
    difference to the whole. Every sum still adds up. Names of groups and files become the same
    hash in every report: whoever guesses a name can check it. Column names stay. Sentences
    that quote the log are made again, or replaced by what was checked and how often it failed.

    Parameters
    ----------
    min_group
        At least 2.
    title
        The heading; "Private report" if not given, because a file's name may tell.
    """
    findings = tuple(_finding(f) for f in report.findings)
    return replace(
        report,
        title=title or "Private report",
        sources=tuple(_source(s) for s in report.sources),
        span=report.span and (_day(report.span[0]), _day(report.span[1])),
        predictions=tuple(_prediction(p, findings, report, min_group) for p in report.predictions),
        findings=findings,
        notes=(*report.notes[:1], *_notes(min_group)),
        joins=tuple(_join(j) for j in report.joins),
        private=Privacy(min_group, _said(min_group)),
        changes=None,
    )


def hashed(name: str, column: str) -> str:
    """Return what stands for a name: the beginning of the SHA-256 of column, a zero byte, name."""
    text = f"{column}\0{name}".encode("utf-8", errors="surrogatepass")
    return f"#{hashlib.sha256(text).hexdigest()[:DIGITS]}"


def _said(min_group: int) -> str:
    return (
        "Private report: single rows are left out, groups under "
        f"{count(min_group, 'row')} are one sum in each grouping, and values of groups and names "
        "of files are hashes. Common values, such as countries, can be guessed and checked "
        "against their hash."
    )


def _notes(min_group: int) -> tuple[str, ...]:
    return (
        "Of this private report, single rows, the largest error, texts that are no numbers and "
        "what findings quote are left out. How many rows make most of the squared error, and the "
        "error they lie beyond, is told even if they are few; so one row that outweighs all others "
        f"can be told from the sums. Stretches of time with fewer than {min_group:,} scored "
        "rows are not drawn.",
        f"Groups with fewer than {min_group:,} scored rows are one sum in each grouping, with the "
        "next larger ones where these would be fewer rows together. Groupings are not compared "
        "with each other: what several of them tell together may narrow a group down further.",
        "Values of groups and names of files are replaced by the beginning of their SHA-256, the "
        "same in every report. That hides rare names only: who guesses a common one, such as a "
        "country, can compute its hash and recognise it. Column names are as in the log. What "
        "changed since earlier nights is not told.",
    )


def _key(by: By, key: Key) -> Key:
    return tuple(None if k is None else hashed(k, b) for b, k in zip(by, key, strict=True))


def _file(path: str) -> str:
    return hashed(path, "file")


def _source(source: Source) -> Source:
    skipped = source.skipped and "it could not be read"
    return replace(source, path=_file(source.path), read_as=(), skipped=skipped)


def _join(join: Join) -> Join:
    return replace(join, actuals=tuple(map(_file, join.actuals)), example=None)


def _day(time: str) -> str:
    """Return a time as its day; the first and the last row are known no closer."""
    return time[:10] if time[:1].isdigit() else time


def _finding(finding: Finding) -> Finding:
    """Return a finding without what it quotes."""
    kept = replace(finding, examples=(), todo=None)
    if finding.status != "issue":
        return replace(
            kept, message="Nothing found." if finding.status == "passed" else "Not made."
        )
    n = f" for {finding.count:,}" if finding.count else ""
    share = f" ({percent(finding.share)})" if n and finding.share is not None else ""
    return replace(kept, message=f"This check failed{n}{share}: {finding.title}.")


def _prediction(
    prediction: Prediction, findings: Sequence[Finding], report: Report, min_group: int
) -> Prediction:
    overall = _hidden(prediction.overall, min_group)
    groupings = tuple(_grouping(g, min_group) for g in prediction.groupings)
    told = {(g.by, x.key) for g in groupings for x in g.groups}
    attribution = prediction.attribution and _attribution(prediction.attribution, told)
    if attribution is None:
        groupings = tuple(
            replace(g, groups=tuple(replace(x, role=None) for x in g.groups)) for g in groupings
        )
    few = prediction.concentration and _concentration(prediction.concentration, told)
    flagged = flagged_words([x for g in groupings for x in g.groups], attribution)
    opening = verdict(
        prediction.rows, prediction.overall, prediction.recommendation, few, (), flagged,
        report.unit,
    )  # fmt: skip
    made = replace(
        prediction,
        verdict=opening,
        overall=overall,
        concentration=few,
        attribution=attribution,
        flagged=flagged,
        groupings=groupings,
        worst=(),
        timeline=_timeline(prediction.timeline, min_group),
        lorenz=_shares(prediction.lorenz, prediction.overall.n, min_group),
        tokens=(),
        other_tokens=sum(t.count for t in prediction.tokens) + prediction.other_tokens,
    )
    return with_faults_of(made, findings)


def _attribution(found: Attribution, told: set[tuple[By, Key]]) -> Attribution | None:
    """Return the sources under their hashes; None if one of them is hidden."""
    origins = tuple(replace(o, key=_key(o.by, o.key)) for o in found.origins)
    if any((o.by, o.key) not in told for o in origins):
        return None
    roles = {(by, _key(by, key)): role for (by, key), role in found.roles.items()}
    return replace(
        found,
        origins=origins,
        roles={group: role for group, role in roles.items() if group in told},
        without=found.without and _hidden(found.without),
    )


def _concentration(few: Concentration, told: set[tuple[By, Key]]) -> Concentration:
    if few.place is None:
        return few
    key = _key(few.place.by, few.place.key)
    if (few.place.by, key) not in told:
        return replace(few, place=None)
    return replace(few, place=replace(few.place, key=key, without=_hidden(few.place.without)))


def _grouping(grouping: Grouping, min_group: int) -> Grouping:
    """Return a grouping whose small groups are in the rest."""
    least_first = sorted(grouping.groups, key=lambda g: g.figures.n)
    rest_n = grouping.rest_figures.n if grouping.rest_figures else 0
    hidden: list[Group] = []
    for group in least_first:
        if group.figures.n >= min_group and (not rest_n or rest_n >= min_group):
            break
        hidden.append(group)
        rest_n += group.figures.n
    away = {g.key for g in hidden}
    kept = tuple(
        replace(
            g,
            key=_key(grouping.by, g.key),
            figures=_hidden(g.figures, min_group),
        )
        for g in grouping.groups
        if g.key not in away
    )
    if not hidden:
        return replace(grouping, groups=kept)
    rest = [(g.rows, g.figures) for g in hidden]
    if grouping.rest_rows is not None and grouping.rest_figures is not None:
        rest.append((grouping.rest_rows, grouping.rest_figures))
    return replace(
        grouping,
        groups=kept,
        rest_groups=grouping.rest_groups + len(hidden),
        rest_rows=_ledger([rows for rows, _ in rest]),
        rest_figures=_together([figures for _, figures in rest]),
    )


def _ledger(each: Sequence[Ledger]) -> Ledger:
    left_out = {r: sum(dict(rows.left_out).get(r, 0) for rows in each) for r in REASONS}
    return Ledger(
        sum(rows.read for rows in each),
        sum(rows.scored for rows in each),
        tuple((r, n) for r, n in left_out.items() if n),
    )


def _together(each: Sequence[Figures]) -> Figures:
    """Return the figures of the rows of all: means of means, weighted by their rows."""
    some = [f for f in each if f.n]
    n = sum(f.n for f in some)
    if not n:
        return Figures(0)
    mean = {name: _mean(some, name, n) for name in MEANS}
    rmse = None if mean["mse"] is None else math.sqrt(mean["mse"])
    ratio = rmse / mean["mae"] if rmse is not None and mean["mae"] else None
    return Figures(n=n, rmse=rmse, ratio=ratio, **mean)  # type: ignore[arg-type]


def _mean(each: Sequence[Figures], name: str, n: int) -> float | None:
    values = [(f.n, getattr(f, name)) for f in each]
    if any(value is None for _, value in values):
        return None
    return math.fsum(rows / n * value for rows, value in values)


def _hidden(figures: Figures, min_group: int = MIN_GROUP) -> Figures:
    """Return figures without those that are the error of one row, or nearly."""
    beyond = {"p90_abs_error": 0.1, "p95_abs_error": 0.05, "p99_abs_error": 0.01}
    gone = {name: None for name, share in beyond.items() if share * figures.n < FEW_BEYOND}
    return replace(
        figures,
        max_abs_error=None,
        worst_shares=_shares(figures.worst_shares, figures.n, min_group),
        **gone,  # type: ignore[arg-type]
    )


def _shares(shares: Iterable[WorstShare], n: int, min_group: int) -> tuple[WorstShare, ...]:
    """Return only what at least so many rows hold together."""
    return tuple(s for s in shares if s.rows * n >= min_group - 0.5)


def _timeline(points: Iterable[TimePoint], min_group: int) -> tuple[TimePoint, ...]:
    return tuple(
        replace(p, figures=_hidden(p.figures, min_group))
        for p in points
        if p.figures.n >= min_group
    )
