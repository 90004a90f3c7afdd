"""The progress bar while a log is read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lossreport.logs.log import Log


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[Log], Callable[[int], None]]]:
    """Show a progress bar on stderr, if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("Reading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def opened(log: Log) -> Callable[[int], None]:
            rows = [part.rows for part in log.parts]
            total = None if None in rows else sum(r for r in rows if r is not None)
            task = bar.add_task("Reading", total=total)
            return lambda n: bar.advance(task, n)

        yield opened
