"""`lossreport config`: checks a configuration, or shows an example."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lossreport.commands.console import errors, say
from lossreport.commands.defaults import checked
from lossreport.options import Debug

EXAMPLE = """\
# Save as lossreport.toml. Options of a command are its defaults: what is given on the command line
# comes first, then variables such as LOSSREPORT_UNIT, then these.
[report]
by = ["region", "region,model"]
unit = "min"
json = "figures.json"

# Names of nights: --baseline pinned:release-4
[pins]
release-4 = 2026-11-01

# A gate fails the command (exit code 3) after everything is written, or only warns.
[[gates]]
figure = "mae"
max = 3.0

# Each group of a grouping. What cannot be decided (too few rows, no such figure or group) fails,
# unless undecided says "warn" or "pass".
[[gates]]
name = "no region drifts"
figure = "bias"
by = ["region"]
min = -0.5
max = 0.5
min_rows = 200
undecided = "warn"

# One group, against the baseline.
[[gates]]
figure = "rmse"
by = ["region"]
group = ["emea"]
max_change = "10%"
undecided = "pass"

[[gates]]
figure = "left_out_share"
max = "1%"
action = "warn"

# Findings, by code ...
[[gates]]
findings = ["LR016", "LR018"]

# ... or by severity.
[[gates]]
severity = "error"
"""


class Action(StrEnum):
    """What to do."""

    check = "check"
    example = "example"


def config(
    context: typer.Context,
    action: Annotated[Action, typer.Argument(help="Check a configuration, or show an example.")],
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="The configuration; the current folder's otherwise."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Check a configuration, or show one to begin with."""
    with errors(debug=debug):
        from lossreport.errors import UsageError
        from lossreport.formats import count, visible
        from lossreport.gates.config import COMMANDS, NAMES, find_config, read_config

        if action is Action.example:
            say(EXAMPLE.rstrip())
            return
        path = Path(file) if file else find_config(Path())
        if path is None:
            raise UsageError(f"There is no configuration here: neither {' nor '.join(NAMES)}.")
        read = read_config(path)
        commands = context.find_root().command.commands  # type: ignore[attr-defined]
        options = sum(len(checked(read, c, commands[c], context)) for c in COMMANDS)
        defaults = count(options, "default of an option", "defaults of options")
        pins = f", {count(len(read.pins), 'pinned night')}" if read.pins else ""
        gates = count(len(read.gates), "gate")
        say(f"{visible(str(path))}: {gates}, {defaults}{pins}; nothing wrong.")
        if read.gates:
            from lossreport.gates.wording import condition

            say("\n".join(f"  {condition(g)} ({g.action})" for g in read.gates))
