"""From the options of a command to the profile of its logs."""

from __future__ import annotations

from typing import Any


def text_options(
    separator: str | None,
    encoding: str | None,
    decimal: str | None,
    no_header: bool,
    skip_lines: int | None,
    missing: list[str] | None,
) -> dict[str, Any]:
    """Return what was given about text files, as `profiling.profile` takes it."""
    return {
        "separator": separator,
        "encoding": encoding,
        "decimal": decimal,
        "no_header": no_header,
        "skip_lines": skip_lines,
        "missing": missing or (),
    }


def in_engine(engine: str | None, query: str | None) -> bool:
    """Return whether another engine than Polars finds the logs."""
    return query is not None or engine not in (None, "polars")


def profile_of(logs: list[str], *, quiet: bool, **options: Any) -> Any:
    """Return the profile of the logs; `options` are those of `profiling.profile`."""
    from lossreport.profiling import profile
    from lossreport.progress import progress

    with progress(quiet=quiet) as opened:
        return profile(logs, opened=opened, **options)
