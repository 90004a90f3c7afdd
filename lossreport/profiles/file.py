"""Saves a profile as one Parquet file, and reads it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from lossreport.errors import UnreadableLogError
from lossreport.logs.columns import Columns
from lossreport.logs.joining import Join
from lossreport.logs.part import Source
from lossreport.logs.patience import in_time, reading
from lossreport.profiles.evidence import evidence_schema, from_frames, to_frames
from lossreport.profiles.profile import (
    Profile,
    Table,
    histogram_schema,
    moments_schema,
    tables_for,
    worst_schema,
)
from lossreport.profiles.shared_rows import Common, common_frames, common_from, common_schema

SCHEMA = "lossreport/profile/1"
KEY = "lossreport_profile"
Frame = Callable[[str, dict[str, Any]], pl.DataFrame]
"""Gives a frame of a file by its name, with these columns."""


def save_profile(profile: Profile, path: Path | BytesIO) -> None:
    """Write the profile to a Parquet file; the same profile gives the same bytes."""
    parts = {"timeline": profile.timeline, "worst": profile.worst}
    for i, table in enumerate(profile.tables):
        parts[f"moments {i}"] = table.moments
        if table.histogram is not None:
            parts[f"histogram {i}"] = table.histogram
        if table.centred is not None:
            parts[f"centred {i}"] = table.centred
    frames, evidence = to_frames(profile.evidence)
    parts |= frames
    frames, common = common_frames(profile.common)
    parts |= frames
    if profile.models is not None:
        parts["models"] = profile.models.moments
    about = {
        "schema": SCHEMA,
        "columns": asdict(profile.columns),
        "sources": [asdict(s) for s in profile.sources],
        "tables": [{"by": t.by, "timed": t.timed} for t in profile.tables],
        "frames": {name: frame.columns for name, frame in parts.items()},
        "worst_kept": profile.worst_kept,
        "span": profile.span,
        "evidence": evidence,
        "joins": [asdict(j) for j in profile.joins],
        "centres": profile.centres,
        "common": common,
        "models_timed": profile.models is not None and profile.models.timed,
    }
    named = [f.select(pl.lit(name).alias("part"), pl.all()) for name, f in parts.items()]
    whole = pl.concat(named, how="diagonal")
    whole.write_parquet(path, compression="zstd", metadata={KEY: json.dumps(about)})


def is_profile(path: str) -> bool:
    """Return whether a file is a profile that lossreport wrote; of an unreadable one, False."""
    if "://" not in path and not _starts_as_parquet(path):
        return False
    try:
        return KEY in _metadata(path)
    except UnreadableLogError:
        return False


def _starts_as_parquet(path: str) -> bool:
    """Look before Parquet's reader does: most logs are none, and a pipe would lose what is read."""
    try:
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            return file.read(4) == b"PAR1"
    except (OSError, ValueError):
        return False


def _metadata(path: str) -> dict[str, str]:
    def read() -> dict[str, str]:
        with reading(path):
            return pl.read_parquet_metadata(path)

    return in_time(path, read)


def load_profile(path: str, content: bytes | None = None) -> Profile:
    """Read a profile.

    Parameters
    ----------
    content
        The file's bytes, if they were read before; `path` is then only its name in messages.

    Raises
    ------
    UnreadableLogError
        The file is missing, damaged, no profile, or of a version that this one does not know.
    """
    if content is None and "://" not in path and not Path(path).exists():
        raise UnreadableLogError(f"There is no file {path}.")

    def file() -> str | BytesIO:
        return path if content is None else BytesIO(content)

    def read() -> Profile:
        with reading(path):
            about = json.loads(pl.read_parquet_metadata(file())[KEY])
            if (schema := about.get("schema")) != SCHEMA:
                raise UnreadableLogError(
                    f"{path} is a profile of schema {schema}, but this lossreport reads {SCHEMA}. "
                    "Make it anew from its log, or use the version that wrote it."
                )
            return _made_of(about, pl.read_parquet(file()))

    try:
        return in_time(path, read)
    except UnreadableLogError as error:
        if not isinstance(error.__cause__, Exception | pl.exceptions.PanicException):
            raise
        raise _not_whole(path) from error
    except Exception as error:  # whatever damage makes of the text that says what is in the file
        raise _not_whole(path) from error


def _not_whole(path: str) -> UnreadableLogError:
    return UnreadableLogError(
        f"{path} is not a whole lossreport profile: it is damaged, something else, or was written "
        "by another version. Make it anew from its log."
    )


def _made_of(about: dict[str, Any], whole: pl.DataFrame) -> Profile:
    """Return the profile; any exception means that the file is damaged."""
    columns = _columns(about["columns"])
    predictions, keys = len(columns.predicted), len(columns.keys)

    def frame(name: str, schema: dict[str, Any]) -> pl.DataFrame:
        rows = whole.filter(pl.col("part") == name).select(about["frames"][name])
        if rows.columns != list(schema):
            raise ValueError(f"{name} has the columns {rows.columns}")
        return rows.cast(pl.Schema(schema))

    def worst() -> pl.DataFrame:
        schema = worst_schema(keys)
        if "id" in about["frames"]["worst"]:
            return frame("worst", schema)
        without = {name: kind for name, kind in schema.items() if name != "id"}
        return frame("worst", without).select(
            *(
                pl.col(n) if n in without else pl.lit(None, kind).alias(n)
                for n, kind in schema.items()
            )
        )

    def table(i: int, by: list[str], *, timed: bool) -> Table:
        if not set(by) <= set(columns.keys):
            raise ValueError(f"a table by {by}")
        histogram, centred = (
            frame(f"{kind} {i}", histogram_schema(len(by)))
            if f"{kind} {i}" in about["frames"]
            else None
            for kind in ("histogram", "centred")
        )
        moments = frame(f"moments {i}", moments_schema(len(by)))
        return Table(tuple(by), moments, histogram, bool(timed), centred)

    tables = [table(i, t["by"], timed=t["timed"]) for i, t in enumerate(about["tables"])]
    if {t.by for t in tables} not in [set(tables_for(columns, cube=c)) for c in (True, False)]:
        raise ValueError("tables are missing")
    frames = {
        name: frame(name, evidence_schema(name, predictions, keys))
        for name in about["frames"]
        if name.startswith("evidence ")
    }
    return Profile(
        columns=columns,
        sources=tuple(Source(**{**s, "read_as": tuple(s["read_as"])}) for s in about["sources"]),
        tables=tuple(tables),
        timeline=frame("timeline", moments_schema(0)),
        worst=worst(),
        worst_kept=int(about["worst_kept"]),
        span=about["span"] and (int(about["span"][0]), int(about["span"][1])),
        evidence=from_frames(frames, about.get("evidence")),
        joins=tuple(_join(j) for j in about["joins"]),
        centres=_centres(about.get("centres", ()), predictions),
        common=_common(about, frame),
        models=_models(columns, about, frame),
    )


def _centres(saved: list[float | None], predictions: int) -> tuple[float | None, ...]:
    if saved and len(saved) != predictions:
        raise ValueError(f"{len(saved)} centres")
    return tuple(None if c is None else float(c) for c in saved)


def _common(about: dict[str, Any], frame: Frame) -> Common | None:
    saved = about.get("common")
    keys = len(saved["by"]) if saved else 0
    names = [name for name in about["frames"] if name.startswith("common ")]
    return common_from({name: frame(name, common_schema(name, keys)) for name in names}, saved)


def _models(columns: Columns, about: dict[str, Any], frame: Frame) -> Table | None:
    if columns.compare is None:
        return None
    moments = frame("models", moments_schema(1))
    return Table((columns.compare,), moments, None, bool(about["models_timed"]))


def _columns(saved: dict[str, Any]) -> Columns:
    return Columns(
        actual=saved["actual"],
        predicted=tuple(saved["predicted"]),
        time=saved["time"],
        groupings=tuple(tuple(g) for g in saved["groupings"]),
        time_format=saved["time_format"],
        found=tuple(saved["found"]),
        ids=tuple(saved.get("ids", ())),
        compare=saved.get("compare"),
        kinds=tuple(saved.get("kinds", ())),
    )


def _join(saved: dict[str, Any]) -> Join:
    """Return a join as it was before JSON, which knows no tuples."""
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items()}
    return Join(**fields)
