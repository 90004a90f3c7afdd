"""From a log to its profile, in Python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from lossreport.advice.level import centres_for
from lossreport.arguments import groupings_of, names_of, paths_of
from lossreport.errors import BrokenFiguresError, UnreadableLogError, UsageError
from lossreport.logs.columns import Columns, find_columns
from lossreport.logs.dialect import TextOptions
from lossreport.logs.engines import Engine, open_with
from lossreport.logs.frames import open_frame
from lossreport.logs.joining import Actuals, join_actuals
from lossreport.logs.kinds import kinds_of
from lossreport.logs.log import Log
from lossreport.logs.object_stores import files_of
from lossreport.logs.opening import open_files, open_log
from lossreport.logs.spark import is_spark, open_spark
from lossreport.nights.saved import profiles_of, saved_among
from lossreport.profiles.centring import with_centred
from lossreport.profiles.elsewhere import centred_elsewhere, profile_elsewhere
from lossreport.profiles.merging import merge
from lossreport.profiles.of_log import profile_log
from lossreport.profiles.profile import Profile

Progress = Callable[[int], None]
WORST_ROWS = 20


def profile(
    log: Any,
    *,
    actual: str | None = None,
    predicted: str | Sequence[str] = (),
    by: str | Sequence[str | Sequence[str]] | None = None,
    time: str | None = None,
    time_format: str | None = None,
    id: str | Sequence[str] = (),  # noqa: A002 - the option's name
    compare: str | None = None,
    sheet: str | None = None,
    actuals: Any = None,
    on: str | Sequence[str] = (),
    worst: int | None = None,
    on_bad_file: str = "stop",
    separator: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    no_header: bool = False,
    skip_lines: int | None = None,
    missing: str | Sequence[str] = (),
    query: str | None = None,
    engine: str | None = None,
    spark_master: str | None = None,
    spark_remote: str | None = None,
    opened: Callable[[Log], Progress] | None = None,
) -> Profile:
    """Read a log and return its mergeable statistics.

    It is read once; a second time only if its errors lie so far from 0 that their shape does not
    show from there.

    Parameters
    ----------
    log
        A path (file, folder, glob or URL), several, or a Polars, pandas, PyArrow, DuckDB or Spark
        frame.
        Paths of profiles that lossreport saved are merged.
    actual, predicted
        The columns with what happened and what the model said; found by name if not given.
    by
        Groupings: each a column, several as "a,b", or a tuple of columns. None chooses columns
        with few distinct values, "" or () groups by nothing.
    time
        The column that says when; found by name if not given, "" for none.
    time_format
        How its texts are written, in strftime's letters ("%d.%m.%Y %H:%M"); "epoch" for numbers
        since 1970; "%d.%m.%Y %H:%M - *" for the start of intervals. Found if not given.
    id
        The columns that together tell a row from every other ("a,b" or a list of columns): rows
        that share them are found.
    compare
        The column that says which model a row is of, in a log with a row per model: models are
        compared, id by id if `id` is given.
    sheet
        The sheet of Excel workbooks; the first if not given.
    actuals, on
        A log (as `log`) that holds the actual values, and the key columns to join it on; its keys
        and values must fit into memory.
    worst
        How many of the worst rows to keep of each prediction: by default 20, of saved profiles all
        that they hold.
    on_bad_file
        What to do with a file that cannot be read to its end: "stop" raises, "skip" leaves it out
        whole and says so.
    separator, encoding, decimal
        How text files are written; found from their first megabyte if not given. `decimal` is
        "." or ",".
    no_header
        Text files begin with a row; their columns are c1, c2, ...
    skip_lines
        How many lines of text files come before the header or the first row; None finds titles and
        comments.
    missing
        Texts that stand for no value, beside the known ones (upper and lower case are the same).
    query
        SQL for DuckDB, whose rows are the log; `log` is the file of DuckDB that it is put to, or
        ":memory:". See `logs.queries.open_query`.
    engine
        "polars" (the default), "duckdb" or "spark": what reads the paths. Frames are read by what
        they are frames of; a DataFrame of Spark stays where it is.
    spark_master, spark_remote
        The address of Spark's master or of a Spark Connect server, for the engine "spark"; paths
        are then what `logs.spark_session.open_in_spark` takes.
    opened
        Called with the opened log before it is read; what it returns is called with the rows of
        each chunk.

    Raises
    ------
    UsageError
        Something in the arguments is wrong: no such file, no such column, no or several
        candidates for a role.
    UnreadableLogError
        A log exists but cannot be read to its end.
    BrokenFiguresError
        The rows do not add up: a bug.
    """
    text = TextOptions(
        separator,
        encoding,
        decimal,
        no_header,
        skip_lines,
        (missing,) if isinstance(missing, str) else tuple(missing),
    )
    if worst is not None and worst < 0:
        raise UsageError(f"The number of worst rows is {worst}; it cannot be negative.")
    if on_bad_file not in ("stop", "skip"):
        raise UsageError(f"A bad file can be met with stop or skip, not {on_bad_file!r}.")
    by_engine = Engine(engine, query, spark_master, spark_remote)
    log = open_with(by_engine, log, paths_of(log), text, sheet)
    paths = paths_of(log)
    if paths is not None:
        paths = files_of(paths)
    if paths and (saved := saved_among(paths)):
        given = (actual, predicted, by is not None, time is not None, time_format, sheet, on, id)
        if text != TextOptions():
            raise UsageError("Profiles are read already: how text is written tells them nothing.")
        options = any((*given, compare)) or actuals is not None
        made = _merged(saved, paths, options=options, skip_bad=on_bad_file == "skip")
        return made if worst is None else made.with_worst(worst)
    wanted = [predicted] if isinstance(predicted, str) else list(predicted)
    groupings, keys = groupings_of(by), names_of(on)
    asked = {n for n in (actual, *wanted, time, *keys, compare) if n}
    asked |= {n for g in groupings or () for n in names_of(g)}
    skip = on_bad_file == "skip"
    source = (
        _opened(log)
        if paths is None
        else open_files(paths, text, skip_bad=skip, asked=asked, sheet=sheet)
    )
    _check_sheet(sheet, source)
    joined, found_actual = None, False
    if actuals is not None:
        found_actual = not actual
        joined, source, actual = _joined(source, actuals, keys, actual, asked, text, wanted)
    elif keys:
        raise UsageError("--on is for --actuals: give the log of the actual values as well.")
    source = replace(source, missing=text.missing)
    columns = _columns_of(
        source,
        actual=actual,
        predicted=wanted,
        by=groupings,
        time=time,
        ids=id if isinstance(id, str) else tuple(id),
        compare=compare,
        time_format=time_format,
        in_paths=source.in_paths(),
        more=source.texts,
    )
    columns = replace(columns, kinds=kinds_of(source, columns.keys))
    if found_actual:
        columns = replace(columns, found=("actual", *columns.found))
    made = _scanned(source, columns, WORST_ROWS if worst is None else worst, opened)
    if joined is not None:
        made = replace(made, joins=(joined.result(),))
    return _read_again(made, source, opened)


def _opened(log: Any) -> Log:
    if isinstance(log, Log):
        return log
    return open_spark(log) if is_spark(log) else open_frame(log)


def _check_sheet(sheet: str | None, source: Log) -> None:
    if sheet is not None and not any(p.format == "excel" for p in source.parts):
        raise UsageError(f"--sheet is for Excel workbooks, and {source.name} holds none.")


def _scanned(
    source: Log, columns: Columns, worst: int, opened: Callable[[Log], Progress] | None
) -> Profile:
    """Return the profile of a log, made where its rows are."""
    progress = opened(source) if opened else lambda _: None
    if source.elsewhere is None:
        made = profile_log(source, columns, keep_worst=worst, progress=progress)
    else:
        made = profile_elsewhere(source, columns, keep_worst=worst)
        progress(made.rows)
    _check_rows(made)
    return made


def _check_rows(made: Profile) -> None:
    read = sum(s.rows for s in made.sources)
    if made.rows != read:
        raise BrokenFiguresError(f"{read:,} rows were read but {made.rows:,} counted")


def _read_again(made: Profile, source: Log, opened: Callable[[Log], Progress] | None) -> Profile:
    """Return the profile of a log that is read once more if its errors lie far from 0."""
    centres = centres_for(made)
    if all(c is None for c in centres):
        return made
    if source.elsewhere is not None:
        return centred_elsewhere(made, source, centres)
    return with_centred(made, source, centres, opened(source) if opened else lambda _: None)


def _merged(
    saved: Sequence[str], paths: Sequence[str], *, options: bool, skip_bad: bool
) -> Profile:
    """Return the profile of profiles that were saved."""
    if len(saved) < len(paths):
        raise UsageError("Logs and profiles cannot be given together: profile the logs first.")
    if options:
        raise UsageError("The columns of a profile are fixed; they cannot be given again.")
    profiles, skipped = profiles_of(saved, skip_bad=skip_bad)
    made = merge(profiles)
    return replace(made, sources=(*made.sources, *skipped)) if skipped else made


def _joined(
    source: Log,
    actuals: Any,
    on: Sequence[str],
    actual: str | None,
    asked: Collection[str],
    text: TextOptions,
    predicted: Collection[str],
) -> tuple[Actuals, Log, str]:
    """Return the log joined with actuals, what counts the matches, and the actual's column."""
    if source.elsewhere is not None:
        raise UsageError("--actuals is for logs that are read here: join them in Spark.")
    paths = paths_of(actuals)
    other = open_frame(actuals, "actuals") if paths is None else open_log(paths, text, asked=asked)
    log, joined, actual = join_actuals(source, other, on, actual, asked, predicted)
    return joined, log, actual


def _columns_of(source: Log, **asked: Any) -> Columns:
    """Return the roles of a log's columns; that they cannot be found is no wonder without rows."""
    sample = source.sample()
    try:
        return find_columns(sample, **asked)
    except UsageError as error:
        if sample.height:
            raise
        raise UnreadableLogError(f"{source.name}: there are no rows to read. {error}") from error
