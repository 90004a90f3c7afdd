"""The options of the commands: their names, types and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class GoalName(StrEnum):
    """What must be right."""

    totals = "totals"
    typical = "typical"
    large_errors = "large-errors"
    unknown = "unknown"


class EngineName(StrEnum):
    """What reads a log."""

    polars = "polars"
    duckdb = "duckdb"
    spark = "spark"


Logs = Annotated[
    list[str], typer.Argument(metavar="LOG...", help="Files, folders, globs or URLs; or profiles.")
]
Actual = Annotated[
    str | None, typer.Option(metavar="COL", help="What happened. Found by name if not given.")
]
Predicted = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="What the model said. Found by name; repeat for several."),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COL[,COL]...",
        help="A grouping: one column, or several with commas. Repeat for several groupings. '' for "
        "none. Columns with few distinct values are chosen if not given.",
    ),
]
Time = Annotated[
    str | None, typer.Option(metavar="COL", help="When. Found by name if not given; '' for none.")
]

Id = Annotated[
    str | None,
    typer.Option(
        metavar="COL[,COL]...", help="What tells a row from all others; repeats are told."
    ),
]

Compare = Annotated[
    str | None,
    typer.Option(
        metavar="COL",
        help="The column that says which model a row is of: models are compared, id by id.",
    ),
]
TimeFormat = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="How times in text are written, such as '%d/%m/%Y %H:%M'. Found if not given.",
    ),
]
Sheet = Annotated[
    str | None, typer.Option(metavar="NAME", help="The sheet of a workbook; the first otherwise.")
]
Query = Annotated[
    str | None,
    typer.Option(
        metavar="SQL",
        help="A query for DuckDB, whose rows are the log; LOG is DuckDB's file, or :memory:.",
    ),
]
Engine = Annotated[
    EngineName | None,
    typer.Option(
        help="What reads the logs; duckdb and spark read files where they are. DuckDB for a query, "
        "else polars.",
    ),
]
SparkMaster = Annotated[
    str | None,
    typer.Option(metavar="URL", help="With --engine spark: its master, such as spark://host:7077."),
]
SparkRemote = Annotated[
    str | None,
    typer.Option(metavar="URL", help="... or a Spark Connect server, such as sc://host:15002."),
]
Actuals = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="A log with the actual values, joined on the keys of --on."),
]
On = Annotated[
    list[str] | None,
    typer.Option(metavar="COL[,COL]...", help="The key columns to join --actuals on."),
]


class OnBadFile(StrEnum):
    """What to do with a file that cannot be read."""

    stop = "stop"
    skip = "skip"


BadFile = Annotated[
    OnBadFile,
    typer.Option(
        "--on-bad-file", help="A file that cannot be read: stop, or skip it and say so on the page."
    ),
]
Worst = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        min=0,
        help="How many of the worst rows to keep: 20 of each prediction, if not given.",
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Of text files: , ; tab | or another. Found if not given."),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Of text files, such as utf-16 or windows-1252. Found."),
]
Decimal = Annotated[
    str | None, typer.Option(metavar="MARK", help="Decimal mark of text files: . or , . Found.")
]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="Text files have no header: columns c1, c2, ...")
]
SkipLines = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Lines of text files before the header. Found."),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(metavar="TOKEN", help="A text that stands for no value; repeat for several."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace files that lossreport did not write.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Goal = Annotated[
    GoalName, typer.Option(help="What must be right; large-errors: they must not happen.")
]
CostUnder = Annotated[
    float | None,
    typer.Option(metavar="A", help="What a unit of error costs where predicted is too low ..."),
]
CostOver = Annotated[
    float | None,
    typer.Option(metavar="B", help="... and where it is too high: for the quantile loss."),
]
Html = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The page; report.html if not given.")
]
Json = Annotated[Path | None, typer.Option(metavar="PATH", help="All figures as JSON.")]
Markdown = Annotated[
    Path | None, typer.Option(metavar="PATH", help="A summary for pull requests and job logs.")
]
Text = Annotated[
    Path | None, typer.Option(metavar="PATH", help="A summary in 72 columns for e-mails.")
]
Card = Annotated[
    Path | None, typer.Option(metavar="PATH", help="A picture for chats (PNG, 1200 by 630).")
]
Csv = Annotated[Path | None, typer.Option(metavar="DIR", help="All tables as CSV files.")]
Templates = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Templates, style or script of the page of one's own."),
]
ProfileFile = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The mergeable statistics as Parquet.")
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="PROFILE|last|median:N|pinned:NAME",
        help="What to compare with: the file of a profile, or earlier nights.",
    ),
]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="The page's heading.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Times after this one (2026-11-26, or now) are a finding.",
    ),
]
Unit = Annotated[
    str | None, typer.Option(metavar="UNIT", help="Of actual and predicted, such as EUR.")
]
Private = Annotated[
    bool,
    typer.Option(
        "--private", help="Leave out single rows and small groups; hash names of groups and files."
    ),
]
MinGroup = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=2, help="With --private: the fewest rows a group is told with (50)."
    ),
]
Junit = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Gates and findings as JUnit XML.")
]
Prometheus = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Metrics for the textfile collector: NAME.prom."),
]
Annotations = Annotated[
    bool | None,
    typer.Option(
        "--annotations/--no-annotations",
        help="Gates and findings as annotations of a GitHub workflow; there by default.",
    ),
]
Summary = Annotated[
    bool, typer.Option("--summary", help="Append the Markdown to $GITHUB_STEP_SUMMARY.")
]
Notify = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Tell a webhook of Slack, Teams or Mattermost. Never shown whole."
    ),
]
NotifyRequired = Annotated[
    bool, typer.Option("--notify-required", help="Exit with 2 if the webhook cannot be told.")
]
KeepHistory = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="DIR_OR_URL",
        help="Keep the run's profile among those of earlier runs: a folder, or s3://...",
    ),
]
RunDate = Annotated[
    str | None,
    typer.Option(
        metavar="YYYY-MM-DD",
        help="The day of the run in the history; that of the log's last time if not given.",
    ),
]
HistoryPlace = Annotated[
    str, typer.Argument(metavar="DIR_OR_URL", help="The history: a folder, or s3://...")
]
