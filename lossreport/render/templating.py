"""Fills the templates of the page; the only module that imports Jinja2."""

from __future__ import annotations

import base64
import hashlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
)
from jinja2.exceptions import TemplateSyntaxError
from markupsafe import Markup

from lossreport import formats
from lossreport.advice import choice, gap, picking, resampling, shape, usual
from lossreport.checks.finding import Example
from lossreport.errors import UsageError
from lossreport.formats import listed
from lossreport.gates.gate import Check, Judged
from lossreport.gates.wording import shown_value, told
from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2, LAPLACE_RATIO, SE_LOG_RATIO
from lossreport.profiles.gathering import LONGEST_TOKEN
from lossreport.profiles.statistics import RELATIVE_ACCURACY
from lossreport.render.drawing import Chart
from lossreport.render.sparklines import outside
from lossreport.reports import attribution
from lossreport.reports.figures import FALSE_DISCOVERIES
from lossreport.reports.recommending import loss_name
from lossreport.reports.results import Group
from lossreport.reports.where import Origin, Slice

PACKAGE, PAGE, STYLE, SCRIPT = "lossreport", "report.html", "report.css", "report.js"
INDEX, INDEX_STYLE = "index.html", "index.css"


def fill(names: Mapping[str, Any], folder: Path | None = None, page: str = PAGE) -> str:
    """Return a page, its style and script inside it and their hashes in its policy.

    Parameters
    ----------
    names
        What the templates may use.
    folder
        Where templates, style and script are looked for first, file by file; what is not there is
        the package's, which templates and style also find by "lossreport/".
    page
        The template of the whole: of a report, or of an index, which has a style beside the
        report's and uses no script.

    Raises
    ------
    UsageError
        The folder is none, or something in a template of it is wrong: it names file and line.
    """
    if folder is not None and not folder.is_dir():
        raise UsageError(_no_folder(folder))
    environment = _environment(folder)
    try:
        css = environment.get_template(STYLE).render(names)
        if page == INDEX:
            css += _source(environment, INDEX_STYLE)
        script = _source(environment, SCRIPT)
        return environment.get_template(page).render(
            **names,
            css=Markup(css),  # noqa: S704 - a file of ours, or of who runs the command
            script=Markup(script),  # noqa: S704
            css_hash=_hash(css),
            script_hash=_hash(script),
        )
    except Exception as error:
        if folder is None:
            raise  # a bug of ours
        raise UsageError(_where(error, folder)) from error


def check_folder(folder: Path) -> None:
    """Raise UsageError if a folder has no templates, or one that is not even written as one is.

    What it names that does not exist shows only when the page is made.
    """
    if not folder.is_dir():
        raise UsageError(_no_folder(folder))
    try:
        mine = sorted(p.name for p in folder.iterdir())
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be read: {error.strerror}.") from error
    names = sorted(p.name for p in _own_templates().iterdir())
    if not set(mine) & set(names):
        raise UsageError(f"No file in {folder} is called like one of the page's: {listed(names)}.")
    environment = _environment(folder)
    for name in mine:
        try:
            if name == STYLE or name.endswith(".html"):
                environment.get_template(name)
            elif name == SCRIPT:
                _source(environment, name)
        except TemplateSyntaxError as error:
            raise UsageError(_where(error, folder)) from error
        except (OSError, UnicodeError, TemplateError) as error:
            raise UsageError(f"{folder / name} cannot be read: {error}.") from error


def _no_folder(folder: Path) -> str:
    return f"There is no folder of templates {folder}: name one that exists."


def _where(error: Exception, folder: Path) -> str:
    """Return what is wrong in which line of which template."""
    known = {p.name for p in _own_templates().iterdir()} | {p.name for p in folder.iterdir()}
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or error.name}, line {error.lineno}: {error.message}"
    at = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).name in known]
    said = error.message if isinstance(error, TemplateError) else None
    what = said or f"{type(error).__name__}: {error}"
    return f"{at[-1].filename}, line {at[-1].lineno}: {what}" if at else f"{folder}: {what}"


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


@cache
def _own_templates() -> Path:
    """Return the package's templates: in the installed package, or beside it in a clone."""
    package = Path(__file__).parent.parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _environment(folder: Path | None) -> Environment:
    ours = FileSystemLoader(_own_templates())
    loaders: list[BaseLoader] = [] if folder is None else [FileSystemLoader(folder)]
    environment = Environment(
        # By "lossreport/" a template of one's own finds the one whose place it takes.
        loader=ChoiceLoader([*loaders, ours, PrefixLoader({PACKAGE: ours})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.globals |= NAMES
    environment.tests["outside"] = outside
    return environment


def _svg(chart: Chart) -> Markup:
    """Return a chart's drawing."""
    return Markup(chart.svg)  # noqa: S704 - svg.clean has escaped all text in it


def _rate(share: float) -> str:
    """Return a constant of the rule as a percentage with the digits that it has."""
    return f"{100 * share:g}%"


def _places(rows: Sequence[Example], files: int) -> str:
    """Return rows in words; the file is not said if there is but one."""
    text = formats.places((x.file if files > 1 else "", x.row) for x in rows)
    return text[0].upper() + text[1:]


def _place(place: tuple[tuple[str, ...], tuple[str | None, ...]], longest: int) -> str:
    """Return the place of a large error, columns and values, in words."""
    return formats.group_name(*place, longest)


def _group_name(
    group: tuple[tuple[str, ...], Group | Slice | Origin], longest: int | None = None
) -> str:
    """Return a group's columns and itself, `(by, group)`, in words: "region = emea"."""
    by, member = group
    return formats.group_name(by, member.key, longest)


def _gate_value(of: tuple[Judged, Check]) -> str:
    """Return what a check of a gate found, `(judged, check)`."""
    return shown_value(*of)


def _cut(text: str) -> str:
    """Return text from a log as `visible`, cut to 28 characters."""
    return formats.visible(text, 28)


def _signed(value: float | None, scale: float | None = None) -> str:
    """Return `number` with its sign, also a plus."""
    return formats.number(value, scale, signed=True)


FILTERS: Mapping[str, Callable[..., str | None]] = {
    "amount": formats.amount,
    "count": formats.count,
    "change": formats.change,
    "cut": _cut,
    "group_name": _group_name,
    "gate_told": told,
    "gate_value": _gate_value,
    "key": formats.key_value,
    "loss_name": loss_name,
    "number": formats.number,
    "percent": formats.percent,
    "place": _place,
    "places": _places,
    "rate": _rate,
    "ratio": formats.ratio,
    "reason": formats.reason,
    "signed": _signed,
    "squared": formats.squared,
    "svg": _svg,
    "visible": formats.visible,
}
"""What templates may put after a `|`, beside what Jinja has."""
NAMES: Mapping[str, Any] = {
    "gaussian": GAUSSIAN_RATIO,
    "laplace": LAPLACE_RATIO,
    "huber_beats_l2": HUBER_BEATS_L2,
    "minimum_rows": shape.MINIMUM_ROWS,
    "se_log_ratio": SE_LOG_RATIO,
    "false_discoveries": FALSE_DISCOVERIES,
    "accuracy": RELATIVE_ACCURACY,
    "longest_token": LONGEST_TOKEN,
    # The methods say the rule's own constants.
    "attribution": attribution,
    "choice": choice,
    "picking": picking,
    "gap": gap,
    "resampling": resampling,
    "shape": shape,
    "usual": usual,
}
"""What templates may use whatever the report: constants, and modules for theirs."""
