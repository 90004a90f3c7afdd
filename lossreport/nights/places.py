"""Where a history lies: a folder or an object store, as files that are whole or not there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.object_stores import SCHEMES, reached, store_at
from lossreport.writing import write_whole

TICK, TICKS = 0.5, 10
"""Object stores tell times in whole seconds: so long, and so often, is waited for the next one."""


@dataclass(frozen=True)
class Stored:
    """A file of a history."""

    name: str
    size: int
    """In bytes."""
    put: int
    """When it was written, in nanoseconds since 1970, by the clock of where it lies."""


@dataclass(frozen=True)
class Folder:
    """A history in a folder."""

    path: Path

    def files(self) -> list[Stored]:
        """Return the files here, by name; of a folder that does not exist, none."""
        found = []
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir():
                            continue
                        stat = entry.stat()
                    except FileNotFoundError:
                        continue  # gone meanwhile, or a link to nothing
                    found.append(Stored(entry.name, stat.st_size, stat.st_mtime_ns))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UsageError(f"{self.path} cannot be looked into: {error.strerror}.") from error
        return sorted(found, key=lambda f: f.name)

    def read(self, name: str, last: int | None = None) -> bytes:
        """Return a file's bytes, or only the last so many of them.

        Raises
        ------
        FileNotFoundError
            It is not there (any more).
        UnreadableLogError
            It cannot be read.
        """
        try:
            with (self.path / name).open("rb") as file:
                if last is not None:
                    file.seek(max(0, os.fstat(file.fileno()).st_size - last))
                return file.read()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UnreadableLogError(
                f"{self.path / name} cannot be read: {error.strerror}."
            ) from error

    def look(self, name: str) -> Stored | None:
        """Return a file; None if it is not there."""
        try:
            stat = (self.path / name).stat()
        except OSError:
            return None
        return Stored(name, stat.st_size, stat.st_mtime_ns)

    def write(self, name: str, content: bytes, after: int = 0) -> None:
        """Write a file whole or not at all.

        Parameters
        ----------
        after
            `Stored.put` of what it replaces: its own will be larger, whatever clocks say.

        Raises
        ------
        UsageError
            It cannot be written: disk full, no permission.
        """
        try:
            self.path.mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"The folder {self.path} cannot be made: {error.strerror}.") from error

        def fill(file: Path) -> None:
            with file.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())  # before what it replaces is deleted
            if file.stat().st_mtime_ns <= after:
                os.utime(file, ns=(after + 1_000, after + 1_000))

        write_whole(self.path / name, fill)

    def remove(self, name: str) -> None:
        """Delete a file; that it is gone already is as well."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{self.path / name} cannot be deleted: {error.strerror}.") from error

    def named(self, name: str) -> str:
        """Return how a file is named in messages."""
        return str(self.path / name)


@dataclass(frozen=True)
class Bucket:
    """A history in an object store; each file is one object, written by one PUT."""

    url: str
    store: Any

    def files(self) -> list[Stored]:
        """Return the files here, by name."""
        import obstore

        with reached(self.url):
            found = obstore.list_with_delimiter(self.store)["objects"]
        return sorted(
            (
                Stored(Path(f["path"]).name, f["size"], _nanoseconds(f["last_modified"]))
                for f in found
            ),
            key=lambda f: f.name,
        )

    def read(self, name: str, last: int | None = None) -> bytes:
        """Return a file's bytes, or only the last so many of them; as `Folder.read`."""
        import obstore

        with reached(self.url, UnreadableLogError, missing=False):
            options: Any = {} if last is None else {"options": {"range": {"suffix": last}}}
            return bytes(obstore.get(self.store, name, **options).bytes())

    def look(self, name: str) -> Stored | None:
        """Return a file; None if it is not there."""
        import obstore

        try:
            with reached(self.url, missing=False):
                found = obstore.head(self.store, name)
        except FileNotFoundError:
            return None
        return Stored(name, found["size"], _nanoseconds(found["last_modified"]))

    def write(self, name: str, content: bytes, after: int = 0) -> None:
        """Write a file whole or not at all; as `Folder.write`."""
        import obstore

        for _ in range(TICKS):
            with reached(self.url):
                obstore.put(self.store, name, content, use_multipart=False)
            if after == 0:
                return
            now = self.look(name)
            if now is None or now.put > after:
                return
            time.sleep(TICK)
        raise UsageError(
            f"The clock of {self.url} is behind the times of what lies there: {name} would count "
            "as older than what it replaces. Both are there; run again when the clock is right."
        )

    def remove(self, name: str) -> None:
        """Delete a file; that it is gone already is as well."""
        import obstore

        with reached(self.url):
            obstore.delete(self.store, name)

    def named(self, name: str) -> str:
        """Return how a file is named in messages."""
        return f"{self.url.rstrip('/')}/{name}"


Place = Folder | Bucket


def place_at(location: str) -> Place:
    """Return the place of a history.

    Parameters
    ----------
    location
        A folder, which need not exist, or a URL (s3://bucket/folder).

    Raises
    ------
    UsageError
        It is a file, a URL of another kind, or what object stores need is not installed.
    """
    if "://" not in location:
        folder = Path(location)
        if not location.strip() or (folder.exists() and not folder.is_dir()):
            raise UsageError(f"{location!r} is no folder: a history is a folder or a URL.")
        return Folder(folder)
    scheme = location.split("://")[0]
    if scheme not in SCHEMES:
        known = ", ".join(f"{s}://" for s in SCHEMES)
        raise UsageError(f"{location} is no URL for a history: {known} are, and folders.")
    return Bucket(location, store_at(location))


def _nanoseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
