"""After a report is written: the gates' table, annotations, the job's summary, the message."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from lossreport.commands.console import complain, say

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
NOT_NOTIFIED, GATE_FAILED, NOTHING_SCORED = 2, 3, 5


@dataclass(frozen=True)
class Telling:
    """Whom to tell of a report, beside the files."""

    annotations: bool
    summary: Path | None
    """The file of the job's summary to append to."""
    notify: str | None
    """The address of a webhook."""
    required: bool
    """Whether the command fails if the webhook cannot be told."""


def telling(
    *, annotations: bool | None, summary: bool, notify: str | None, required: bool, quiet: bool
) -> Telling:
    """Return what was asked for.

    Parameters
    ----------
    annotations
        None: in jobs of GitHub Actions that are not to be quiet.

    Raises
    ------
    UsageError
        It cannot be done: no file to append to, no address.
    """
    from lossreport.errors import UsageError
    from lossreport.notifying import check_url

    path = os.environ.get(STEP_SUMMARY) if summary else None
    if summary and not path:
        raise UsageError(
            f"--summary appends to the file named by ${STEP_SUMMARY}, which is not set: it is for "
            "jobs of GitHub Actions. Elsewhere, use --markdown."
        )
    if notify:
        check_url(notify)
    elif required:
        raise UsageError("--notify-required is for --notify: give the URL of a webhook.")
    if annotations is None:
        annotations = not quiet and os.environ.get("GITHUB_ACTIONS") == "true"
    return Telling(annotations, Path(path) if path else None, notify, required)


def tell(finished: Any, to: Telling, *, quiet: bool) -> bool:
    """Tell of a report that is written; return whether everyone who must be told was told."""
    from lossreport.render.gate_table import gate_table

    if to.annotations:
        from lossreport.render.annotations import to_annotations

        if found := to_annotations(finished):
            say(found)
    table = gate_table(finished.gates, warnings=not quiet)
    if table:
        typer.echo(table, err=True)
    if to.summary:
        _append(finished, to.summary)
    return to.notify is None or _notified(finished, to.notify) or not to.required


def _append(finished: Any, path: Path) -> None:
    from lossreport.render.markdown import to_markdown

    try:
        with path.open("ab") as file:
            file.write(to_markdown(finished).encode("utf-8", errors="backslashreplace") + b"\n")
    except OSError as error:
        complain(f"The job's summary cannot be written: {error.strerror}. All files are written.")


def _notified(finished: Any, url: str) -> bool:
    from lossreport.notifying import NotNotifiedError, notify
    from lossreport.render.message import to_message

    try:
        notify(url, to_message(finished))
    except NotNotifiedError as error:
        complain(str(error))
        return False
    return True


def end(finished: Any, *, told: bool) -> None:
    """Exit with the code of what went wrong first, if anything did."""
    if not all(p.rows.scored for p in finished.predictions):
        complain("No row could be scored" + _of_which(finished))
        raise typer.Exit(NOTHING_SCORED)
    if any(g.status == "failed" for g in finished.gates):
        raise typer.Exit(GATE_FAILED)
    if not told:
        raise typer.Exit(NOT_NOTIFIED)


def _of_which(finished: Any) -> str:
    without = [p.predicted for p in finished.predictions if not p.rows.scored]
    of = f" of {', '.join(without)}" if len(finished.predictions) > 1 else ""
    return f"{of}: the page says why."
