"""Saves a profile as one Parquet file, and reads it back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from lossreport.errors import UnreadableLogError
from lossreport.logs.columns import Columns
from lossreport.logs.log import Source
from lossreport.profiles.evidence import from_frames, to_frames
from lossreport.profiles.profile import Profile, Table

SCHEMA = "lossreport/profile/1"
KEY = "lossreport_profile"


def save_profile(profile: Profile, path: Path) -> None:
    """Write the profile to a Parquet file; the same profile gives the same bytes."""
    parts = {"timeline": profile.timeline, "worst": profile.worst}
    for i, table in enumerate(profile.tables):
        parts[f"moments {i}"] = table.moments
        if table.histogram is not None:
            parts[f"histogram {i}"] = table.histogram
    frames, evidence = to_frames(profile.evidence)
    parts |= frames
    about = {
        "schema": SCHEMA,
        "columns": asdict(profile.columns),
        "sources": [asdict(s) for s in profile.sources],
        "tables": [{"by": t.by, "timed": t.timed} for t in profile.tables],
        "frames": {name: frame.columns for name, frame in parts.items()},
        "worst_kept": profile.worst_kept,
        "span": profile.span,
        "evidence": evidence,
    }
    named = [f.select(pl.lit(name).alias("part"), pl.all()) for name, f in parts.items()]
    whole = pl.concat(named, how="diagonal")
    whole.write_parquet(path, compression="zstd", metadata={KEY: json.dumps(about)})


def is_profile(path: str) -> bool:
    """Return whether a file is a profile that lossreport wrote."""
    try:
        return KEY in pl.read_parquet_metadata(path)
    except (OSError, pl.exceptions.PolarsError):
        return False


def load_profile(path: str) -> Profile:
    """Read a profile.

    Raises
    ------
    UnreadableLogError
        The file is damaged, no profile, or of a version that this one does not know.
    """
    try:
        about: dict[str, Any] = json.loads(pl.read_parquet_metadata(path)[KEY])
        whole = pl.read_parquet(path)
    except (OSError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
        raise UnreadableLogError(f"{path} is not a whole lossreport profile.") from error
    if about.get("schema") != SCHEMA:
        raise UnreadableLogError(
            f"{path} is a profile of schema {about.get('schema')}, but this lossreport reads "
            f"{SCHEMA}. Make it anew from its log, or use the version that wrote it."
        )
    frames = {
        name: whole.filter(pl.col("part") == name).select(columns)
        for name, columns in about["frames"].items()
    }
    columns = about["columns"]
    tables = tuple(
        Table(tuple(t["by"]), frames[f"moments {i}"], frames.get(f"histogram {i}"), t["timed"])
        for i, t in enumerate(about["tables"])
    )
    return Profile(
        columns=Columns(
            actual=columns["actual"],
            predicted=tuple(columns["predicted"]),
            time=columns["time"],
            groupings=tuple(tuple(g) for g in columns["groupings"]),
            time_format=columns["time_format"],
            found=tuple(columns["found"]),
            ids=tuple(columns.get("ids", ())),
        ),
        sources=tuple(Source(**{**s, "read_as": tuple(s["read_as"])}) for s in about["sources"]),
        tables=tables,
        timeline=frames["timeline"],
        worst=frames["worst"],
        worst_kept=about["worst_kept"],
        span=about["span"] and tuple(about["span"]),
        evidence=from_frames(frames, about.get("evidence")),
    )
