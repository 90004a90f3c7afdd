"""`lossreport report`: reads logs and writes the page and the report's other forms."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import typer

from lossreport.commands.console import complain, errors, say, size
from lossreport.commands.reading import profile_of, text_options
from lossreport.options import (
    Actual,
    Actuals,
    AsOf,
    BadFile,
    Baseline,
    By,
    Card,
    Compare,
    CostOver,
    CostUnder,
    Csv,
    Debug,
    Decimal,
    Encoding,
    Force,
    Goal,
    GoalName,
    Html,
    Id,
    Json,
    Logs,
    Markdown,
    MinGroup,
    Missing,
    NoHeader,
    On,
    OnBadFile,
    Predicted,
    Private,
    ProfileFile,
    Quiet,
    Separator,
    Sheet,
    SkipLines,
    Text,
    Time,
    TimeFormat,
    Title,
    Unit,
    Worst,
)

NOTHING_SCORED = 5


def report(
    logs: Logs,
    actual: Actual = None,
    predicted: Predicted = None,
    by: By = None,
    time: Time = None,
    time_format: TimeFormat = None,
    sheet: Sheet = None,
    actuals: Actuals = None,
    on: On = None,
    goal: Goal = GoalName.unknown,
    cost_under: CostUnder = None,
    cost_over: CostOver = None,
    as_of: AsOf = None,
    html: Html = None,
    json: Json = None,
    markdown: Markdown = None,
    text: Text = None,
    card: Card = None,
    csv: Csv = None,
    profile: ProfileFile = None,
    baseline: Baseline = None,
    title: Title = None,
    unit: Unit = None,
    private: Private = False,
    min_group: MinGroup = None,
    id: Id = None,  # noqa: A002 - the option's name
    compare: Compare = None,
    worst: Worst = 20,
    on_bad_file: BadFile = OnBadFile.stop,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    no_header: NoHeader = False,
    skip_lines: SkipLines = None,
    missing: Missing = None,
    force: Force = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Read a log and write the page (and JSON) with its losses, problems and recommendation."""
    with errors(debug=debug):
        outputs: dict[str, Path | None] = {
            "html": html or Path("report.html"), "json": json, "markdown": markdown, "text": text,
            "card": card, "csv": csv, "profile": profile,
        }  # fmt: skip
        shown = {
            "costs": _costs(cost_under, cost_over), "title": title, "unit": unit,
            "as_of": datetime.now(UTC).isoformat() if as_of == "now" else as_of,
            "baseline": baseline, **_hiding(profile, min_group, private=private),
        }  # fmt: skip
        paths = {option: path for option, path in outputs.items() if path is not None}
        _check_outputs(paths, [*logs, *(actuals or ())], force=force)
        from lossreport import api

        # Drawing needs matplotlib, whose import takes as long as reading a million rows: meanwhile.
        Thread(target=import_module, args=("matplotlib.figure",), daemon=True).start()
        made = profile_of(
            logs,
            quiet=quiet,
            actual=actual,
            predicted=predicted or (),
            by=by,
            time=time,
            time_format=time_format,
            id=id or (),
            compare=compare,
            sheet=sheet,
            actuals=actuals or None,
            on=on or (),
            worst=worst,
            on_bad_file=on_bad_file.value,
            **text_options(separator, encoding, decimal, no_header, skip_lines, missing),
        )
        finished = api.report(made, goal=goal.value, **shown)
        written = _write(finished, made, paths)
        if not quiet:
            from lossreport.render.terminal import summary

            say(summary(finished) + "\n\n" + written)
        if not all(p.rows.scored for p in finished.predictions):
            complain("No row could be scored" + _of_which(finished))
            raise typer.Exit(NOTHING_SCORED)


def _costs(under: float | None, over: float | None) -> tuple[float, float] | None:
    from lossreport.errors import UsageError

    if under is None and over is None:
        return None
    if under is None or over is None:
        raise UsageError("--cost-under and --cost-over go together: their ratio decides.")
    return under, over


def _hiding(profile: Path | None, min_group: int | None, *, private: bool) -> dict[str, Any]:
    """Return what `api.report` is to hide."""
    from lossreport.errors import UsageError

    if min_group is not None and not private:
        raise UsageError("--min-group is for --private: give that as well.")
    if private and profile:
        raise UsageError(
            "--private and --profile do not go together: a profile holds names and rows, which "
            "only the report leaves out."
        )
    return {"private": private, **({} if min_group is None else {"min_group": min_group})}


def _check_outputs(paths: dict[str, Path], logs: list[str], *, force: bool) -> None:
    from lossreport.outputs import check_outputs

    check_outputs(paths, logs, force=force)


def _write(finished: Any, made: Any, paths: dict[str, Path]) -> str:
    from lossreport.outputs import files_of, write_outputs
    from lossreport.profiles.file import save_profile
    from lossreport.writing import write_whole

    if "profile" in paths:
        write_whole(paths["profile"], lambda file: save_profile(made, file))
    write_outputs(finished, paths)
    written = [file for option, path in paths.items() for file in files_of(option, path)]
    return "\n".join(f"Wrote {p} ({size(p)})" for p in written)


def _of_which(finished: Any) -> str:
    without = [p.predicted for p in finished.predictions if not p.rows.scored]
    of = f" of {', '.join(without)}" if len(finished.predictions) > 1 else ""
    return f"{of}: the page says why."
