"""The loops of `loops`, compiled where the extra `fast` (numba) is installed.

They do what `summing` and its like do in NumPy, row by row in the same order, so that both give
the same bits; one may take over from the other in the middle of a log. To have them compiled (or
fetched from numba's cache) takes a second or two of another thread: small logs never ask for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from lossreport.profiles import loops as plain
from lossreport.profiles.bin_edges import bin_edges, first_ranks
from lossreport.profiles.loops import Floats, Hashes, Ints

Add = Callable[[Floats, Ints, int, Ints, Ints, Floats, Floats, Floats], int]

FROM_ROWS = 5_000_000
"""A log of more rows than this has its further rows added up by compiled loops."""


@dataclass(frozen=True)
class Loops:
    """The compiled loops."""

    moments: Add
    """`loops.add_moments`."""
    histogram: Add
    """`loops.add_histogram`."""
    bins: Callable[[Floats], tuple[Ints, int, float]]
    """The bin of each error, as `statistics.binned` has it, and what `loops.find_bins` returns."""
    cells: Callable[[Hashes, Hashes, Ints], tuple[Ints, int]]
    """`loops.find_cells`: the cells, given hashes and the two tables, and how many are missed."""
    drawn: Callable[[Floats, int, int], Ints]
    """`loops.find_drawn`: the rows, given errors, factor and least draw."""


_compiled: list[Loops] = []


def loops() -> Loops | None:
    """Return the compiled loops; None before they are ready, or without numba."""
    return _compiled[0] if _compiled else None


@cache
def compile_in_background() -> threading.Thread | None:
    """Have the loops compiled by another thread; asked again, do nothing."""
    if find_spec("numba") is None:
        return None
    # Not a daemon: the process must not end in the middle of the compiler.
    thread = threading.Thread(target=_compile, name="lossreport-compile")
    thread.start()
    return thread


def _compile() -> None:
    with suppress(Exception):  # numba refuses NumPys it does not know; it is only for speed
        _compiled.append(compiled())


def compiled() -> Loops:
    """Return the loops, compiled now or fetched from numba's cache.

    Raises
    ------
    ImportError
        numba is not there, or refuses the NumPy that is.
    """
    import numba
    from numba import types

    def compile_(signature: Any, function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(signature, nogil=True, cache=True)(function)
        except RuntimeError:  # no folder to keep it in can be written
            return numba.njit(signature, nogil=True)(function)

    int_, float_ = types.int64, types.float64
    ints, floats, hashes = (
        types.Array(dtype, 1, "C", readonly=True) for dtype in (int_, float_, types.uint64)
    )
    grid, into = types.Array(float_, 3, "C"), types.Array(int_, 1, "C")
    add = int_(grid, ints, int_, ints, ints, floats, floats, floats)
    told = types.Tuple((int_, float_))  # type: ignore[no-untyped-call]
    find_bins = compile_(told(into, floats, ints, ints, floats), plain.find_bins)
    find_cells = compile_(int_(into, hashes, hashes, ints), plain.find_cells)
    find_drawn = compile_(int_(into, floats, hashes, types.uint64, types.uint64), plain.find_drawn)
    edges = bin_edges()
    first = first_ranks(edges)

    def bins(error: Floats) -> tuple[Ints, int, float]:
        at = np.empty(len(error), dtype=np.int64)
        return at, *find_bins(at, error, error.view(np.int64), first, edges)

    def cells(mixed: Hashes, hash_in: Hashes, cell_in: Ints) -> tuple[Ints, int]:
        at = np.empty(len(mixed), dtype=np.int64)
        return at, find_cells(at, mixed, hash_in, cell_in)

    def drawn(error: Floats, factor: int, least: int) -> Ints:
        at = np.empty(len(error), dtype=np.int64)
        return at[: find_drawn(at, error, error.view(np.uint64), factor, least)].copy()

    return Loops(
        compile_(add, plain.add_moments),
        compile_(add, plain.add_histogram),
        bins,
        cells,
        drawn,
    )
