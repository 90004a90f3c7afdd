"""Fills the templates of the page; the only module that imports Jinja2."""

from __future__ import annotations

import base64
import hashlib
import traceback
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import TemplateSyntaxError
from markupsafe import Markup

from lossreport import formats
from lossreport.advice import choice, gap, resampling, shape, usual
from lossreport.checks.finding import Example
from lossreport.errors import UsageError
from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2, LAPLACE_RATIO, SE_LOG_RATIO
from lossreport.profiles.statistics import RELATIVE_ACCURACY
from lossreport.render.drawing import Chart
from lossreport.render.sparklines import outside
from lossreport.reports import attribution
from lossreport.reports.figures import FALSE_DISCOVERIES
from lossreport.reports.recommending import loss_name
from lossreport.reports.results import Group
from lossreport.reports.where import Origin, Slice

PAGE, STYLE, SCRIPT = "report.html", "report.css", "report.js"


def fill(names: Mapping[str, Any], folder: Path | None = None) -> str:
    """Return the page, its style and script inside it and their hashes in its policy.

    Parameters
    ----------
    names
        What the templates may use.
    folder
        Where templates, style and script are looked for first, file by file; what is not there is
        the package's.

    Raises
    ------
    UsageError
        The folder is none, or something in a template of it is wrong: it names file and line.
    """
    if folder is not None and not folder.is_dir():
        raise UsageError(f"There is no folder of templates {folder}.")
    environment = _environment(folder)
    try:
        css, script = (_source(environment, name) for name in (STYLE, SCRIPT))
        return environment.get_template(PAGE).render(
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
    folders = [_own_templates()] if folder is None else [folder, _own_templates()]
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(f) for f in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": formats.amount,
        "count": formats.count,
        "change": formats.change,
        "cut": partial(formats.visible, longest=28),
        "group_name": _group_name,
        "key": formats.key_value,
        "loss_name": loss_name,
        "number": formats.number,
        "percent": formats.percent,
        "place": _place,
        "places": _places,
        "rate": _rate,
        "ratio": formats.ratio,
        "sortable": _sortable,
        "squared": formats.squared,
        "signed": partial(formats.number, signed=True),
        "svg": _svg,
        "visible": formats.visible,
        "reason": formats.reason,
    }
    environment.tests["outside"] = outside
    environment.globals |= {
        "gaussian": GAUSSIAN_RATIO,
        "laplace": LAPLACE_RATIO,
        "huber_beats_l2": HUBER_BEATS_L2,
        "minimum_rows": shape.MINIMUM_ROWS,
        "se_log_ratio": SE_LOG_RATIO,
        "false_discoveries": FALSE_DISCOVERIES,
        "accuracy": RELATIVE_ACCURACY,
        # The methods say the rule's own constants.
        "attribution": attribution,
        "choice": choice,
        "gap": gap,
        "resampling": resampling,
        "shape": shape,
        "usual": usual,
    }
    return environment


def _sortable(value: float | None) -> str:
    """Return a number to sort a table by, with the digits that sorting needs."""
    return "None" if value is None else f"{value:.6g}"


def _svg(chart: Chart) -> Markup:
    return Markup(chart.svg)  # noqa: S704 - svg.clean has escaped all text in it


def _rate(share: float) -> str:
    """Return a constant of the rule as a percentage with the digits that it has."""
    return f"{100 * share:g}%"


def _places(rows: Sequence[Example], files: int) -> str:
    """Return rows in words; the file is not said if there is but one."""
    text = formats.places((x.file if files > 1 else "", x.row) for x in rows)
    return text[0].upper() + text[1:]


def _place(place: tuple[tuple[str, ...], tuple[str | None, ...]], longest: int) -> str:
    return formats.group_name(*place, longest)


def _group_name(
    group: tuple[tuple[str, ...], Group | Slice | Origin], longest: int | None = None
) -> str:
    by, member = group
    return formats.group_name(by, member.key, longest)
