"""The defaults of a command's options from the configuration, below what is given otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lossreport.commands.console import errors

OWN = ("config", "help")
"""Options that a configuration cannot set."""


def _apply(context: typer.Context, given: str | None) -> str | None:
    """Set the defaults of the command that is called, and return the configuration's path."""
    with errors(debug=False):
        from lossreport.gates.config import find_config, read_config

        path = find_config(Path()) if given is None else Path(given) if given else None
        if path is None:
            return None
        config = read_config(path)
        name = context.info_name or ""
        context.default_map = checked(config, name, context.command, context)
        return str(path)


Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=_apply,
        help="Gates and defaults of options as TOML: if not given, lossreport.toml, or the table "
        "tool.lossreport of pyproject.toml; '' for none.",
    ),
]


def checked(config: Any, name: str, command: Any, context: typer.Context) -> dict[str, Any]:
    """Return the defaults of a command by parameter, as its options take them.

    Raises
    ------
    UsageError
        There is no such option, or its value is none for it: with file and line.
    """
    from lossreport.gates.parsing import closest

    given: Mapping[str, Any] = config.options.get(name, {})
    options = {p.name: p for p in command.params if p.param_type_name == "option"}
    known = [o.replace("_", "-") for o in options if o not in OWN]
    defaults = {}
    for key, value in given.items():
        option = options.get(key.replace("-", "_"))
        if option is None or option.name in OWN:
            raise config.wrong(f"there is no such option; {closest(key, known)}.", name, key)
        value = [value] if option.multiple and isinstance(value, str) else value
        _check(config, option, value, context, (name, key))
        defaults[option.name] = value
    return defaults


def _check(
    config: Any, option: Any, value: Any, context: typer.Context, at: tuple[str, str]
) -> None:
    """Raise UsageError if a value is none for its option."""
    from lossreport.gates.parsing import kind_of

    flag, found = option.is_flag, isinstance(value, bool)
    each = value if option.multiple and isinstance(value, list) else [value]
    if flag != found or any(type(v) not in (str, int, float, bool) for v in each):
        raise config.wrong(f"this is {kind_of(value)}, which the option does not take.", *at)
    try:
        option.process_value(context, value)
    except typer.BadParameter as error:
        said = error.message.removeprefix("Value error, ").rstrip(".")
        raise config.wrong(f"{said[:1].lower()}{said[1:]}.", *at) from error
