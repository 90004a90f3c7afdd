"""`lossreport report`: reads logs and writes the page and the report's other forms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossreport.commands.console import complain, errors, say, show, size
from lossreport.commands.defaults import Config
from lossreport.commands.reading import in_engine, profile_of, text_options
from lossreport.commands.remembering import check_history, day_given, nights_until, remember
from lossreport.commands.telling import end, tell, telling
from lossreport.options import (
    Actual,
    Actuals,
    Annotations,
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
    Engine,
    Force,
    Goal,
    GoalName,
    Html,
    Id,
    Json,
    Junit,
    KeepHistory,
    Logs,
    Markdown,
    MinGroup,
    Missing,
    NoHeader,
    Notify,
    NotifyRequired,
    On,
    OnBadFile,
    Predicted,
    Private,
    ProfileFile,
    Prometheus,
    Query,
    Quiet,
    RunDate,
    Separator,
    Sheet,
    SkipLines,
    SparkMaster,
    SparkRemote,
    Summary,
    Templates,
    Text,
    Time,
    TimeFormat,
    Title,
    Unit,
    Worst,
)

if TYPE_CHECKING:
    from lossreport.gates.gate import Gate


def report(
    logs: Logs,
    actual: Actual = None,
    predicted: Predicted = None,
    by: By = None,
    time: Time = None,
    time_format: TimeFormat = None,
    sheet: Sheet = None,
    query: Query = None,
    engine: Engine = None,
    spark_master: SparkMaster = None,
    spark_remote: SparkRemote = None,
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
    templates: Templates = None,
    history: KeepHistory = None,
    run_date: RunDate = None,
    baseline: Baseline = None,
    title: Title = None,
    unit: Unit = None,
    private: Private = False,
    min_group: MinGroup = None,
    id: Id = None,  # noqa: A002 - the option's name
    compare: Compare = None,
    worst: Worst = None,
    on_bad_file: BadFile = OnBadFile.stop,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    no_header: NoHeader = False,
    skip_lines: SkipLines = None,
    missing: Missing = None,
    junit: Junit = None,
    prometheus: Prometheus = None,
    annotations: Annotations = None,
    summary: Summary = False,
    notify: Notify = None,
    notify_required: NotifyRequired = False,
    config: Config = None,
    force: Force = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Read a log and write the page (and JSON) with its losses, problems and recommendation."""
    with errors(debug=debug):
        outputs: dict[str, Path | None] = {
            "html": html or Path("report.html"), "json": json, "markdown": markdown, "text": text,
            "card": card, "csv": csv, "profile": profile, "junit": junit,
            "prometheus": prometheus,
        }  # fmt: skip
        shown: dict[str, Any] = {
            "costs": _costs(cost_under, cost_over), "title": title, "unit": unit,
            "as_of": datetime.now(UTC).isoformat() if as_of == "now" else as_of,
            **_hiding(profile, history, min_group, private=private),
        }  # fmt: skip
        gates, pins = _gates_and_pins(config)
        shown["baseline"] = baseline = _pinned(baseline, pins)
        paths = {option: path for option, path in outputs.items() if path is not None}
        _check_outputs(paths, [*logs, *(actuals or ())], templates, force=force)
        to = telling(
            annotations=annotations, summary=summary, notify=notify, required=notify_required,
            quiet=quiet,
        )  # fmt: skip
        day = day_given(run_date, history)
        if history is not None:
            check_history(history, logs, elsewhere=in_engine(engine, query))
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
            query=query,
            engine=engine,
            spark_master=spark_master,
            spark_remote=spark_remote,
            actuals=actuals or None,
            on=on or (),
            worst=worst,
            on_bad_file=on_bad_file.value,
            **text_options(separator, encoding, decimal, no_header, skip_lines, missing),
        )
        if history is not None and baseline is not None:
            shown["nights"], left = nights_until(history, made, day)
            for odd in left:
                complain(odd)
        from lossreport.gates.judging import judge
        from lossreport.reporting import report as report_of

        finished = judge(report_of(made, goal=goal.value, **shown), gates)
        written = _write(finished, made, paths, templates)
        if not quiet:
            from lossreport.formats import visible
            from lossreport.render import terminal

            used = f"Defaults and gates of {visible(config)}\n" if config else ""
            show(terminal.summary(finished), finished)
            say(f"\n{used}{written}")
        if history is not None:
            kept = remember(history, made, day)
            if not quiet:
                say(kept)
        end(finished, told=tell(finished, to, quiet=quiet))


def _gates_and_pins(config: str | None) -> tuple[tuple[Gate, ...], Mapping[str, date]]:
    if config is None:
        return (), {}
    from lossreport.gates.config import read_config

    read = read_config(Path(config))
    return read.gates, read.pins


def _pinned(baseline: str | None, pins: Mapping[str, date]) -> str | None:
    """Return the baseline, the name of a pinned night replaced by its day."""
    name = (baseline or "").removeprefix("pinned:")
    return f"pinned:{pins[name]}" if baseline == f"pinned:{name}" and name in pins else baseline


def _costs(under: float | None, over: float | None) -> tuple[float, float] | None:
    from lossreport.errors import UsageError

    if under is None and over is None:
        return None
    if under is None or over is None:
        raise UsageError("--cost-under and --cost-over go together: their ratio decides.")
    return under, over


def _hiding(
    profile: Path | None, history: str | None, min_group: int | None, *, private: bool
) -> dict[str, Any]:
    """Return what `reporting.report` is to hide."""
    from lossreport.errors import UsageError

    if min_group is not None and not private:
        raise UsageError("--min-group is for --private: give that as well.")
    for option, given in (("--profile", profile), ("--history", history)):
        if private and given:
            raise UsageError(
                f"--private and {option} do not go together: a profile holds names and rows, which "
                "only the report leaves out."
            )
    return {"private": private, **({} if min_group is None else {"min_group": min_group})}


def _check_outputs(
    paths: dict[str, Path], logs: list[str], templates: Path | None, *, force: bool
) -> None:
    from lossreport.output_files import check_not_among, check_outputs

    check_outputs(paths, logs, force=force)
    if templates is not None:
        from lossreport.render.templating import check_folder

        check_folder(templates)
        check_not_among(templates, paths)


def _write(finished: Any, made: Any, paths: dict[str, Path], templates: Path | None) -> str:
    from lossreport.output_files import files_of
    from lossreport.outputs import write_outputs
    from lossreport.profiles.file import save_profile
    from lossreport.writing import write_whole

    if "profile" in paths:
        write_whole(paths["profile"], lambda file: save_profile(made, file))
    write_outputs(finished, paths, templates, made)
    written = [file for option, path in paths.items() for file in files_of(option, path)]
    return "\n".join(f"Wrote {p} ({size(p)})" for p in written)
