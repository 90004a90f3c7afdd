"""Profiles of logs whose rows stay elsewhere: the same scan, part by part where the rows are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO

import polars as pl

from lossreport.logs.columns import Columns, key_names
from lossreport.logs.log import Log
from lossreport.logs.part import Chunk, Part, Prepare, Source
from lossreport.profiles.centring import Centres, centred_histograms, centring, with_histograms
from lossreport.profiles.file import load_profile, save_profile
from lossreport.profiles.merging import merge
from lossreport.profiles.of_log import preparing, profile_of_chunks
from lossreport.profiles.profile import Profile
from lossreport.profiles.statistics import HISTOGRAM_SUMS, add_up

TABLE = "table"


def profile_elsewhere(log: Log, columns: Columns, *, keep_worst: int) -> Profile:
    """Return the profile of a log whose rows stay elsewhere; as `of_log.profile_log`.

    Sums are added up in another order than there, so that their last digits may differ.
    """
    assert log.elsewhere is not None
    # What is kept for the checks is drawn by what the first row of its file says.
    first = list(log.elsewhere.first_rows(columns.needed))
    chunks = _chunks(iter(first), columns, log.missing, [], lambda rows: rows)
    openings = {chunk.file: chunk.opening for chunk in chunks}
    sizes = {part.path: part.bytes for part in first}
    work = partial(
        _profiled,
        columns=columns,
        missing=log.missing,
        keep_worst=keep_worst,
        openings=openings,
    )
    made = log.elsewhere.run(columns.needed, work, _merged) or [work(iter(()))]
    whole = _loaded(made)
    sources = [replace(s, bytes=sizes.get(s.path)) for s in _by_file(whole.sources)]
    return replace(whole, sources=tuple(sources))


def _profiled(
    parts: Iterator[Part],
    *,
    columns: Columns,
    missing: tuple[str, ...],
    keep_worst: int,
    openings: Mapping[str, str],
) -> bytes:
    sources: list[Source] = []
    chunks = (
        replace(chunk, opening=openings.get(chunk.file, chunk.opening))
        for chunk in _chunks(parts, columns, missing, sources, preparing(columns))
    )
    return _saved(profile_of_chunks(chunks, columns, keep_worst), sources)


def _chunks(
    parts: Iterator[Part],
    columns: Columns,
    missing: tuple[str, ...],
    sources: list[Source],
    prepare: Prepare,
) -> Iterator[Chunk]:
    for part in parts:
        yield from Log((part,), missing=missing).chunks(columns, sources, prepare)


def _saved(profile: Profile, sources: Sequence[Source] = ()) -> bytes:
    file = BytesIO()
    save_profile(replace(profile, sources=_by_file((*profile.sources, *sources))), file)
    return file.getvalue()


def _loaded(made: Sequence[bytes]) -> Profile:
    return merge([load_profile("A part of the profile", content) for content in made])


def _merged(made: Sequence[bytes]) -> bytes:
    return _saved(_loaded(made))


def _by_file(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return one source for all pieces of a file, in the files' order."""
    files: dict[str, Source] = {}
    for source in sources:
        before = files.get(source.path)
        rows = source.rows + (before.rows if before else 0)
        files[source.path] = replace(source, rows=rows)
    return tuple(files[path] for path in sorted(files))


def centred_elsewhere(profile: Profile, log: Log, centres: Centres) -> Profile:
    """Return the profile with histograms of errors less the centres; as `with_centred`."""
    assert log.elsewhere is not None
    tables = [t.by for t in profile.tables if t.histogram is not None]
    if not tables:
        return profile
    work = partial(
        _centred, columns=profile.columns, missing=log.missing, centres=centres, tables=tables
    )
    made = log.elsewhere.run(profile.columns.needed, work, _added)
    both = _histograms(made)
    found = {
        by: both.filter(pl.col(TABLE) == i).select(
            "prediction", *key_names(by), "bin", *HISTOGRAM_SUMS
        )
        for i, by in enumerate(tables)
    }
    return with_histograms(profile, found, centres)


def _centred(
    parts: Iterator[Part],
    *,
    columns: Columns,
    missing: tuple[str, ...],
    centres: Centres,
    tables: Sequence[tuple[str, ...]],
) -> bytes:
    chunks = _chunks(parts, columns, missing, [], centring(centres))
    made = centred_histograms((c.rows for c in chunks), tables, columns, centres)
    return _written([f.with_columns(pl.lit(i).alias(TABLE)) for i, f in enumerate(made.values())])


def _written(frames: Sequence[pl.DataFrame]) -> bytes:
    file = BytesIO()
    pl.concat(frames, how="diagonal").write_ipc(file)
    return file.getvalue()


def _histograms(made: Sequence[bytes]) -> pl.DataFrame:
    return add_up(pl.concat([pl.read_ipc(BytesIO(m)) for m in made], how="diagonal"))


def _added(made: Sequence[bytes]) -> bytes:
    return _written([_histograms(made)])
