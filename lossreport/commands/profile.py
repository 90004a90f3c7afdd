"""`lossreport profile`: writes only the mergeable statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossreport.commands.console import errors, say, size
from lossreport.commands.defaults import Config
from lossreport.commands.reading import profile_of, text_options
from lossreport.options import (
    Actual,
    Actuals,
    BadFile,
    By,
    Compare,
    Debug,
    Decimal,
    Encoding,
    Force,
    Id,
    Logs,
    Missing,
    NoHeader,
    On,
    OnBadFile,
    Predicted,
    Quiet,
    Separator,
    Sheet,
    SkipLines,
    Time,
    TimeFormat,
    Worst,
)


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
    config: Config = None,  # noqa: ARG001 - its callback sets defaults
    debug: Debug = False,
) -> None:
    """Write only the mergeable statistics, for nightly jobs; `report` reads them like a log."""
    with errors(debug=debug):
        from lossreport.outputs import check_outputs

        check_outputs({"out": out}, [*logs, *(actuals or ())], force=force)
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
        from lossreport.profiles.file import save_profile
        from lossreport.writing import write_whole

        write_whole(out, lambda file: save_profile(made, file))
        if not quiet:
            say(f"Wrote {out} ({size(out)}, {made.rows:,} rows)")
