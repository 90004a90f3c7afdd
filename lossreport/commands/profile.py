"""`lossreport profile`: writes only the mergeable statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossreport.commands.console import errors, say, size
from lossreport.commands.defaults import Config
from lossreport.commands.reading import in_engine, profile_of, text_options
from lossreport.commands.remembering import check_history, day_given, remember
from lossreport.errors import UsageError
from lossreport.options import (
    Actual,
    Actuals,
    BadFile,
    By,
    Compare,
    Debug,
    Decimal,
    Encoding,
    Engine,
    Force,
    Id,
    KeepHistory,
    Logs,
    Missing,
    NoHeader,
    On,
    OnBadFile,
    Predicted,
    Query,
    Quiet,
    RunDate,
    Separator,
    Sheet,
    SkipLines,
    SparkMaster,
    SparkRemote,
    Time,
    TimeFormat,
    Worst,
)


def profile(
    logs: Logs,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="PATH", help="The Parquet file.")
    ] = None,
    history: KeepHistory = None,
    run_date: RunDate = None,
    actual: Actual = None,
    predicted: Predicted = None,
    by: By = None,
    time: Time = None,
    time_format: TimeFormat = None,
    id: Id = None,  # noqa: A002 - the option's name
    compare: Compare = None,
    sheet: Sheet = None,
    query: Query = None,
    engine: Engine = None,
    spark_master: SparkMaster = None,
    spark_remote: SparkRemote = None,
    actuals: Actuals = None,
    on: On = None,
    worst: Worst = None,
    on_bad_file: BadFile = OnBadFile.stop,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    no_header: NoHeader = False,
    skip_lines: SkipLines = None,
    missing: Missing = None,
    force: Force = False,
    quiet: Quiet = False,
    config: Config = None,  # noqa: ARG001 - its callback sets defaults
    debug: Debug = False,
) -> None:
    """Write only the mergeable statistics, for nightly jobs; `report` reads them like a log."""
    with errors(debug=debug):
        from lossreport.output_files import check_outputs
        from lossreport.profiles.file import save_profile
        from lossreport.writing import write_whole

        if out is None and history is None:
            raise UsageError(
                "Say where the profile goes: a file with -o, a history with --history."
            )
        day = day_given(run_date, history)
        if out is not None:
            check_outputs({"out": out}, [*logs, *(actuals or ())], force=force)
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
        said = []
        if out is not None:
            write_whole(out, lambda file: save_profile(made, file))
            said.append(f"Wrote {out} ({size(out)}, {made.rows:,} rows)")
        if history is not None:
            said.append(remember(history, made, day))
        if not quiet:
            say("\n".join(said))
