"""Reads saved profiles that were given as paths, those of a history among them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lossreport.errors import UnreadableLogError
from lossreport.logs.object_stores import in_store
from lossreport.logs.opening import FILES_AT_ONCE
from lossreport.logs.part import Source
from lossreport.nights.history import nights_of, read_each
from lossreport.nights.names import MONTH, Night, current, night_of
from lossreport.nights.places import place_at
from lossreport.profiles.file import is_profile, load_profile
from lossreport.profiles.profile import Profile


def saved_among(paths: Sequence[str]) -> list[str]:
    """Return the paths that are profiles, or are named like those of a history."""
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        found = pool.map(lambda p: _is_named(p) or is_profile(p), paths)
        return [p for p, yes in zip(paths, found, strict=True) if yes]


def _is_named(path: str) -> bool:
    name = os.path.basename(path)  # noqa: PTH119 - also of a URL
    return night_of(name, 0, 0) is not None or MONTH.fullmatch(name) is not None


def profiles_of(
    paths: Sequence[str], *, skip_bad: bool = False
) -> tuple[list[Profile], list[Source]]:
    """Read saved profiles; of the copies of one night in one folder only the last one.

    Parameters
    ----------
    skip_bad
        Leave out, and return as sources, files that cannot be read, instead of raising.

    Raises
    ------
    UnreadableLogError
        A file is damaged or of another version; with `skip_bad`, all of them are.
    """
    profiles: list[Profile] = []
    skipped: list[Source] = []
    for path, made in _each(paths):
        if isinstance(made, Profile):
            profiles.append(made)
        elif not skip_bad:
            raise UnreadableLogError(
                f"{made} To leave it out of the report: --on-bad-file skip."
            ) from made
        else:
            size = Path(path).stat().st_size if Path(path).is_file() else None
            skipped.append(Source(path, 0, size, skipped=str(made)))
    if not profiles:
        raise UnreadableLogError(
            f"None of the profiles could be read. The first: {skipped[0].skipped}"
        )
    return profiles, skipped


def _each(paths: Sequence[str]) -> Iterator[tuple[str, Profile | UnreadableLogError]]:
    """Yield every profile that counts with its file, or why it cannot be read."""
    copies: dict[str, list[Night]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        try:
            if _is_in_history(path):
                copies.setdefault(folder, []).extend(_nights(folder, name))
            else:
                yield path, load_profile(path)
        except UnreadableLogError as error:
            yield path, error
    for folder, of_folder in copies.items():
        place = place_at(folder or ".")
        for night, content in read_each(place, current(of_folder)):
            path = place.named(night.file)
            if isinstance(content, UnreadableLogError):
                yield path, content
                continue
            try:
                yield path, load_profile(path, content)
            except UnreadableLogError as error:
                yield path, error


def _is_in_history(path: str) -> bool:
    return _is_named(path) and ("://" not in path or in_store(path))


def _nights(folder: str, name: str) -> list[Night]:
    place = place_at(folder or ".")
    file = place.look(name)
    if file is None:
        raise UnreadableLogError(f"There is no file {place.named(name)}.")
    try:
        return nights_of(place, file)
    except FileNotFoundError as error:
        raise UnreadableLogError(f"{place.named(name)} vanished while it was read.") from error
    except ValueError as error:
        raise UnreadableLogError(f"{place.named(name)} cannot be read: {error}.") from error
