"""Compiled loops that add up the rows of a chunk, where the extra `fast` (numba) is installed.

They do what `summing` does in NumPy, row by row in the same order, so that both give the same
bits; one may take over from the other in the middle of a log. To have them compiled (or fetched
from numba's cache) takes a second or two of another thread: small logs never ask for it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import polars as pl

from lossreport.profiles.statistics import UNSCORED, binned

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Add = Callable[[Floats, Ints, int, Ints, Ints, Floats, Floats, Floats], int]

FROM_ROWS = 5_000_000
"""A log of more rows than this has its further rows added up by compiled loops."""
CELL_BITS = 46
"""Floats that differ in this many last bits only have bins that are alike, or nearly."""


@dataclass(frozen=True)
class Loops:
    """The compiled loops."""

    moments: Add
    """`add_moments`."""
    histogram: Add
    """`add_histogram`."""
    bins: Callable[[Floats], Ints]
    """The bin of each error, as `statistics.binned` has it."""


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

    ints = types.Array(types.int64, 1, "C", readonly=True)
    floats = types.Array(types.float64, 1, "C", readonly=True)
    grid = types.Array(types.float64, 3, "C")
    add = types.int64(grid, ints, types.int64, ints, ints, floats, floats, floats)
    into = types.Array(types.int64, 1, "C")
    find = compile_(types.void(into, floats, ints, ints, floats), find_bins)
    edges = bin_edges()
    first = first_ranks(edges)

    def bins(error: Floats) -> Ints:
        found = np.empty(len(error), dtype=np.int64)
        find(found, error, error.view(np.int64), first, edges)
        return found

    return Loops(compile_(add, add_moments), compile_(add, add_histogram), bins)


def add_moments(
    grid: Floats,
    codes: Ints,
    low: int,
    sub: Ints,
    cell: Ints,
    error: Floats,
    actual: Floats,
    predicted: Floats,
) -> int:
    """Add the MOMENTS of rows to a grid, and return how many of the rows, from the first, it did.

    It stops where a row's second number has no line in the grid yet, or its cell no column.

    Parameters
    ----------
    grid
        Lines by cells by MOMENTS.
    codes, low
        The line of each second number (-1: none), counting from `low`.
    sub, cell
        The rows' two numbers; `sub` may be one number for all of them.
    error, actual, predicted
        The rows; those without a finite error are passed over.
    """
    step = 0 if sub.size == 1 else 1
    for i in range(cell.size):
        e = error[i]
        size = abs(e)
        if not size < math.inf:
            continue
        at = sub[i * step] - low
        if at < 0 or at >= codes.size:
            return i
        line = codes[at]
        if line < 0 or line >= grid.shape[0] or cell[i] >= grid.shape[1]:
            return i
        field = grid[line, cell[i]]
        square = e * e
        field[0] += 1.0
        field[1] += e
        field[2] += size
        field[3] += square
        field[4] += size * square
        field[5] += square * square
        field[6] += actual[i]
        field[7] += predicted[i]
        field[8] = max(field[8], size)
    return cell.size


def add_histogram(
    grid: Floats,
    codes: Ints,
    low: int,
    sub: Ints,
    cell: Ints,
    error: Floats,
    actual: Floats,  # noqa: ARG001 - as `add_moments`
    predicted: Floats,  # noqa: ARG001
) -> int:
    """Add the HISTOGRAM_SUMS of rows to a grid, as `add_moments` does the MOMENTS."""
    step = 0 if sub.size == 1 else 1
    for i in range(cell.size):
        e = error[i]
        if not abs(e) < math.inf:
            continue
        at = sub[i * step] - low
        if at < 0 or at >= codes.size:
            return i
        line = codes[at]
        if line < 0 or line >= grid.shape[0] or cell[i] >= grid.shape[1]:
            return i
        field = grid[line, cell[i]]
        field[0] += 1.0
        field[1] += e
        field[2] += e * e
    return cell.size


def find_bins(into: Ints, error: Floats, bits: Ints, first: Ints, edges: Floats) -> None:
    """Write down the bin of each error, whose bits are given as integers too.

    Parameters
    ----------
    first
        `first_ranks`.
    edges
        `bin_edges`.
    """
    for i in range(error.size):
        e = error[i]
        size = abs(e)
        if not size < math.inf:
            into[i] = UNSCORED
        elif size == 0:
            into[i] = 0
        else:
            rank = first[(bits[i] & 0x7FFFFFFFFFFFFFFF) >> CELL_BITS]
            while size > edges[rank]:
                rank += 1
            into[i] = -rank if e < 0 else rank


def bin_edges() -> Floats:
    """Return the largest float of each bin, by its rank; 0 for ranks below the lowest.

    Found by halving, with `statistics.binned` itself.
    """
    lowest, highest = (int(_ranks(np.array([x]))[0]) for x in (5e-324, math.nextafter(math.inf, 0)))
    ranks = np.arange(lowest, highest)
    low = np.full(len(ranks), 1, dtype=np.int64)  # as bits, floats of one sign are in order
    high = np.full(len(ranks), np.float64(math.inf).view(np.int64) - 1)
    while (high - low > 1).any():
        middle = low + (high - low) // 2
        within = _ranks(middle.view(np.float64)) <= ranks
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    edges = np.full(highest + 1, math.inf)
    edges[:lowest] = 0
    edges[ranks] = low.view(np.float64)
    return edges


def first_ranks(edges: Floats) -> Ints:
    """Return the rank of the smallest of all positive floats that share all but their last bits."""
    smallest = np.arange(1 << (63 - CELL_BITS)) << CELL_BITS
    smallest[0] = 1
    return np.searchsorted(edges[:-1], smallest.view(np.float64)).astype(np.int64)


def _ranks(sizes: Floats) -> Ints:
    frame = nw.from_native(pl.DataFrame({"size": sizes}))
    return frame.select(rank=binned(nw.col("size")))["rank"].to_numpy()
