"""`lossreport inspect`: shows what a log holds."""

from __future__ import annotations

from lossreport.commands.console import errors, say
from lossreport.commands.defaults import Config
from lossreport.commands.reading import text_options
from lossreport.errors import LossReportError
from lossreport.options import (
    Debug,
    Decimal,
    Encoding,
    Engine,
    Logs,
    Missing,
    NoHeader,
    Query,
    Separator,
    Sheet,
    SkipLines,
    SparkMaster,
    SparkRemote,
)


def inspect(
    logs: Logs,
    sheet: Sheet = None,
    query: Query = None,
    engine: Engine = None,
    spark_master: SparkMaster = None,
    spark_remote: SparkRemote = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: Decimal = None,
    no_header: NoHeader = False,
    skip_lines: SkipLines = None,
    missing: Missing = None,
    config: Config = None,  # noqa: ARG001 - its callback sets defaults
    debug: Debug = False,
) -> None:
    """Show what a log holds: format, rows if known, columns, types, and the role each would get."""
    with errors(debug=debug):
        from lossreport.logs import engines
        from lossreport.logs.columns import find_columns
        from lossreport.logs.dialect import TextOptions
        from lossreport.logs.opening import open_log
        from lossreport.render.terminal import inspection

        text = text_options(separator, encoding, decimal, no_header, skip_lines, missing)
        as_given = TextOptions(**{**text, "missing": tuple(text["missing"])})
        reads = engines.Engine(engine, query, spark_master, spark_remote)
        log = engines.open_with(reads, logs, logs, as_given, sheet)
        if log is logs:
            log = open_log(logs, as_given, sheet=sheet)
        roles: dict[str, str] = {}
        problem = None
        try:
            found = find_columns(log.sample(), in_paths=log.in_paths(), more=log.texts)
            roles = {found.actual: "actual", found.predicted[0]: "predicted"}
            roles |= {found.time: "time"} if found.time else {}
            roles |= dict.fromkeys(found.keys, "group")
        except LossReportError as error:
            problem = str(error)
        say(inspection(log, roles, problem))
