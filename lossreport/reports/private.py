"""Makes a report that can be passed on: no single rows, no small groups, no names of groups."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.checks.finding import Finding
from lossreport.formats import count, percent
from lossreport.logs.joining import Join
from lossreport.logs.part import Source
from lossreport.reports import private_figures, private_groups
from lossreport.reports.biased import biased_words
from lossreport.reports.build import with_faults_of
from lossreport.reports.metrics import metrics
from lossreport.reports.private_fields import only
from lossreport.reports.private_groups import hashed, told_of, without_roles
from lossreport.reports.results import Prediction, Privacy, Report
from lossreport.reports.wording import flagged_words, verdict

MIN_GROUP = 50


def made_private(report: Report, min_group: int = MIN_GROUP, title: str | None = None) -> Report:
    """Return a report without single rows, small groups, and names of groups and files.

    Groups with fewer than `min_group` scored rows become one sum per grouping, into which the next
    larger groups go as well until it has `min_group` rows, so that it cannot be found as the
    difference to the whole. Every sum still adds up. Names of groups and files become the same
    hash in every report: whoever guesses a name can check it. Column names stay. Sentences
    that quote the log are made again, or replaced by what was checked and how often it failed.
    What is not known to be safe (`private_fields.FIELDS`) is left out.

    Parameters
    ----------
    min_group
        At least 2.
    title
        The heading; "Private report" if not given, because a file's name may tell.
    """
    findings = tuple(_finding(f) for f in report.findings)
    predictions = tuple(_prediction(p, findings, report, min_group) for p in report.predictions)
    compared = report.comparison and private_groups.comparison(
        report.comparison, predictions, report.unit, min_group
    )
    notes = _notes(min_group)
    if report.comparison is not None and compared is None:
        notes += ("Models are not compared: that would tell of too few rows.",)
    return only(
        report,
        title=title or "Private report",
        sources=tuple(_source(s) for s in report.sources),
        span=report.span and (_day(report.span[0]), _day(report.span[1])),
        predictions=predictions,
        findings=findings,
        notes=(*report.notes[:1], *notes),
        joins=tuple(_join(j) for j in report.joins),
        comparison=compared,
        private=Privacy(min_group, _said(min_group)),
        changes=None,
    )


def _said(min_group: int) -> str:
    return (
        "Private report: single rows are left out, groups under "
        f"{count(min_group, 'row')} are one sum in each grouping, and values of groups and names "
        "of files are hashes. Common values, such as countries, can be guessed and checked "
        "against their hash."
    )


def _notes(min_group: int) -> tuple[str, ...]:
    return (
        "Of this private report, single rows, what the worst of them have in common, the largest "
        "error, texts that are no numbers and what findings quote are left out. How many rows make "
        "most of the squared error, and the error they lie beyond, is told even if they are few; "
        "so one row that outweighs all others can be told from the sums. Curves end where fewer "
        f"than {min_group:,} rows lie beyond. Stretches of time, bands of predictions and slices "
        f"with fewer than {min_group:,} scored rows are not told, nor others that would make "
        "these the difference to the whole.",
        f"Groups with fewer than {min_group:,} scored rows are one sum in each grouping, with the "
        "next larger ones where these would be fewer rows together. Groupings are not compared "
        "with each other: what several of them tell together may narrow a group down further. In "
        "which of them L1 and L2 disagree about the best group is not told.",
        "Values of groups and names of files are replaced by the beginning of their SHA-256, the "
        "same in every report. That hides rare names only: who guesses a common one, such as a "
        "country, can compute its hash and recognise it. Column names are as in the log. What "
        "changed since earlier nights is not told.",
    )


def _file(path: str) -> str:
    return hashed(path, "file")


def _source(source: Source) -> Source:
    skipped = source.skipped and "it could not be read"
    return only(source, path=_file(source.path), read_as=(), skipped=skipped)


def _join(join: Join) -> Join:
    return only(join, actuals=tuple(map(_file, join.actuals)), example=None)


def _day(time: str) -> str:
    """Return a time as its day; the first and the last row are known no closer."""
    return time[:10] if time[:1].isdigit() else time


def _finding(finding: Finding) -> Finding:
    """Return a finding without what it quotes."""
    if finding.status != "issue":
        said = "Nothing found." if finding.status == "passed" else "Not made."
    else:
        n = f" for {finding.count:,}" if finding.count else ""
        share = f" ({percent(finding.share)})" if n and finding.share is not None else ""
        said = f"This check failed{n}{share}: {finding.title}."
    return only(finding, message=said, examples=(), todo=None)


def _prediction(
    found: Prediction, findings: Sequence[Finding], report: Report, least: int
) -> Prediction:
    n, unit = found.overall.n, report.unit
    overall = private_figures.hidden(found.overall, least)
    groupings = tuple(private_groups.grouping(g, least) for g in found.groupings)
    told = told_of(groupings)
    sources = found.attribution and private_groups.attribution(found.attribution, n, told, least)
    if sources is None:
        groupings = tuple(map(without_roles, groupings))
    few = found.concentration and private_groups.concentration(found.concentration, told, least)
    flagged = flagged_words([x for g in groupings for x in g.groups], sources)
    biased = biased_words(groupings, unit)
    opening = verdict(
        found.rows, found.overall, found.recommendation, few, (), flagged, biased, unit
    )
    made = only(
        found,
        verdict=opening,
        overall=overall,
        concentration=few,
        attribution=sources,
        slices=found.slices and private_groups.slices(found.slices, n, told, groupings, least),
        biased=biased,
        ranking_flips=(),
        flagged=flagged,
        groupings=groupings,
        worst=(),
        patterns=(),
        levels=found.levels and private_figures.levels(found.levels, least, unit),
        timeline=private_figures.timeline(found.timeline, n, least),
        lorenz=private_figures.held_by_worst(found.lorenz, n, least),
        exceedance=private_groups.exceedance(found.exceedance, n, told, sources, least),
        quantiles=private_figures.quantiles(found.quantiles, n, least),
        metrics=metrics(overall, sources.without if sources else None),
        tokens=(),
        other_tokens=sum(t.count for t in found.tokens) + found.other_tokens,
    )
    return with_faults_of(made, findings)
