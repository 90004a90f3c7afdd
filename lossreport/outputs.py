"""Writes a report in every form, each by its option."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from lossreport.errors import UsageError
from lossreport.output_files import FOLDER, MORE_GROUPS
from lossreport.profiles.profile import Profile
from lossreport.render.card import to_png
from lossreport.render.csv_files import to_csv
from lossreport.render.junit import to_junit
from lossreport.render.markdown import to_markdown
from lossreport.render.more_groups import write_more_groups
from lossreport.render.page import render_page
from lossreport.render.plain_text import to_text
from lossreport.render.prometheus import to_prometheus
from lossreport.render.report_json import to_json
from lossreport.reports.results import Report
from lossreport.writing import write_bytes, write_text, write_whole

FORMS: Mapping[str, Callable[[Report], str | bytes]] = {
    "json": to_json,
    "markdown": to_markdown,
    "text": to_text,
    "card": to_png,
    "junit": to_junit,
    "prometheus": to_prometheus,
    "html": render_page,
}
"""What makes the file of each option; the page last, so that it is there if all are."""


def write_outputs(
    report: Report,
    paths: Mapping[str, Path],
    templates: Path | None = None,
    profile: Profile | None = None,
) -> None:
    """Write a report in every form that has a path; each file whole or not at all.

    Parameters
    ----------
    templates
        The folder of templates of one's own for the page; see `render_page`.
    profile
        What the report was made of: it has the groups that the report does not tell apart.

    Raises
    ------
    UsageError
        A file cannot be written (disk full, no permission), or a template is wrong.
    """
    if FOLDER in paths:
        _write_csv(report, paths[FOLDER], None if report.private else profile)
    for option, made in FORMS.items():
        if option in paths:
            content = render_page(report, templates) if option == "html" else made(report)
            write = write_bytes if isinstance(content, bytes) else write_text
            write(paths[option], content)  # type: ignore[arg-type]


def _write_csv(report: Report, folder: Path, profile: Profile | None) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    for name, text in to_csv(report).items():
        write_text(folder / name, text)
    write_whole(folder / MORE_GROUPS, partial(write_more_groups, profile))
