"""`lossreport index`: writes a page that lists the reports of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossreport.commands.console import complain, errors, say, size
from lossreport.options import Debug, Force, Quiet

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder with the reports, and folders below it.")
]
Heading = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="The heading.")]


def index(
    folder: Folder,
    title: Heading = None,
    force: Force = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write DIR/index.html: a list of the reports in DIR, the newest first, linked."""
    with errors(debug=debug):
        from lossreport.pages import check_index, find_pages
        from lossreport.render.index import render_index
        from lossreport.reports.index import index as index_of
        from lossreport.writing import check_writable, write_text

        path = folder / "index.html"
        found, unread = find_pages(folder)
        check_writable(path, [], force=force)
        check_index(path, force=force)
        made = index_of(found, len(unread))
        write_text(path, render_index(made, title))
        for problem in unread:
            complain(problem)
        if not quiet:
            say(" ".join(made.said) + f"\nWrote {path} ({size(path)})")
