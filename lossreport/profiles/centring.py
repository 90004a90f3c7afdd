"""The second pass: histograms of errors less a centre, for logs whose errors lie far from 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import narwhals as nw
import numpy as np
import polars as pl

from lossreport.errors import UnreadableLogError
from lossreport.logs.columns import Columns, key_names
from lossreport.logs.log import Log
from lossreport.logs.part import Prepare
from lossreport.profiles.cells import NOBODY, Cells
from lossreport.profiles.profile import Profile, Table
from lossreport.profiles.statistics import HISTOGRAM_SUMS, UNSCORED, add_up, binned, with_errors
from lossreport.profiles.summing import Sums

Centres = Sequence[float | None]
ROUNDING = 1e-13
"""An error is a difference of floats: what is below this share of the centre is their rounding."""


def with_centred(
    profile: Profile,
    log: Log,
    centres: Centres,
    progress: Callable[[int], None] = lambda _: None,
) -> Profile:
    """Return the profile with histograms of errors less the centres; reads the log once more.

    Parameters
    ----------
    profile
        Of this log. Its figures stay as they are.
    centres
        For each prediction; None for those that need none.
    progress
        Called with the number of rows after each chunk.

    Returns
    -------
    Profile
        As it was, without centres, if the log cannot be read twice or is not the same any more.
    """
    read = {s.path for s in profile.sources if s.skipped is None}
    parts = tuple(p for p in log.parts if p.path in read)
    again = replace(log, parts=parts, skip_bad=False)
    tables = [t.by for t in profile.tables if t.histogram is not None]
    if not tables:
        return profile

    def rows() -> Iterator[pl.DataFrame]:
        for chunk in again.chunks(profile.columns, [], centring(centres)):
            yield chunk.rows
            progress(chunk.rows.height)

    try:
        made = centred_histograms(rows(), tables, profile.columns, centres)
    except UnreadableLogError:
        return profile
    return with_histograms(profile, made, centres)


def centred_histograms(
    chunks: Iterable[pl.DataFrame],
    tables: Sequence[tuple[str, ...]],
    columns: Columns,
    centres: Centres,
) -> dict[tuple[str, ...], pl.DataFrame]:
    """Return the histograms by these group columns of rows that `centring` has prepared."""
    sums = [_Centred(by, columns, centres) for by in tables]
    for rows in chunks:
        for table in sums:
            table.add(rows)
    return {t.by: t.frame() for t in sums}


def with_histograms(
    profile: Profile, made: Mapping[tuple[str, ...], pl.DataFrame], centres: Centres
) -> Profile:
    """Return the profile with these centred histograms; without them if rows are missing there."""
    whole = [replace(t, centred=made.get(t.by)) for t in profile.tables]
    if not all(_is_complete(t, centres) for t in whole if t.centred is not None):
        return profile
    return replace(profile, tables=tuple(whole), centres=tuple(centres))


def centring(centres: Centres) -> Prepare:
    """Return what adds `away_i`, the error less its centre, and its bin.

    Errors of exactly 0 have no bin: how many there are is known.
    """
    wanted = [(i, c) for i, c in enumerate(centres) if c is not None]

    def prepare(rows: pl.LazyFrame) -> pl.LazyFrame:
        made = with_errors(nw.from_native(rows), len(centres))
        away = {i: nw.col(f"error_{i}") - c for i, c in wanted}
        made = made.with_columns(
            **{
                f"away_{i}": nw.when(away[i].abs() > ROUNDING * abs(c))
                .then(away[i])
                .otherwise(nw.lit(0.0))
                for i, c in wanted
            }
        )
        bins = {
            f"bin_{i}": nw.when(nw.col(f"error_{i}") == 0)
            .then(nw.lit(UNSCORED))
            .otherwise(binned(nw.col(f"away_{i}")))
            .cast(nw.Int64)
            for i, _ in wanted
        }
        prepared: pl.LazyFrame = made.with_columns(**bins).to_native()
        return prepared

    return prepare


class _Centred:
    """The centred histograms of one table."""

    def __init__(self, by: tuple[str, ...], columns: Columns, centres: Centres) -> None:
        self.by = by
        self.cells = Cells([f"key_{columns.keys.index(c)}" for c in by])
        self.sums = {i: Sums(HISTOGRAM_SUMS) for i, c in enumerate(centres) if c is not None}

    def add(self, rows: pl.DataFrame) -> None:
        cells = self.cells.of(rows)
        for i, sums in self.sums.items():
            bins, away = rows[f"bin_{i}"].to_numpy(), rows[f"away_{i}"].to_numpy()
            with np.errstate(all="ignore"):  # squares may be beyond all floats
                square = away * away
            cell = np.where(bins == UNSCORED, NOBODY, cells)
            one = np.ones(1, dtype=np.int64)
            sums.add(cell, bins, {"n": one, "sum_error": away, "sum_sq_error": square})

    def frame(self) -> pl.DataFrame:
        """Return them with the keys of a `Table`."""
        made = []
        for i, sums in self.sums.items():
            frame = sums.frame()
            made.append(
                frame.select(
                    pl.lit(i, pl.Int64).alias("prediction"),
                    *self.cells.texts(frame["cell"]),
                    pl.col("sub").alias("bin"),
                    *HISTOGRAM_SUMS,
                )
            )
        return add_up(pl.concat(made))


def _is_complete(table: Table, centres: Centres) -> bool:
    """Return whether the second reading found the errors of the first, group by group."""
    assert table.histogram is not None
    assert table.centred is not None
    keys = ["prediction", *key_names(table.by)]
    wanted = [i for i, c in enumerate(centres) if c is not None]
    first = table.histogram.filter(pl.col("bin") != 0, pl.col("prediction").is_in(wanted))
    counted = [f.group_by(keys).agg(pl.col("n").sum()).sort(keys) for f in (first, table.centred)]
    return counted[0].equals(counted[1])
