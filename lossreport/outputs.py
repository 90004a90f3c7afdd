"""The forms in which a report is written, each by its option, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from lossreport.errors import UsageError
from lossreport.profiles.profile import Profile
from lossreport.render.card import to_png
from lossreport.render.csv_files import NAMES, to_csv
from lossreport.render.junit import to_junit
from lossreport.render.markdown import to_markdown
from lossreport.render.more_groups import NAME as MORE_GROUPS
from lossreport.render.more_groups import write_more_groups
from lossreport.render.page import render_page
from lossreport.render.plain_text import to_text
from lossreport.render.prometheus import to_prometheus
from lossreport.render.report_json import to_json
from lossreport.render.templating import check_folder as check_folder_of_templates
from lossreport.reports.results import Report
from lossreport.writing import check_folder, check_writable, write_bytes, write_text, write_whole

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
FOLDER = "csv"
"""The option that names a folder, for the files of `to_csv`."""


def check_outputs(paths: Mapping[str, Path], logs: Sequence[str], *, force: bool) -> None:
    """Raise UsageError if a file, by its option, cannot or must not be written."""
    if FOLDER in paths:
        check_folder(paths[FOLDER], logs)
    taken: dict[Path, str] = {}
    for option, path in paths.items():
        for file in files_of(option, path):
            if file.parent.is_dir() or option != FOLDER:
                check_writable(file, logs, force=force)
            other = taken.setdefault(file.resolve(), option)
            if other != option:
                raise UsageError(f"--{option} and --{other} name the same file, {file}.")


def files_of(option: str, path: Path) -> list[Path]:
    """Return the files that an option writes."""
    return [path / name for name in (*NAMES, MORE_GROUPS)] if option == FOLDER else [path]


def check_templates(folder: Path, paths: Mapping[str, Path]) -> None:
    """Raise UsageError if a folder of templates cannot be used, or if files would go into it."""
    check_folder_of_templates(folder)
    for option, path in paths.items():
        for file in files_of(option, path):
            if folder.resolve() in (file.absolute().parent.resolve(), file.resolve().parent):
                raise UsageError(
                    f"{file} would be written to the folder of templates, where the next report "
                    "would take it for one: name another folder."
                )


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
