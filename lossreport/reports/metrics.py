"""What each way to sum up errors says of the log, with and without the sources."""

from __future__ import annotations

from dataclasses import dataclass

from lossreport.reports.figures import Figures

METRICS = (
    ("RMSE (L2)", "rmse"),
    ("MAE (L1)", "mae"),
    ("Huber", "huber"),
    ("Mean of ln cosh", "log_cosh"),
    ("Median |error|", "median_abs_error"),
)


@dataclass(frozen=True)
class Metric:
    """One metric over all rows, and over those outside the sources."""

    name: str
    all_rows: float
    without: float | None
    """None where there is no source."""

    @property
    def change(self) -> float | None:
        """What leaving the sources out changes, as a share of what all rows have."""
        if self.without is None or not self.all_rows:
            return None
        return self.without / self.all_rows - 1


def metrics(overall: Figures, without: Figures | None) -> tuple[Metric, ...]:
    """Return the metrics that exist over all rows."""
    return tuple(
        Metric(name, value, getattr(without, field) if without else None)
        for name, field in METRICS
        if (value := getattr(overall, field)) is not None
    )
