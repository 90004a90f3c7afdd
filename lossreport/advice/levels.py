"""Does the error grow with the prediction? The error by half-octave bands of |predicted|.

As in `mixing`, R^2 = R_within^2 (1 + CV^2) over bands; CV^2 is corrected for what the chance in
each band's MAE adds to it. The slope is that of ln MAE over ln |predicted|: 0 if the error does not
depend on the level, 0.5 as for counts, 1 if it is in proportion. A diagnosis only: it changes no
recommendation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lossreport.advice.shape import MINIMUM_ROWS

Floats = npt.NDArray[np.float64]

GROWS = 1.1
"""From this factor between bands on the error depends on the level."""
SURE = 2.576
"""So many standard errors make the interval of the slope, 99 %."""


@dataclass(frozen=True)
class Band:
    """The errors of the predictions of about one size."""

    low: float
    """|predicted| is at least this, ..."""
    high: float
    """... and below this."""
    rows: int
    mae: float
    ratio: float | None
    """RMSE/MAE; None if all errors are 0."""


@dataclass(frozen=True)
class Levels:
    """The error by the size of the prediction."""

    bands: tuple[Band, ...]
    """From the smallest on, also those of too few rows to judge."""
    factor: float | None = None
    """sqrt(1 + CV^2) of the MAE of bands of at least 50 rows, less what chance makes of it; 1 if
    it is the same in all. None if there are fewer than two such bands."""
    slope: float | None = None
    """ln MAE over ln |predicted|; None with the factor, or where a band's errors are all 0."""
    slope_low: float | None = None
    """99 % interval of the slope."""
    slope_high: float | None = None

    @property
    def judged(self) -> tuple[Band, ...]:
        """The bands of enough rows."""
        return tuple(b for b in self.bands if b.rows >= MINIMUM_ROWS)

    @property
    def grows(self) -> bool:
        """Whether the error surely grows with the prediction, by enough to matter."""
        return (self.factor or 0) >= GROWS and (self.slope_low or 0) > 0

    @property
    def doubled(self) -> float | None:
        """How many times the error is for twice the prediction."""
        return None if self.slope is None else float(2**self.slope)


def by_level(predicted: Floats, error: Floats) -> Levels:
    """Return the error by bands of |predicted|; a prediction of 0 is in none.

    Parameters
    ----------
    predicted, error
        Finite, of equal length, in the target's unit.
    """
    size, error = np.abs(predicted[predicted != 0]), error[predicted != 0]
    octaves = np.floor(2 * np.log2(size)).astype(np.int64)
    bands, at = [], []
    for octave in np.unique(octaves).tolist():
        inside = octaves == octave
        bands.append(_band(octave, error[inside]))
        at.append(float(np.mean(np.log(size[inside]))))
    large = [(b, x) for b, x in zip(bands, at, strict=True) if b.rows >= MINIMUM_ROWS]
    if len(large) < 2 or not any(b.mae for b, _ in large):
        return Levels(tuple(bands))
    factor = _between([b for b, _ in large])
    if any(b.ratio is None for b, _ in large):
        return Levels(tuple(bands), factor)
    return Levels(tuple(bands), factor, *_slope(large))


def _band(octave: int, error: Floats) -> Band:
    largest = float(np.max(np.abs(error)))
    scaled = np.abs(error) / largest if largest else np.zeros(len(error))
    mae = float(np.mean(scaled))
    ratio = math.sqrt(float(np.mean(scaled**2))) / mae if mae else None
    low, high = (2.0 ** (k / 2) if k < 2048 else math.inf for k in (octave, octave + 1))
    return Band(low, high, len(error), mae * largest, ratio)


def _chance(band: Band) -> float:
    """Return the variance of the band's MAE as a share of its square: (ratio^2 - 1) / rows."""
    return max(0.0, (band.ratio or 1.0) ** 2 - 1) / band.rows


def _between(bands: list[Band]) -> float:
    """Return sqrt(1 + CV^2) of the bands' MAE, less the CV^2 that chance makes of equal ones."""
    rows = np.array([b.rows for b in bands], dtype=np.float64)
    mae = np.array([b.mae for b in bands])
    mae = mae / mae.max()
    share = rows / rows.sum()
    mean = float(share @ mae)
    by_chance = mae**2 * np.array([_chance(b) for b in bands])
    spread = float(share @ (mae - mean) ** 2) - float((share * (1 - share)) @ by_chance)
    return math.sqrt(1 + max(0.0, spread) / mean**2)


def _slope(large: list[tuple[Band, float]]) -> tuple[float, float, float]:
    """Return the slope of ln MAE over ln |predicted| and its 99 % interval.

    Weighted by the chance in each band's MAE, which is raised to what the bands show around the
    line where that is more.
    """
    x = np.array([at for _, at in large])
    y = np.log([b.mae for b, _ in large])
    # Errors of one size have no chance in them: no band is taken to be surer than a Gaussian's.
    variance = np.array([max(_chance(b), (math.pi / 2 - 1) / b.rows) for b, _ in large])
    weight = 1 / variance
    middle = float(weight @ x / weight.sum())
    spread = float(weight @ (x - middle) ** 2)
    slope = float(weight @ ((x - middle) * y)) / spread
    level = float(weight @ y / weight.sum())
    around = float(weight @ (y - level - slope * (x - middle)) ** 2)
    more = max(1.0, around / (len(large) - 2)) if len(large) > 2 else 1.0
    reach = SURE * math.sqrt(more / spread)
    return slope, slope - reach, slope + reach
