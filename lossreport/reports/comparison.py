"""The comparison of models, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["alert", "note", "calm", "none"]
Paired = Literal["rows", "ids", "hours", "days"]

LEVEL = 0.95
"""That all differences by one loss lie within their intervals, together."""


@dataclass(frozen=True)
class Gap:
    """How far a model's MAE or RMSE is above the best model's."""

    value: float
    low: float | None
    """Ends of the interval at LEVEL; None where the rows allow none."""
    high: float | None

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.low > 0

    @property
    def scale(self) -> float:
        """A size that two digits of the interval's width are shown by."""
        width = 0.0 if self.low is None or self.high is None else self.high - self.low
        return 10 * width or self.value


@dataclass(frozen=True)
class Model:
    """One model, over the rows that the models are compared on."""

    name: str | None
    """A prediction column, or a value of the column that says the model."""
    rows: int
    """How many rows of its own are scored."""
    mae: float | None
    rmse: float | None
    ratio: float | None
    bias: float | None
    rank_l1: int | None
    """From 1, by MAE; None where the losses cannot be ranked by it."""
    rank_l2: int | None
    mae_gap: Gap | None
    """To the first by MAE; None of the first itself, and without ranks."""
    rmse_gap: Gap | None


@dataclass(frozen=True)
class Without:
    """What the comparison comes to without the sources of the large errors."""

    sources: tuple[tuple[tuple[str, ...], tuple[str | None, ...]], ...]
    """By and key of each."""
    n: int
    """How many rows, ids or stretches of time are left to compare on, ..."""
    paired: Paired | None
    """... and which of these."""
    models: tuple[Model, ...]
    """Those that come first by MAE without them first."""
    said: str
    how: str
    """What their intervals are."""


@dataclass(frozen=True)
class Comparison:
    """Which of several models errs least, by each loss."""

    column: str | None
    """The column that says the model; None: each model has a prediction column."""
    paired: Paired | None
    """What is compared with each other; None: each model's own rows."""
    n: int
    """How many rows, ids or stretches of time are compared; the fewest rows of a model if each
    has its own."""
    lost: int
    """How many more there are that some models score, but not all; rows where stretches of time are
    compared."""
    estimated: bool
    """Whether the ids compared are a sample of the log's."""
    clusters: tuple[str, ...]
    """Intervals are the widest of those that take the rows (or ids) as independent, and these
    ("day", "id", ...)."""
    models: tuple[Model, ...]
    """Those that come first by MAE first; with a `column`, the 20 with the most rows."""
    more_models: int
    """How many more there are."""
    agree: bool | None
    """Whether L1 and L2 have the same model first; None where one of them ranks nothing."""
    without: Without | None
    tag: str
    tone: Tone
    headline: str
    why: str
    points: tuple[str, ...]
    how: str
    """What the intervals are."""
