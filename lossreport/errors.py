"""What can go wrong, as the few kinds a caller can act on; each knows its exit code."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class LossReportError(Exception):
    """Something the user can put right; the command prints it and exits with `exit_code`."""

    exit_code = 2


class UsageError(LossReportError, ValueError):
    """The command or call asks for something that cannot be done: an unknown column, a bad path."""


class UnreadableLogError(LossReportError):
    """A log exists but could not be read to its end."""

    exit_code = 4


class BrokenFiguresError(LossReportError):
    """Figures that must add up do not: a bug, and no report may be made of them."""

    exit_code = 1

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}. This is a bug in lossreport: its figures cannot be trusted, and nothing was "
            "written. Please report it."
        )


def reason(error: BaseException) -> str:
    """Return the first line of what a library says went wrong, without its full stop."""
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "did you mean" and "there are" clauses for a name that is not among the known ones."""
    known = list(known)
    by_lower = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    known = [k for k in known if k != "@file"]  # which no file holds
    listed = ", ".join(known[:40]) + (f" and {len(known) - 40} more" if len(known) > 40 else "")
    guess = f"Did you mean {' or '.join(by_lower[c] for c in close)}? " if close else ""
    return f"{guess}The log has the columns: {listed}." if known else "The log has no columns."
