"""What a profile knows of the rows that every prediction scores: there models are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from lossreport.profiles.statistics import PAIR_SUMS, add_up

COMMON_SUMS = ("n", "sum_error", "sum_abs_error", "sum_sq_error", "sum_fourth_error")
MOST_PAIRED = 20
"""The pairs of more predictions than this are not added up."""
ID_BUCKETS = 256
"""Ids fall into so many buckets, each whole, by their hash."""


@dataclass(frozen=True)
class Common:
    """The sums of the rows that every prediction scores."""

    by: tuple[str, ...]
    """The group columns of `cells` and `pairs`: all of them, or none where they have too many
    groups."""
    cells: pl.DataFrame
    """Keys `prediction` and `key_0`, ... (the values of `by`); COMMON_SUMS."""
    pairs: pl.DataFrame
    """Keys `first` and `second` (predictions, `first` < `second`) and `key_0`, ...; PAIR_SUMS."""
    over_time: pl.DataFrame
    """Keys `prediction` and `bucket` (null: no time); COMMON_SUMS."""
    over_ids: pl.DataFrame | None
    """Keys `prediction` and `bucket` (of ids); COMMON_SUMS. None without ids."""
    lost: int
    """How many rows some predictions score, but not all."""

    def whole(self) -> Common:
        """Return the sums not told apart by group columns."""
        return replace(self, by=(), cells=_rolled_up(self.cells), pairs=_rolled_up(self.pairs))


def _rolled_up(frame: pl.DataFrame) -> pl.DataFrame:
    return add_up(frame.select(pl.exclude("^key_.*$")))


def merged_common(
    parts: Sequence[Common | None], factors: Sequence[int], *, cube: bool, ids_alike: bool
) -> Common | None:
    """Return the sums of all parts together; None if one has none.

    Parameters
    ----------
    factors
        How many of its time buckets make one of the whole, part by part.
    cube
        Whether the group columns are still told apart together.
    ids_alike
        Whether the parts' ids were hashed in one way.
    """
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    same = cube and len({p.by for p in known}) == 1
    known = known if same else [p.whole() for p in known]
    over_ids = [p.over_ids for p in known if p.over_ids is not None]
    over_time = [
        p.over_time.with_columns(pl.col("bucket") // factor)
        for p, factor in zip(known, factors, strict=True)
    ]
    return Common(
        by=known[0].by,
        cells=add_up(pl.concat([p.cells for p in known])),
        pairs=add_up(pl.concat([p.pairs for p in known])),
        over_time=add_up(pl.concat(over_time)),
        over_ids=add_up(pl.concat(over_ids)) if ids_alike and len(over_ids) == len(known) else None,
        lost=sum(p.lost for p in known),
    )


def common_schema(frame: str, keys: int) -> dict[str, Any]:
    """Return the columns of a frame of `common_frames`, with their types."""
    by = dict.fromkeys((f"key_{i}" for i in range(keys)), pl.String)
    sums: dict[str, Any] = {s: pl.Int64 if s == "n" else pl.Float64 for s in COMMON_SUMS}
    if frame == "common pairs":
        squares = dict.fromkeys(PAIR_SUMS, pl.Float64)
        return {"first": pl.Int64, "second": pl.Int64, **by, **squares}
    if frame == "common cells":
        return {"prediction": pl.Int64, **by, **sums}
    return {"prediction": pl.Int64, "bucket": pl.Int64, **sums}


def common_frames(common: Common | None) -> tuple[dict[str, pl.DataFrame], dict[str, Any] | None]:
    """Return the sums as frames by name, and what else is to be known of them, for a file."""
    if common is None:
        return {}, None
    frames = {
        "common cells": common.cells,
        "common pairs": common.pairs,
        "common over_time": common.over_time,
    }
    if common.over_ids is not None:
        frames["common over_ids"] = common.over_ids
    return frames, {"by": list(common.by), "lost": common.lost}


def common_from(frames: dict[str, pl.DataFrame], about: dict[str, Any] | None) -> Common | None:
    """Return the sums that `common_frames` took apart; None if there were none."""
    if about is None:
        return None
    return Common(
        by=tuple(about["by"]),
        cells=frames["common cells"],
        pairs=frames["common pairs"],
        over_time=frames["common over_time"],
        over_ids=frames.get("common over_ids"),
        lost=int(about["lost"]),
    )
