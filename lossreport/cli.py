"""The command line: its commands, and how it starts."""

from __future__ import annotations

import atexit
import faulthandler
import gc
import os
import sys
from typing import Annotated

import typer

from lossreport.commands.config import config
from lossreport.commands.console import say
from lossreport.commands.history import history
from lossreport.commands.index import index
from lossreport.commands.inspect import inspect
from lossreport.commands.profile import profile
from lossreport.commands.report import report
from lossreport.version import __version__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which loss suits a prediction log, and can the log be trusted? One command, one page.",
)
for command in (report, inspect, profile, index, config):
    # LOSSREPORT_UNIT is --unit of every command that has it.
    app.command(context_settings={"auto_envvar_prefix": "LOSSREPORT"})(command)
app.add_typer(history, name="history")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        say(f"lossreport {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command."""
    # NumPy's many small products are slower on several threads, which wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Polars' allocator (jemalloc) soon gives memory back to the system, and the next chunks have
    # every page of it zeroed anew: half of the system's time. Kept longer, in few places.
    few = max(1, (os.cpu_count() or 1) // 2)
    kept = f"dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:{few}"
    os.environ.setdefault("_RJEM_MALLOC_CONF", kept)
    # Row groups are read as fast as they are added up; to read more ahead takes memory only.
    os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", str(few))
    # Few objects of a run are garbage in circles, and looking for it takes a twentieth of the time:
    # look seldom, and not at all what is left at the end.
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    if sys.stderr is not None:
        faulthandler.enable()  # a reader that kills the process leaves a word of where
    app()
