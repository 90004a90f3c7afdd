"""`lossreport history`: lists the nights of a history, and keeps it small."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lossreport.commands.console import complain, errors, in_bytes, say
from lossreport.commands.remembering import day
from lossreport.options import Debug, HistoryPlace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossreport.nights.history import Strange, Survey
    from lossreport.nights.names import Night

history = typer.Typer(
    no_args_is_help=True, help="What earlier runs left with --history: list, merge, prune."
)
DAMAGED = 4


@history.command("list")
def list_nights(
    place: HistoryPlace,
    check: Annotated[
        bool, typer.Option("--check", help="Also read every profile, and name the damaged ones.")
    ] = False,
    debug: Debug = False,
) -> None:
    """List the nights of a history: day, input, size and the file that holds it."""
    with errors(debug=debug):
        from lossreport.nights.history import History, load_all, survey
        from lossreport.nights.places import place_at

        _check_there(place)
        found = survey(place_at(place))
        if found.nights:
            say(_table(found.nights) + "\n")
        say(_summary(found))
        damaged = load_all(History(place), found.nights)[1] if check else []
        _complain_of([*found.strange, *damaged])
        if check and damaged:
            raise typer.Exit(DAMAGED)


@history.command()
def merge(
    place: HistoryPlace,
    month: Annotated[
        list[str] | None,
        typer.Option(
            metavar="YYYY-MM",
            help="Only this month; repeat for several. All that are over if not given.",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Bring the nights of whole months into one file each; every night stays as it is."""
    with errors(debug=debug):
        from lossreport.formats import count
        from lossreport.nights.history import History
        from lossreport.nights.upkeep import merge_months

        _check_there(place)
        merged = merge_months(History(place), month or ())
        for m in merged:
            say(f"{m.month}: {count(m.nights, 'night')} in {m.file}")
            _complain_of(m.damaged)
        if not merged:
            say("No month that is over has more than one file: there was nothing to merge.")
        if any(m.damaged for m in merged):
            raise typer.Exit(DAMAGED)


@history.command()
def prune(
    place: HistoryPlace,
    keep_days: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Keep the newest night's day and the N - 1 before."),
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Delete the nights before this day.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be deleted.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Delete old nights, and say which."""
    with errors(debug=debug):
        from lossreport.formats import count
        from lossreport.nights.history import History
        from lossreport.nights.upkeep import prune as prune_nights

        _check_there(place)
        until = None if before is None else day(before, "--before")
        pruned = prune_nights(History(place), keep_days=keep_days, before=until, dry_run=dry_run)
        if pruned.nights:
            say(_table(pruned.nights) + "\n")
        else:
            say("No night is that old: there was nothing to delete.")
            return
        what = "would be deleted" if dry_run else "deleted"
        say(f"{count(len(pruned.nights), 'night')} before {pruned.before} {what}.")


def _check_there(place: str) -> None:
    from lossreport.errors import UsageError

    if "://" not in place and not Path(place).exists():
        raise UsageError(f"There is no folder {place}: name the one that --history was given.")


def _table(nights: Sequence[Night]) -> str:
    rows = [("day", "input", "size", "file")]
    rows += [(str(n.day), n.key, in_bytes(n.size), n.file) for n in nights]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join(
        f"{d:<{widths[0]}}  {key:<{widths[1]}}  {size:>{widths[2]}}  {file}"
        for d, key, size, file in rows
    )


def _summary(found: Survey) -> str:
    from lossreport.formats import count

    nights = found.nights
    if not nights:
        return "There are no nights in this history."
    inputs = count(len({n.key for n in nights}), "input")
    files = count(len({c.file for c in found.copies}), "file")
    days = f"{nights[0].day} to {nights[-1].day}"
    told = f"{count(len(nights), 'night')} of {inputs}, {days}, in {files}."
    stale = {c.file for c in found.copies} - {n.file for n in nights}
    if stale:
        told += f" {count(len(stale), 'file')} of them no longer count: a merge deletes them."
    return told


def _complain_of(strange: Sequence[Strange]) -> None:
    for one in strange:
        complain(f"{one.name} is left alone: {one.why.rstrip('.')}.")
