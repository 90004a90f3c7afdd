"""A log: rows, opened but not yet read, and how they are handed out chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from lossreport.errors import UnreadableLogError
from lossreport.logs.columns import Columns
from lossreport.logs.part import (
    AMBIGUOUS,
    CHUNK_ROWS,
    FILE_NAME,
    MATCH,
    Chunk,
    Part,
    Prepare,
    Source,
)
from lossreport.logs.patience import Ahead, ahead, reading
from lossreport.logs.rows import rows_of_part

NEARLY_READ = 2_500_000
"""The next file is begun when this many rows are left: its first row group is then read by the time
that it is wanted."""
FILES_AHEAD = 8
"""So many of the next objects of a store are begun then: each takes several answers of a server."""
LOOKED_AT_ROWS = 2_000_000
"""So many rows of a column are read to find out what its first rows do not tell."""


Work = Callable[[Iterator[Part]], bytes]
"""Makes something of parts whose rows come one after the other."""
Combine = Callable[[Sequence[bytes]], bytes]
"""Makes one thing of what was made of several parts."""


class Elsewhere(Protocol):
    """Has work done where the rows are: they are never brought here."""

    def first_rows(self, columns: Sequence[str]) -> Iterator[Part]:
        """Return the first row of every file; nothing where files are not known."""

    def run(self, columns: Sequence[str], work: Work, combine: Combine) -> list[bytes]:
        """Return what is made of all rows, combined into a few things, in their order.

        Parameters
        ----------
        columns
            Those that the parts must have.
        """


class Matches(Protocol):
    """Counts the actuals that rows were joined with, file by file."""

    def begin(self) -> None:
        """Begin a file; what was counted of one that did not end is forgotten."""

    def add(self, which: pl.Series) -> None:
        """Count the actuals (`MATCH`) of some rows."""

    def end(self) -> None:
        """Keep what was counted of the file."""


@dataclass(frozen=True)
class Log:
    """Rows, opened but not yet read."""

    parts: tuple[Part, ...]
    skip_bad: bool = False
    """Whether a file that cannot be read is left out, and named, instead of ending it all."""
    skipped: tuple[Source, ...] = ()
    """The files that could not be opened."""
    missing: tuple[str, ...] = ()
    """Texts that stand for no value, beside the known ones."""
    matches: Matches | None = None
    """Counts the actuals that the rows were joined with; None if nothing was."""
    elsewhere: Elsewhere | None = None
    """Where the rows stay, whose parts then have only the first of them; None: they come here."""

    @property
    def name(self) -> str:
        """The first paths."""
        return ", ".join(p.path for p in self.parts[:3]) + (", ..." if self.parts[3:] else "")

    def sample(self) -> pl.DataFrame:
        """Return the first rows of the first part that has any, with all columns."""
        heads = []
        for part in self.parts:
            try:
                heads.append(part.head())
            except UnreadableLogError:
                if not self.skip_bad:
                    raise
                continue
            if heads[-1].height:
                return self._without_missing(heads[-1])
        if not heads:
            raise UnreadableLogError("None of the files of the log could be read.")
        return self._without_missing(heads[0])

    def in_paths(self) -> dict[str, pl.Series]:
        """Return the columns that stand in the path of every file, with a value per file."""
        first, *others = (p.constants for p in self.parts)
        names = [n for n in first if n != FILE_NAME and all(n in o for o in others)]
        return {n: pl.Series(n, [c[n] for c in (first, *others)], pl.String) for n in names}

    def texts(self, name: str) -> Iterator[pl.Series]:
        """Yield the texts of a column, chunk by chunk, of the first `LOOKED_AT_ROWS` rows."""
        left = LOOKED_AT_ROWS
        for part in self.parts:
            if name not in part.schema:
                continue
            with reading(part.path):
                for frame in part.frames([name]):
                    for rows in frame.collect_batches(chunk_size=CHUNK_ROWS):
                        yield rows[name].cast(pl.String).head(left)
                        left -= rows.height
                        if left <= 0:
                            return

    def _without_missing(self, head: pl.DataFrame) -> pl.DataFrame:
        """Return rows with null for the texts that were said to stand for no value."""
        if self.matches is not None:
            head = head.drop(MATCH, AMBIGUOUS)
        if not self.missing:
            return head
        text = pl.col(pl.String)
        lower = text.str.strip_chars().str.to_lowercase()
        return head.with_columns(pl.when(~lower.is_in(self.missing)).then(text).name.keep())

    def chunks(
        self,
        columns: Columns,
        sources: list[Source],
        prepare: Prepare,
    ) -> Iterator[Chunk]:
        """Yield the rows, as `prepare` completes them.

        `sources` receives one entry per part once its last row has been yielded.

        Raises
        ------
        UnreadableLogError
            A part lacks a column, cannot be read, or yields another number of rows than it says.
        """
        joined = self.matches is not None

        def begin(part: Part) -> Ahead[pl.DataFrame]:
            rows = rows_of_part(part, columns, prepare, self.missing, joined=joined)
            return ahead(part.path, rows)

        begun: list[Ahead[pl.DataFrame]] = []
        try:
            for i, part in enumerate(self.parts):
                if not begun:
                    begun.append(begin(part))
                many = FILES_AHEAD if "://" in part.path else 1
                following = self.parts[i + 1 : i + 1 + many]
                read = 0
                for chunk in self._chunks_of(part, begun[0]):
                    yield chunk
                    read += chunk.rows.height
                    # Opening a file takes time: the next one is begun before this one ends.
                    near = (part.rows or math.inf) - read <= NEARLY_READ
                    if near:
                        begun += [begin(p) for p in following[len(begun) - 1 :]]
                begun.pop(0)
                read_as = tuple(dict.fromkeys((*part.read_as, *part.notes)))
                sources.append(Source(part.path, read, part.bytes, read_as))
        finally:
            for reader in begun:
                reader.close()

    def _chunks_of(self, part: Part, frames: Iterable[pl.DataFrame]) -> Iterator[Chunk]:
        read, opening = 0, ""
        if self.matches is not None:
            self.matches.begin()
        for rows in frames:
            if self.matches is not None:
                self.matches.add(rows[MATCH])
            if not read and rows.height and part.first_row == 1:
                opening = _first_row(rows)
            yield Chunk(part.path, read + part.first_row, rows, opening)
            read += rows.height
        if part.rows not in (None, read):
            raise UnreadableLogError(
                f"{part.path} says that it holds {part.rows:,} rows, but {read:,} could be read."
            )
        if self.matches is not None:
            self.matches.end()


def _first_row(rows: pl.DataFrame) -> str:
    """Return what the first row says, the same whatever the types of the file."""
    numbers = [c for c in rows.columns if c == "actual" or c.startswith("predicted_")]
    numbers = [c for c in numbers if not c.endswith("_text")]
    said = [None if (v := rows[c][0]) is None else float(v) for c in numbers]
    others = [str(rows[c][0]) for c in ("time", "id") if c in rows.columns]
    return repr((said, others))
