"""A gate and what was found of it, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["passed", "warned", "failed"]
Action = Literal["fail", "warn"]
Undecided = Literal["fail", "warn", "pass"]
Severity = Literal["error", "warning", "info"]
GRAVITY: tuple[Status, ...] = ("passed", "warned", "failed")


@dataclass(frozen=True)
class Gate:
    """A condition on a figure, or on findings: exactly one of `figure` and the two is given."""

    name: str | None = None
    """What it is called; its condition in words if not given."""
    figure: str | None = None
    """One of `values.FIGURES`."""
    findings: tuple[str, ...] = ()
    """Codes of findings that must not be issues, ..."""
    severity: Severity | None = None
    """... or only not of this severity or a graver one; of any finding without codes."""
    by: tuple[str, ...] = ()
    """Every group of this grouping is judged; all rows together if empty."""
    group: tuple[str, ...] = ()
    """Only this one of them, its values in the order of `by`; "(missing)" is a missing value."""
    predicted: str | None = None
    """Only this prediction column; every one if None."""
    max: float | None = None
    min: float | None = None
    max_change: float | None = None
    """Relative to the baseline: 0.1 is a rise by 10 %."""
    min_change: float | None = None
    min_rows: int = 0
    """With fewer rows it is undecided."""
    action: Action = "fail"
    """What it does where it is not met, ..."""
    undecided: Undecided = "fail"
    """... and where that cannot be said."""


@dataclass(frozen=True)
class Check:
    """What was found of a gate in one place: all rows, one group, one finding."""

    where: str
    """In words."""
    said: str
    """What was found, in a sentence."""
    status: Status
    undecided: bool = False
    """Whether it cannot be said; `status` is then what the gate makes of that."""
    predicted: str | None = None
    """The prediction column it is about, when there are several."""
    by: tuple[str, ...] = ()
    key: tuple[str | None, ...] = ()
    code: str | None = None
    """Of the finding."""
    value: float | None = None
    """The figure; None if it does not exist."""
    baseline: float | None = None
    """The figure in the baseline; None if it was not asked for or does not exist."""
    rows: int | None = None
    """How many rows the figure is of."""


@dataclass(frozen=True)
class Judged:
    """A gate with everything that was found of it: at least one check."""

    gate: Gate
    name: str
    condition: str
    """In words."""
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The gravest of its checks."""
        return max((c.status for c in self.checks), key=GRAVITY.index)

    def count(self, status: Status) -> int:
        """Return how many checks ended so."""
        return sum(c.status == status for c in self.checks)

    @property
    def undecided(self) -> int:
        """How many checks could not be decided."""
        return sum(c.undecided for c in self.checks)

    @property
    def gravest_first(self) -> list[Check]:
        """The checks: failed, warned, undecided but let pass, passed."""
        return sorted(self.checks, key=lambda c: (-GRAVITY.index(c.status), not c.undecided))


def gravest_gates(gates: Iterable[Judged]) -> list[Judged]:
    """Return the gates: failed ones first, then those that warned."""
    return sorted(gates, key=lambda g: -GRAVITY.index(g.status))


def tally(gates: Iterable[Judged]) -> Counter[str]:
    """Return how many gates ended how, by status."""
    return Counter(g.status for g in gates)
