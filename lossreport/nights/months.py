"""Files that hold the nights of a month: the profiles as they were written, and their names.

The profiles are not added up: a sum could not give back a night that is corrected later, and what
compares nights needs them apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO

import polars as pl

from lossreport.nights.names import Night, hashed, night_of
from lossreport.profiles.file import KEY

SCHEMA = "lossreport/nights/1"
FOOTER = 1 << 20
"""So many bytes at the end of a file hold its list of nights, if that is not extremely long."""


def packed(nights: Sequence[tuple[Night, bytes]]) -> bytes:
    """Return a month's file; the same nights give the same bytes."""
    ordered = sorted(nights, key=lambda n: (n[0].day, n[0].key, n[0].version))
    told = [[night.name, night.put, len(content)] for night, content in ordered]
    frame = pl.DataFrame(
        {"night": [n.name for n, _ in ordered], "profile": [content for _, content in ordered]},
        schema={"night": pl.String, "profile": pl.Binary},
    )
    file = BytesIO()
    frame.write_parquet(
        file,
        compression="uncompressed",  # profiles are compressed already
        statistics=False,
        metadata={KEY: json.dumps({"schema": SCHEMA, "nights": told})},
    )
    return file.getvalue()


def month_name(month: str, content: bytes) -> str:
    """Return the name of a month's file."""
    return f"{month}-month-{hashed(content)}.parquet"


def nights_in(file: str, end: bytes) -> list[Night]:
    """Return the nights of a month's file from its last bytes.

    Raises
    ------
    ValueError
        It is damaged, or of another schema.
    """
    try:
        about = json.loads(pl.read_parquet_metadata(BytesIO(end))[KEY])
        if about["schema"] != SCHEMA:
            raise ValueError(f"it is of schema {about['schema']}, not {SCHEMA}")
        found = [night_of(name, int(put), int(size), file) for name, put, size in about["nights"]]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, KeyError, TypeError,
            AttributeError) as error:  # fmt: skip
        raise ValueError("it is not a whole file of a month") from error
    if None in found:
        raise ValueError("it names nights in a way that is not known")
    return [n for n in found if n is not None]


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the profiles of a month's file by name; ValueError if it is damaged."""
    try:
        frame = pl.read_parquet(BytesIO(content), columns=["night", "profile"])
        return dict(zip(frame["night"], frame["profile"], strict=True))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ValueError("it is not a whole file of a month") from error
