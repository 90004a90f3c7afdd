"""The command; the only module that prints and exits."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

import typer

from lossreport.errors import LossReportError
from lossreport.options import (
    Actual,
    Actuals,
    AsOf,
    BadFile,
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
from lossreport.version import __version__

NOTHING_SCORED = 5

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which loss suits a prediction log, and can the log be trusted? One command, one page.",
)


@app.command()
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
    with _errors(debug=debug):
        outputs: dict[str, Path | None] = {
            "html": html or Path("report.html"), "json": json, "markdown": markdown, "text": text,
            "card": card, "csv": csv, "profile": profile,
        }  # fmt: skip
        shown = {
            "costs": _costs(cost_under, cost_over), "title": title, "unit": unit,
            "as_of": datetime.now(UTC).isoformat() if as_of == "now" else as_of,
            **_hiding(profile, min_group, private=private),
        }  # fmt: skip
        paths = {option: path for option, path in outputs.items() if path is not None}
        _check_outputs(paths, [*logs, *(actuals or ())], force=force)
        from lossreport import api

        # Drawing needs matplotlib, whose import takes as long as reading a million rows: meanwhile.
        Thread(target=import_module, args=("matplotlib.figure",), daemon=True).start()
        made = _profile(
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
            **_text(separator, encoding, decimal, no_header, skip_lines, missing),
        )
        finished = api.report(made, goal=goal.value, **shown)
        written = _write(finished, made, paths)
        if not quiet:
            from lossreport.render.terminal import summary

            _print(summary(finished) + "\n\n" + written)
        if not all(p.rows.scored for p in finished.predictions):
            _complain("No row could be scored" + _of_which(finished))
            raise typer.Exit(NOTHING_SCORED)


@app.command()
def inspect(
    logs: Logs,
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    no_header: NoHeader = False,
    skip_lines: SkipLines = None,
    missing: Missing = None,
    debug: Debug = False,
) -> None:
    """Show what a log holds: format, rows if known, columns, types, and the role each would get."""
    with _errors(debug=debug):
        from lossreport.logs.columns import find_columns
        from lossreport.logs.dialect import TextOptions
        from lossreport.logs.opening import open_log
        from lossreport.render.terminal import inspection

        text = _text(separator, encoding, decimal, no_header, skip_lines, missing)
        text_options = TextOptions(**{**text, "missing": tuple(text["missing"])})
        log = open_log(logs, text_options, sheet=sheet)
        roles: dict[str, str] = {}
        problem = None
        try:
            found = find_columns(log.sample(), in_paths=log.in_paths(), more=log.texts)
            roles = {found.actual: "actual", found.predicted[0]: "predicted"}
            roles |= {found.time: "time"} if found.time else {}
            roles |= dict.fromkeys(found.keys, "group")
        except LossReportError as error:
            problem = str(error)
        _print(inspection(log, roles, problem))


@app.command()
def profile(
    logs: Logs,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="PATH", help="The Parquet file.")],
    actual: Actual = None,
    predicted: Predicted = None,
    by: By = None,
    time: Time = None,
    time_format: TimeFormat = None,
    id: Id = None,  # noqa: A002 - the option's name
    compare: Compare = None,
    sheet: Sheet = None,
    actuals: Actuals = None,
    on: On = None,
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
    """Write only the mergeable statistics, for nightly jobs; `report` reads them like a log."""
    with _errors(debug=debug):
        _check_outputs({"out": out}, [*logs, *(actuals or ())], force=force)
        made = _profile(
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
            **_text(separator, encoding, decimal, no_header, skip_lines, missing),
        )
        from lossreport.profiles.file import save_profile
        from lossreport.writing import write_whole

        write_whole(out, lambda file: save_profile(made, file))
        if not quiet:
            _print(f"Wrote {out} ({_size(out)}, {made.rows:,} rows)")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        _print(f"lossreport {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command."""
    # NumPy's many small products are slower on several threads, which wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.stderr is not None:
        faulthandler.enable()  # a reader that kills the process leaves a word of where
    app()


@contextmanager
def _errors(*, debug: bool) -> Iterator[None]:
    """Print what the user can put right in a few lines and exit with its code."""
    try:
        yield
    except LossReportError as error:
        if debug:
            raise
        _complain(str(error))
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt as interrupt:
        _complain("Interrupted; nothing was left half written.")
        raise typer.Exit(130) from interrupt


def _complain(message: str) -> None:
    from lossreport.formats import visible

    typer.echo(f"lossreport: {visible(message)}", err=True)


def _print(text: str) -> None:
    """Print text on stdout in whatever encoding that has; its control characters were shown."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, errors="replace").decode(encoding))


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


def _text(
    separator: str | None,
    encoding: str | None,
    decimal: str | None,
    no_header: bool,
    skip_lines: int | None,
    missing: list[str] | None,
) -> dict[str, Any]:
    """Return what was given about text files, as `api.profile` takes it."""
    return {
        "separator": separator,
        "encoding": encoding,
        "decimal": decimal,
        "no_header": no_header,
        "skip_lines": skip_lines,
        "missing": missing or (),
    }


def _profile(logs: list[str], *, quiet: bool, **options: Any) -> Any:
    """Return the profile of the logs; `options` are those of `api.profile`."""
    from lossreport import api
    from lossreport.progress import progress

    with progress(quiet=quiet) as opened:
        return api.profile(logs, opened=opened, **options)


def _write(finished: Any, made: Any, paths: dict[str, Path]) -> str:
    from lossreport.outputs import files_of, write_outputs
    from lossreport.profiles.file import save_profile
    from lossreport.writing import write_whole

    if "profile" in paths:
        write_whole(paths["profile"], lambda file: save_profile(made, file))
    write_outputs(finished, paths)
    written = [file for option, path in paths.items() for file in files_of(option, path)]
    return "\n".join(f"Wrote {p} ({_size(p)})" for p in written)


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} KB"


def _of_which(finished: Any) -> str:
    without = [p.predicted for p in finished.predictions if not p.rows.scored]
    of = f" of {', '.join(without)}" if len(finished.predictions) > 1 else ""
    return f"{of}: the page says why."
