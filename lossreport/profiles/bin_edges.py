"""Where the histogram's bins end, as tables to find an error's bin without a logarithm."""

from __future__ import annotations

import math

import narwhals as nw
import numpy as np
import polars as pl

from lossreport.profiles.loops import CELL_BITS, Floats, Ints
from lossreport.profiles.statistics import binned


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
