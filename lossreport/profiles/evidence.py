"""A bounded set of a log's rows, for the checks on its data, and its texts that are no numbers.

Each row has a *draw*, a number of 64 bits made of its place in its file (or of its content, or of
its id). Kept are the rows whose draw is among the largest 2**64 / 2**level, at the lowest level
that leaves no more than so many. So what is kept depends on the rows alone, not on how they were
cut into chunks and profiles: samples of parts merge into the sample of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

Draws = npt.NDArray[np.uint64]

BLOCK = 32
"""So many consecutive rows of a file have one draw: each row is kept with its neighbours."""
MOST_BY_PLACE = 20_000
MOST_BY_CONTENT = 10_000
MOST_BY_ID = 20_000
"""How many rows a sample may have; a log of no more rows is kept whole."""
MOST_BY_ID_COMPARED = 200_000
"""The same for a sample by id in which models are compared."""
MOST_TOKENS = 1_000
"""So many different texts of a side are told apart, those that occur most often."""
HIGHEST_LEVEL = 63

TOKEN_SCHEMA = {
    "side": pl.String,
    "token": pl.String,
    "n": pl.Int64,
    "file": pl.String,
    "row": pl.Int64,
}


@dataclass(frozen=True)
class Sample:
    """Rows of a log, chosen by their draws."""

    rows: pl.DataFrame
    """`draw`, `file`, `row` (from 1), `time`, `actual`, `predicted_0`, ..., `key_0`, ... and, in
    a sample by id, `id`; in order of file and row."""
    level: int
    """One in 2**level draws was kept; 0: all rows are here."""

    @property
    def factor(self) -> int:
        """How many rows of the log each row stands for."""
        return 1 << self.level


@dataclass(frozen=True)
class Evidence:
    """The rows that were kept of a log, and its texts that are no numbers."""

    by_place: Sample
    """Blocks of consecutive rows, scored or not, spread evenly over the log."""
    by_content: Sample
    """Rows scored by the first prediction, so that all copies of a row are kept or none."""
    by_id: Sample | None
    """Rows with an id, so that all rows of one id are kept or none; None without `ids`, or when
    the parts' ids were drawn in different ways."""
    tokens: pl.DataFrame
    """Texts that are no numbers: `side` ("actual", "predicted_0", ...), `token` (null: all that
    are not told apart), how often (`n`), and `file` and `row` of the first."""
    hashed_by: str
    """What made the draws of ids; they are not the same in every version of Polars."""


def sample_schema(numbers: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a sample with these numbers and texts, with their types."""
    place = {"draw": pl.UInt64, "file": pl.String, "row": pl.Int64, "time": pl.Datetime("us")}
    return {**place, **dict.fromkeys(numbers, pl.Float64), **dict.fromkeys(texts, pl.String)}


def evidence_schema(frame: str, predictions: int, keys: int) -> dict[str, Any]:
    """Return the columns of a frame of `to_frames`, with their types."""
    if frame == "evidence tokens":
        return dict(TOKEN_SCHEMA)
    numbers = ["actual", *(f"predicted_{i}" for i in range(predictions))]
    ids = ["id"] if frame == "evidence by_id" else []
    return sample_schema(numbers, [*(f"key_{i}" for i in range(keys)), *ids])


def mixed(values: Draws) -> Draws:
    """Return a well mixed 64-bit number for each number (splitmix64, Steele et al. 2014)."""
    z = values * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draws_of_blocks(file: str, first_row: str, first: int, last: int) -> Draws:
    """Return the draws of these blocks of a file.

    They depend on the file's name and folder and on its first row, so that of many small files not
    all are drawn by the same few numbers, even where every night's file has the same name; but not
    on its ending or on where the folder is.
    """
    path = PurePath(file.replace("\\", "/"))
    name = "/".join((*path.parent.parts[-1:], path.stem))
    seed = crc32(f"{name}\0{first_row}".encode("utf-8", "replace"))
    blocks = np.arange(first, last + 1, dtype=np.uint64)
    return mixed(blocks + (np.uint64(seed) << np.uint64(31)))


def least_kept(level: int) -> int:
    """Return the smallest draw that is kept at a level: the largest are, as 0 is often content."""
    return (1 << 64) - (1 << (64 - level))


def kept(draws: Draws, level: int) -> npt.NDArray[np.bool_]:
    """Return which draws are kept at a level."""
    return draws >= np.uint64(least_kept(level))


def level_for(draws: Draws, most: int, level: int = 0) -> int:
    """Return the lowest level, from `level` on, that keeps no more than so many draws (or 63)."""
    while level < HIGHEST_LEVEL and int(kept(draws, level).sum()) > most:
        level += 1
    return level


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows by file and row; those of files with one name by draw and all they say."""
    return rows.sort("file", "row", pl.exclude("file", "row"), nulls_last=True)


def merged_sample(samples: Sequence[Sample], most: int) -> Sample:
    """Return the sample of the rows of all samples' logs together."""
    level = max(s.level for s in samples)
    rows = pl.concat([s.rows for s in samples])
    draws = rows["draw"].to_numpy()
    level = level_for(draws[kept(draws, level)], most, level)
    return Sample(in_order(rows.filter(pl.Series(kept(draws, level)))), level)


def most_by_id(*, compared: bool) -> int:
    """Return how many rows a sample by id may have."""
    return MOST_BY_ID_COMPARED if compared else MOST_BY_ID


def merged_evidence(parts: Sequence[Evidence | None], *, compared: bool = False) -> Evidence | None:
    """Return the evidence of all parts together; None if one kept none.

    `compared` says whether models are compared by a group column.
    """
    evidence = [p for p in parts if p is not None]
    if len(evidence) < len(parts):
        return None
    if len(evidence) == 1:
        return evidence[0]
    ids = [e.by_id for e in evidence if e.by_id is not None]
    alike = len(ids) == len(evidence) and len({e.hashed_by for e in evidence}) == 1
    return Evidence(
        by_place=merged_sample([e.by_place for e in evidence], MOST_BY_PLACE),
        by_content=merged_sample([e.by_content for e in evidence], MOST_BY_CONTENT),
        by_id=merged_sample(ids, most_by_id(compared=compared)) if alike else None,
        tokens=counted_tokens(pl.concat([e.tokens for e in evidence])),
        hashed_by=evidence[0].hashed_by,
    )


def counted_tokens(tokens: pl.DataFrame) -> pl.DataFrame:
    """Add up equal tokens; of each side the most frequent stay, all others become one row.

    Where there is such a row, the others' counts are lower bounds: parts may have put a text that
    was rare in them into that row.
    """
    first = pl.struct("file", "row").sort_by("file", "row").first()
    order, down = ["side", "n", "file", "row", "token"], [False, True, False, False, False]
    each = (
        tokens.group_by("side", "token")
        .agg(pl.col("n").sum(), first.alias("first"))
        .unnest("first")
        .sort(order, descending=down)
    )
    named = each.drop_nulls("token")
    named = named.with_columns(rank=pl.int_range(pl.len()).over("side"))
    rest = pl.concat(
        [
            each.filter(pl.col("token").is_null()),
            named.filter(pl.col("rank") >= MOST_TOKENS).select(each.columns),
        ]
    )
    others = rest.group_by("side").agg(
        pl.lit(None, pl.String).alias("token"), pl.col("n").sum(), first.alias("first")
    )
    told = named.filter(pl.col("rank") < MOST_TOKENS)
    names = list(TOKEN_SCHEMA)
    return pl.concat([told.select(names), others.unnest("first").sort("side").select(names)])


def to_frames(evidence: Evidence | None) -> tuple[dict[str, pl.DataFrame], dict[str, Any] | None]:
    """Return evidence as frames by name, and what else is to be known of it, for a file."""
    if evidence is None:
        return {}, None
    samples = {"by_place": evidence.by_place, "by_content": evidence.by_content}
    if evidence.by_id is not None:
        samples["by_id"] = evidence.by_id
    frames = {f"evidence {name}": s.rows for name, s in samples.items()}
    levels = {name: s.level for name, s in samples.items()}
    about = {"levels": levels, "hashed_by": evidence.hashed_by}
    return {**frames, "evidence tokens": evidence.tokens}, about


def from_frames(
    frames: Mapping[str, pl.DataFrame], about: Mapping[str, Any] | None
) -> Evidence | None:
    """Return the evidence that `to_frames` took apart; None if there was none."""
    if about is None:
        return None
    samples = {n: Sample(frames[f"evidence {n}"], level) for n, level in about["levels"].items()}
    if any(s.level not in range(HIGHEST_LEVEL + 1) for s in samples.values()):
        raise ValueError("a sample's level is none")
    return Evidence(
        by_place=samples["by_place"],
        by_content=samples["by_content"],
        by_id=samples.get("by_id"),
        tokens=frames["evidence tokens"],
        hashed_by=about["hashed_by"],
    )
