"""What is done row by row, as plain loops for `compiling`; NumPy's steps beside it do the same."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lossreport.profiles.statistics import UNSCORED

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

CELL_BITS = 46
"""Positive floats that differ in this many last bits only have two bins at most..."""
SUBNORMAL = 1 << (52 - CELL_BITS)
"""...but for the smallest, whose first bits, from `CELL_BITS` on, are below this number."""
SIZE_BITS = 0x7FFFFFFFFFFFFFFF
"""All bits of a float but its sign."""
INFINITE_BITS = 0x7FF0000000000000
SLOT_BITS = 20
"""Combinations of group values are found without a dictionary by so many bits of their hash."""
BLOCK = 1024
"""Rows whose fields are looked for before any of them is added to."""


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
    """Add the HISTOGRAM_SUMS of rows to a grid, as `add_moments` does the MOMENTS.

    A histogram's fields are many and far apart: with the places of some rows known, the processor
    waits for several of them at once.
    """
    step = 0 if sub.size == 1 else 1
    width = grid.shape[1]
    fields = grid.reshape(grid.shape[0] * width, grid.shape[2])
    places = np.empty(BLOCK, dtype=np.int64)
    for start in range(0, cell.size, BLOCK):
        found = min(BLOCK, cell.size - start)
        for j in range(found):
            i = start + j
            if not abs(error[i]) < math.inf:
                places[j] = -1
                continue
            at = sub[i * step] - low
            line = codes[at] if 0 <= at < codes.size else -1
            if line < 0 or line >= grid.shape[0] or cell[i] >= width:
                found = j
                break
            places[j] = line * width + cell[i]
        for j in range(found):
            if places[j] >= 0:
                e = error[start + j]
                field = fields[places[j]]
                field[0] += 1.0
                field[1] += e
                field[2] += e * e
        if found < min(BLOCK, cell.size - start):
            return start + found
    return cell.size


def find_bins(
    into: Ints, error: Floats, bits: Ints, first: Ints, edges: Floats
) -> tuple[int, float]:
    """Write down the bin of each error, whose bits are given as integers too.

    Parameters
    ----------
    first
        `bin_edges.first_ranks`.
    edges
        `bin_edges.bin_edges`.

    Returns
    -------
    How many errors are not finite (their bin is UNSCORED), and the largest size of the others (0
    if there is none).
    """
    unscored = 0
    largest = 0.0
    for i in range(error.size):
        size_bits = bits[i] & SIZE_BITS
        if size_bits >= INFINITE_BITS:
            into[i] = UNSCORED
            unscored += 1
            continue
        if size_bits == 0:
            into[i] = 0
            continue
        size = abs(error[i])
        at = size_bits >> CELL_BITS
        rank = first[at]
        if at < SUBNORMAL:
            while size > edges[rank]:
                rank += 1
        # Which bin, and which sign, is as good as chance: computed, because a branch is guessed.
        rank += size > edges[rank]
        sign = bits[i] >> 63
        into[i] = (rank ^ sign) - sign
        largest = max(largest, size)
    return unscored, largest


def find_cells(into: Ints, mixed: Hashes, hash_in: Hashes, cell_in: Ints) -> int:
    """Write down the cell of each row's hash, 0 where its slot has none or another's.

    Parameters
    ----------
    mixed
        The rows' hashes.
    hash_in, cell_in
        Hash and cell by slot, which is a hash's first `SLOT_BITS` bits.

    Returns
    -------
    How many are 0.
    """
    missed = 0
    for i in range(mixed.size):
        slot = mixed[i] >> np.uint64(64 - SLOT_BITS)
        cell = cell_in[slot] if hash_in[slot] == mixed[i] else 0
        into[i] = cell
        missed += cell == 0
    return missed


def find_drawn(into: Ints, error: Floats, bits: Hashes, factor: int, least: int) -> int:
    """Write down the rows with a finite error whose bits times a factor are at least so much.

    Returns
    -------
    How many they are.
    """
    found = 0
    for i in range(error.size):
        if bits[i] * factor >= least and abs(error[i]) < math.inf:
            into[found] = i
            found += 1
    return found
