"""From a log to its profile: goes through the rows once, chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

import narwhals as nw
import polars as pl

from lossreport.errors import UnreadableLogError
from lossreport.logs.columns import Columns
from lossreport.logs.log import Log
from lossreport.logs.part import Chunk, Prepare, Source
from lossreport.profiles import compiling
from lossreport.profiles.merging import merge
from lossreport.profiles.profile import NO_TIME, Profile
from lossreport.profiles.scan import Scan
from lossreport.profiles.statistics import with_errors

MERGE_AT = 32
"""Profiles of single files are merged when they are so many."""
SMALL_CHUNKS = 3
"""A file of so many chunks is small."""


def profile_log(
    log: Log,
    columns: Columns,
    *,
    keep_worst: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Profile:
    """Return the profile of a log's rows, which are read once.

    Parameters
    ----------
    keep_worst
        How many of the worst rows to keep of each prediction.
    progress
        Called with the number of rows after each chunk.

    Returns
    -------
    Profile
        Of a log without rows, an empty one.

    Raises
    ------
    UnreadableLogError
        As `Log.chunks`.
    """
    if log.skip_bad:
        return _file_by_file(log, columns, keep_worst, progress)
    if sum(part.rows or 0 for part in log.parts) > compiling.FROM_ROWS:
        compiling.compile_in_background()
    sources: list[Source] = []
    chunks = log.chunks(columns, sources, preparing(columns))
    made = profile_of_chunks(chunks, columns, keep_worst, progress)
    return replace(made, sources=tuple(sources))


def preparing(columns: Columns) -> Prepare:
    """Return what adds to rows the columns that are added up."""
    predictions = len(columns.predicted)
    sides = ["actual", *(f"predicted_{i}" for i in range(predictions))]

    def prepare(rows: pl.LazyFrame) -> pl.LazyFrame:
        bins = compiling.loops() is None  # the loops find them faster
        made = with_errors(nw.from_native(rows), predictions, bins=bins)
        prepared: pl.LazyFrame = made.to_native()
        # Columns without nulls go to NumPy without being copied.
        filled = [pl.col(sides).fill_null(math.nan).name.prefix("summed_")]
        if columns.time is not None:
            filled.append(pl.col("time").to_physical().fill_null(NO_TIME).alias("microsecond"))
        return prepared.with_columns(filled)

    return prepare


def profile_of_chunks(
    chunks: Iterable[Chunk],
    columns: Columns,
    keep_worst: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Profile:
    """Return the profile of rows that come in chunks, without sources."""
    scan = Scan(columns, keep_worst)
    done: list[Profile] = []
    rows = 0
    for chunk in chunks:
        scan.add(chunk)
        rows += chunk.rows.height
        if rows > compiling.FROM_ROWS:
            compiling.compile_in_background()
        progress(chunk.rows.height)
        if scan.outgrown():
            done = [merge([*done, scan.profile()])]
            scan = Scan(columns, keep_worst, like=done[0])
    last = scan.profile()
    return merge([*done, last]) if done else last


def _file_by_file(
    log: Log, columns: Columns, keep_worst: int, progress: Callable[[int], None]
) -> Profile:
    """Return the profile of the files that can be read to their ends; name the others.

    A file that breaks after a million rows leaves none of them in the sums: small files are held
    until they have been read, and each large one has a profile of its own first.
    """
    large: list[Profile] = []
    sources: list[Source] = []
    skipped = list(log.skipped)

    def small_files() -> Iterator[Chunk]:
        for part in log.parts:
            one = replace(log, parts=(part,), skip_bad=False)
            its_source: list[Source] = []
            chunks = one.chunks(columns, its_source, preparing(columns))
            try:
                first = list(islice(chunks, SMALL_CHUNKS))
                if not its_source and (further := next(chunks, None)) is not None:
                    whole = chain(first, [further], chunks)
                    large.append(profile_of_chunks(whole, columns, keep_worst, progress))
                    first = []
            except UnreadableLogError as error:
                skipped.append(Source(part.path, 0, part.bytes, skipped=str(error)))
                continue
            sources.extend(its_source)
            yield from first
            if len(large) >= MERGE_AT:
                large[:] = [merge(large)]

    small = profile_of_chunks(small_files(), columns, keep_worst, progress)
    if not sources:
        raise UnreadableLogError(
            f"None of the log's files ({len(skipped):,}) could be read. The first: "
            f"{skipped[0].skipped}"
        )
    whole = merge([small, *large]) if large else small
    return replace(whole, sources=(*sources, *skipped))
