"""Readers at arm's length: in another thread, for a bounded time, their failures in words.

A reader that hangs is given up after `PATIENCE` seconds without a row; its thread is a daemon's
and ends with the process. A reader that panics (Polars' Rust code) ends as an error of its file.
One that kills the process cannot be stopped from within: the command has Python's faulthandler
say where it happened.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

import polars as pl

from lossreport.errors import LossReportError, UnreadableLogError, reason

T = TypeVar("T")

PATIENCE = 600.0
"""Seconds to wait for a reader's next rows."""


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn what a reader raises into an UnreadableLogError that names the file."""
    try:
        yield
    except LossReportError:
        raise
    except FileNotFoundError as error:
        there = "is not there, or vanished" if "://" in path else "vanished"
        raise UnreadableLogError(f"{path} {there} while it was read.") from error
    except (pl.exceptions.PolarsError, OSError, UnicodeError, ValueError) as error:
        raise UnreadableLogError(
            f"{path} cannot be read: {reason(error)}. If it is being written, wait; if it is "
            "damaged, make it anew or leave it out."
        ) from error
    except (pl.exceptions.PanicException, MemoryError, RecursionError) as error:
        raise UnreadableLogError(
            f"{path} broke its reader ({reason(error)}). It is damaged or of a kind that cannot be "
            "read: make it anew or leave it out."
        ) from error


def in_time(path: str, read: Callable[[], T]) -> T:
    """Return what a reader returns, unless it takes too long."""
    (made,) = ahead(path, _once(read))
    return made


def _once(read: Callable[[], T]) -> Iterator[T]:
    yield read()


class Ahead(Iterator[T]):
    """Items, the next one being made in another thread before it is asked for."""

    def __init__(self, path: str, items: Iterable[T]) -> None:
        self._path = path
        self._made: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(maxsize=1)
        self._unwanted = threading.Event()
        # The thread must not hold `self`, or it would never be dropped.
        make = partial(_make, items, self._made, self._unwanted)
        threading.Thread(target=make, name="lossreport-read", daemon=True).start()

    def __next__(self) -> T:
        if self._unwanted.is_set():
            raise StopIteration
        try:
            item = self._made.get(timeout=PATIENCE)
        except queue.Empty:
            self.close()
            raise UnreadableLogError(
                f"{self._path} gave no rows for {PATIENCE:g} seconds and was given up. Is its "
                "storage reachable? If it is damaged, make it anew or leave it out."
            ) from None
        if isinstance(item, tuple):
            return item[0]
        self.close()
        raise StopIteration if item is None else item

    def close(self) -> None:
        """Have no more items made, whether or not one was ever asked for."""
        self._unwanted.set()
        while not self._made.empty():  # lets a waiting maker go on to its end
            with suppress(queue.Empty):
                self._made.get_nowait()

    def __del__(self) -> None:
        self.close()


def _make(
    items: Iterable[T],
    made: queue.Queue[tuple[T] | BaseException | None],
    unwanted: threading.Event,
) -> None:
    try:
        for item in items:
            made.put((item,))
            if unwanted.is_set():
                break
        else:
            made.put(None)
    except BaseException as error:
        made.put(error)
    finally:
        # Here, not when it is collected: a reader is closed by the thread that reads.
        if isinstance(items, Generator):
            items.close()


def ahead(path: str, items: Iterable[T]) -> Ahead[T]:
    """Return the same items, the next one being made in another thread before it is asked for.

    Making begins at once, and ends when what is returned is closed or dropped.

    Raises
    ------
    UnreadableLogError
        The next item of this file does not come for `PATIENCE` seconds.
    Exception
        Whatever making an item raises, when its turn comes.
    """
    return Ahead(path, items)
