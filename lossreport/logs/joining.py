"""Predictions joined with actuals of another log on keys; only the actuals are held in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lossreport.errors import UsageError, nearest
from lossreport.logs.keys import common_form, key
from lossreport.logs.log import Log
from lossreport.logs.number_style import PLAIN, NumberStyle
from lossreport.logs.part import AMBIGUOUS, MATCH, Part
from lossreport.logs.patience import reading
from lossreport.logs.value_roles import find_actual
from lossreport.logs.values import can_be_number, is_text, number


@dataclass(frozen=True)
class Join:
    """How predictions and actuals came together; the rows without actual are in the ledger."""

    actuals: tuple[str, ...]
    """The files of the actuals."""
    on: tuple[str, ...]
    rows: int
    """Rows of the actuals."""
    without_key: int
    """Rows of the actuals that lack a key."""
    repeated: int
    """Rows of the actuals whose key an earlier row has."""
    ambiguous: int
    """Keys whose rows in the actuals differ, so that none is taken."""
    unmatched: int
    """Keys of the actuals that no prediction has."""
    repeated_predictions: int
    """Predictions with the key, and so the actual value, of an earlier one; each is scored."""
    example: tuple[str | None, ...] | None
    """The first unmatched key."""


class Actuals:
    """Actual values by key, each key once, and how often each was matched."""

    def __init__(self, log: Log, on: Sequence[str], values: Sequence[str], forms: Sequence[str]):
        self.on, self.values, self.forms = tuple(on), tuple(values), tuple(forms)
        self._paths = tuple(p.path for p in log.parts)
        self._keys = [f"\x00joined key_{i}" for i in range(len(on))]
        for part in log.parts:
            dtype = part.schema.get(values[0], pl.Null())
            if not can_be_number(dtype):
                raise UsageError(
                    f"Column {values[0]!r} of {part.path} holds {dtype}, which is no number."
                )
        self._style = _common_style(log.parts, values[0])
        read = [_read(p, [*on, *values], self._keys, forms, on) for p in log.parts]
        if self._style is None:
            each = zip(read, log.parts, strict=True)
            read = [r.with_columns(_in_plain(p, values[0])) for r, p in each]
        raw = _alike(read)
        self._read_as = tuple(
            dict.fromkeys(f"actuals: {r}" for p in log.parts for r in (*p.read_as, *p.notes))
        )
        keyed = raw.drop_nulls(self._keys)
        self._rows, self._without_key = raw.height, raw.height - keyed.height
        self._repeated = keyed.height - keyed.select(self._keys).n_unique()
        self.table = self._distinct(keyed).with_columns(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias(MATCH)
        )
        self._hits = np.zeros(self.table.height, dtype=np.int64)
        self._of_file = self._hits

    def _distinct(self, keyed: pl.DataFrame) -> pl.DataFrame:
        """Return each key once; without values where its rows differ."""
        if not self._repeated:
            return keyed.with_columns(pl.lit(False).alias(AMBIGUOUS))
        differ = pl.struct(self.values).n_unique() > 1
        each = keyed.group_by(self._keys, maintain_order=True).agg(
            *(pl.col(n).first() for n in (*self.values, *self._originals())),
            differ.alias(AMBIGUOUS),
        )
        return each.with_columns(
            pl.when(~pl.col(AMBIGUOUS)).then(pl.col(v)).alias(v) for v in self.values
        )

    def _originals(self) -> list[str]:
        return [f"\x00joined given_{i}" for i in range(len(self.on))]

    def join(self, part: Part) -> Part:
        """Return the part with the values of the actuals, `MATCH` and `AMBIGUOUS` as columns."""
        _check_keys(part, self.on)
        head = part.head()
        keys = [
            key(n, head[n], form, part.path).alias(k)
            for n, form, k in zip(self.on, self.forms, self._keys, strict=True)
        ]
        mine = {n: self.table.schema[n] for n in (*self.values, MATCH, AMBIGUOUS)}

        def frames(names: Sequence[str]) -> Iterator[pl.LazyFrame]:
            right = self.table.lazy().select(*self._keys, *(n for n in names if n in mine))
            own = dict.fromkeys((*(n for n in names if n not in mine), *self.on))
            for frame in part.frames(list(own)):
                kept = frame.drop(*self.values, strict=False).with_columns(keys)
                joined = kept.join(right, on=self._keys, how="left", maintain_order="left")
                differ = pl.col(AMBIGUOUS).fill_null(value=False)
                yield joined.drop(self._keys).with_columns([differ] if AMBIGUOUS in names else [])

        numbers = {n: s for n, s in part.numbers.items() if n not in mine}
        return replace(
            part,
            schema=pl.Schema({**part.schema, **mine}),
            frames=frames,
            numbers={**numbers, self.values[0]: self._style or PLAIN},
            read_as=(*part.read_as, *self._read_as),
        )

    def begin(self) -> None:
        """Begin a file; what was counted of one that did not end is forgotten."""
        self._of_file = np.zeros_like(self._hits)

    def add(self, which: pl.Series) -> None:
        """Count the actuals (`MATCH`) of some rows."""
        numbers, times = np.unique(which.drop_nulls().to_numpy(), return_counts=True)
        self._of_file[numbers] += times

    def end(self) -> None:
        """Keep what was counted of the file."""
        self._hits += self._of_file

    def result(self) -> Join:
        """Return how the rows that were counted so far came together."""
        left = np.flatnonzero(self._hits == 0)
        differ = self.table[AMBIGUOUS].to_numpy()
        example = None
        if len(left):
            row = self.table.select(self._originals()).row(int(left[0]))
            example = tuple(None if v is None else str(v) for v in row)
        return Join(
            actuals=self._paths,
            on=self.on,
            rows=self._rows,
            without_key=self._without_key,
            repeated=self._repeated,
            ambiguous=int(differ.sum()),
            unmatched=len(left),
            repeated_predictions=int((self._hits[~differ] - 1).clip(0).sum()),
            example=example,
        )


def join_actuals(
    predictions: Log,
    actuals: Log,
    on: Sequence[str],
    actual: str | None,
    asked: Collection[str],
    predicted: Collection[str] = (),
) -> tuple[Log, Actuals, str]:
    """Join predictions with actuals on keys.

    Parameters
    ----------
    actual
        The column of the actual values in the actuals; None means "find it by name".
    asked
        Columns to take from the actuals as well, if the predictions have none of that name.
    predicted
        The columns of the predictions, if they were given: one may be called like the actual
        values' in the actuals, which is then called so with " (actual)".

    Returns
    -------
    Log, Actuals, str
        The predictions' rows, with the values of the actuals; what counts the matches, while the
        log is read; and the name of the column of the actual values.

    Raises
    ------
    UsageError
        There is no key, a key is in one of the logs only, or its types cannot be matched.
    UnreadableLogError
        The actuals cannot be read.
    """
    if not on:
        raise UsageError("Actuals are joined on keys: name their columns with --on COL[,COL]...")
    for part in (predictions.parts[0], actuals.parts[0]):
        _check_keys(part, on)
    known = actuals.parts[0].schema
    if not actual:
        actual = find_actual(actuals.sample().to_dict(), taken=on)
    elif actual not in known:
        raise UsageError(
            f"{actuals.parts[0].path} has no column {actual!r}. {nearest(actual, known)}"
        )
    if actual in on:
        raise UsageError(f"Column {actual!r} cannot be both a key and the actual value.")
    held = predictions.parts[0].schema
    if actual in predicted and actual in held:
        old, actual = actual, f"{actual} (actual)"
        parts = tuple(_renamed(p, old, actual) for p in actuals.parts)
        actuals, known = replace(actuals, parts=parts), parts[0].schema
    more = [n for n in dict.fromkeys(asked) if n in known and n not in held and n != actual]
    forms = [common_form(n, held[n], known[n]) for n in on]
    made = Actuals(actuals, on, [actual, *more], forms)
    parts = tuple(made.join(p) for p in predictions.parts)
    return replace(predictions, parts=parts, matches=made), made, actual


def _renamed(part: Part, old: str, new: str) -> Part:
    """Return a part, one of whose columns is called differently."""

    def frames(names: Sequence[str]) -> Iterator[pl.LazyFrame]:
        for frame in part.frames([old if n == new else n for n in names]):
            yield frame.rename({old: new}, strict=False)

    schema = pl.Schema({new if n == old else n: t for n, t in part.schema.items()})
    numbers = {new if n == old else n: s for n, s in part.numbers.items()}
    return replace(part, schema=schema, frames=frames, numbers=numbers)


def _check_keys(part: Part, on: Sequence[str]) -> None:
    for name in on:
        if name not in part.schema:
            raise UsageError(
                f"{part.path} has no column {name!r} to join on. {nearest(name, part.schema)}"
            )


def _read(
    part: Part, names: Sequence[str], keys: Sequence[str], forms: Sequence[str], on: Sequence[str]
) -> pl.DataFrame:
    """Return the rows of a part of the actuals, with their keys in common forms."""
    _check_keys(part, names)
    with reading(part.path):
        wanted = list(dict.fromkeys(names))
        frames = [f.select(wanted).collect() for f in part.frames(wanted)]
        rows = pl.concat(frames) if frames else part.schema.to_frame().select(wanted)
        made = [
            key(n, rows[n], form, part.path).alias(k)
            for n, form, k in zip(on, forms, keys, strict=True)
        ]
        given = [pl.col(n).cast(pl.String).alias(f"\x00joined given_{i}") for i, n in enumerate(on)]
        return rows.with_columns(*made, *given).drop(*on)


def _style_of(part: Part, name: str) -> NumberStyle:
    """Return how a part writes the numbers of a column; numbers become plain texts."""
    style = part.numbers.get(name, PLAIN)
    return NumberStyle(style.decimal, style.thousands, style.percent)


def _common_style(parts: Sequence[Part], name: str) -> NumberStyle | None:
    """Return how all parts write the numbers of a column; None if they differ."""
    styles = {_style_of(p, name) for p in parts}
    return styles.pop() if len(styles) == 1 else None


def _in_plain(part: Part, name: str) -> pl.Expr:
    """Return a column of numbers as plain texts.

    What the part's own style does not read stays text: in quotes where it would be a number now.
    """
    style, dtype = _style_of(part, name), part.schema[name]
    if style == PLAIN or not is_text(dtype):
        return pl.col(name)
    text = pl.col(name).cast(pl.String).str.strip_chars()
    value, _ = number(name, dtype, name, style=style)
    digits = style.plain(text)
    digits = pl.when(digits.cast(pl.Float64, strict=False).is_not_null()).then(digits)
    digits = pl.coalesce(value.cast(pl.String) if style.percent else digits, value.cast(pl.String))
    plain, _ = number(name, dtype, name)
    return pl.coalesce(digits, pl.when(plain.is_null()).then(text), pl.format("'{}'", text)).alias(
        name
    )


def _alike(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return frames as one; a column that is text in one of them is text in all."""
    text = {n for f in frames for n, t in f.schema.items() if is_text(t)}
    cast = [f.with_columns(pl.col(n).cast(pl.String) for n in text) for f in frames]
    try:
        return pl.concat(cast, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        reason = str(error).split("\n", 1)[0]
        raise UsageError(
            f"The files of the actuals hold values that do not go together ({reason}). Write each "
            "column as one type."
        ) from error
