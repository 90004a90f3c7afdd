"""What commands print, and how they end when something is wrong; only here is anything printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lossreport.errors import LossReportError

if TYPE_CHECKING:
    from lossreport.reports.results import Report


@contextmanager
def errors(*, debug: bool) -> Iterator[None]:
    """Print what the user can put right in a few lines and exit with its code."""
    try:
        yield
    except LossReportError as error:
        if debug:
            raise
        complain(str(error))
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt as interrupt:
        complain("Interrupted; nothing was left half written.")
        raise typer.Exit(130) from interrupt


def complain(message: str) -> None:
    """Print what is wrong on stderr; its control characters are shown."""
    from lossreport.formats import visible

    typer.echo(f"lossreport: {visible(message)}", err=True)


def say(text: str) -> None:
    """Print text on stdout in whatever encoding that has; its control characters were shown."""
    typer.echo(_printable(text))


def show(summary: str, report: Report) -> None:
    """Print a report's summary: in colours on a terminal, unless NO_COLOR is set."""
    if not sys.stdout.isatty():
        say(summary)
        return
    from rich.console import Console

    from lossreport.render.terminal_colours import coloured

    # The lines are as long as they are to be.
    Console(soft_wrap=True).print(coloured(_printable(summary), report), highlight=False)


def _printable(text: str) -> str:
    """Return text as stdout can take it, whatever its encoding."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, errors="replace").decode(encoding)


def size(path: Path) -> str:
    """Return a file's size in words."""
    return in_bytes(path.stat().st_size)


def in_bytes(of: int) -> str:
    """Return a number of bytes in words."""
    return f"{of / 1e6:.1f} MB" if of >= 1e6 else f"{max(1, round(of / 1e3))} KB"
