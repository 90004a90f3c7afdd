"""Writes docs/templates.md from the report's types, the filters, and the files of an example.

python -m docs.make_templates_page
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from lossreport.advice.settings import Setting
from lossreport.render.drawing import Chart
from lossreport.render.page import Source as WithoutSource
from lossreport.render.templating import FILTERS, NAMES
from lossreport.reports.results import Ledger, Report

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "templates.md"
EXAMPLE = ROOT / "docs" / "house_style"

OF_PAGE = {
    "report": "the whole report, a `Report`: all below hangs on it",
    "sections": "one for each prediction, in their order",
    "issues": "the findings that are issues, gravest first, each a `Finding`",
    "checks": "the other findings: passed, or skipped",
    "trend_rows": "the places whose course the page draws, with their lines",
    "trend_nights": "how many nights a line has at most",
    "gates": "what was found of each gate, the gravest first, each a `Judged`",
    "unmet": "the checks of gates that were not met: how they ended, the gate, what was found",
    "gates_said": "how many gates failed, in a sentence",
    "most_unmet": "how many of `unmet` the page shows",
    "most_checks": "how many checks of a gate the page shows",
    "css": "the style, for the page's `<style>`",
    "script": "the script, for the page's `<script>`",
    "css_hash": "of the style, for the page's content-security policy",
    "script_hash": "of the script, likewise",
    "summary": "what `lossreport index` reads of the page: JSON, for a `<meta>` in its head",
}
OF_SECTION = {
    "prediction": "a `Prediction`, with all figures",
    "prefix": "`p0`, `p1`, ...: begins the section's ids",
    "source": "`name` and `without`, the `Figures` without the source of the large errors; or None",
    "ruler": "the drawing of the ratio between Gaussian errors and the flag; or None",
    "notable": "the gravest groups with a finding, each `(by, Group)`",
    "with_finding": "how many groups have a finding",
    "charts": "each a `Chart` for `svg`, or None where there is nothing to draw: {charts}",
    "groups": "the groups that the page has room for, each `(by, Group)`",
    "probabilities": "whether the predictions are probabilities of 0/1 outcomes",
    "paste": "settings by loss: `name`, and `libraries`, each `(library, [Setting])`",
    "flagged": "how many groups are outlier-driven",
    "left_out": "the groups that most rows were left out of, each `(by, Group)`",
    "with_left_out": "how many groups have rows that were left out",
    "tables": "how many groups there are",
    "scored": "how many of them have scored rows",
    "rest": "how many of them the report tells only as a sum",
}
OF_MANY_TYPES = {
    "actual": "What happened.",
    "bias": "Mean of predicted - actual.",
    "by": "The columns.",
    "key": "Their values; None where one is missing in the log.",
    "mae": "Mean |error|: L1.",
    "mse": "Mean error squared: L2.",
    "n": "How many rows.",
    "predicted": "What the model said.",
    "ratio": "RMSE/MAE.",
    "rmse": "Root of the mean error squared.",
    "rows": "How many rows.",
    "share_of_abs_error": "Of the sum of all |errors|.",
    "share_of_rows": "Of the scored rows.",
    "share_of_sq_error": "Of the sum of all squared errors.",
}
"""What a number or name of this name is, where the type does not say more."""


def main() -> None:
    """Write the page's parts anew; the text between them stays."""
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")


def filled(page: str) -> str:
    """Return the page with what stands between each pair of its comments made anew."""
    for name, made in {
        "example": _example(),
        "of-page": _listed(OF_PAGE),
        "of-section": _listed(OF_SECTION).replace("{charts}", _charts()),
        "filters": "\n".join(_filters()),
        "constants": "\n".join(_constants()),
        "types": "\n".join(_types()).strip(),
    }.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        assert page.count(begin) == page.count(end) == 1, name
        before, rest = page.split(begin)
        page = f"{before}{begin}{made}{end}{rest.split(end)[1]}"
    return page


def _example() -> str:
    """Return the files of the example with their names."""
    each = []
    for file in sorted(EXAMPLE.iterdir()):
        content, form = file.read_text("utf-8"), file.suffix.removeprefix(".")
        shown = f"```{form}\n{content.strip()}\n```" if content.strip() else "An empty file."
        each.append(f"`{file.name}`:\n\n{shown}")
    return "\n\n".join(each)


def _listed(meanings: dict[str, str]) -> str:
    return "\n".join(["| name | what |", "| --- | --- |", *(_row(*m) for m in meanings.items())])


def _row(name: str, *cells: str) -> str:
    escaped = (c.replace("|", "\\|") for c in cells)
    return f"| `{name}` | {' | '.join(escaped)} |"


def _charts() -> str:
    """Return the names of the charts, from where they are drawn."""
    source = (ROOT / "lossreport" / "render" / "page.py").read_text("utf-8")
    drawn = re.search(r"    drawn = \{(.*?)\n    \}", source, re.DOTALL)
    assert drawn
    return ", ".join(f"`{n}`" for n in re.findall(r'^        "(\w+)":', drawn[1], re.MULTILINE))


def _filters() -> Iterator[str]:
    """Return a table row for each filter: how it is called, and its docstring's first line."""
    yield "| filter | what it returns |"
    yield "| --- | --- |"
    for name, function in sorted(FILTERS.items()):
        _, *more = inspect.signature(function).parameters.values()
        arguments = ", ".join(
            p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in more
        )
        said = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        yield _row(f"{name}({arguments})" if more else name, said.removeprefix("Return "))


def _constants() -> Iterator[str]:
    """Return a table row for each constant, and one for each module of constants."""
    yield "| name | what |"
    yield "| --- | --- |"
    for name, value in NAMES.items():
        if isinstance(value, ModuleType):
            constants = [f"`{n}`" for n in vars(value) if re.fullmatch("[A-Z][A-Z_0-9]+", n)]
            yield _row(name, f"constants of `{value.__name__}`: {', '.join(constants)}")
        else:
            yield _row(name, f"{value:.6g}")


def _types() -> Iterator[str]:
    """Return a table for each type that a template meets, those that hold others first."""
    for of in reached((Report, WithoutSource, Chart, Setting)):
        yield f"### {_name(of)}\n\n{_first(of)}\n"
        yield "| field | type | meaning |\n| --- | --- | --- |"
        said = _docstrings(of)
        for field in dataclasses.fields(of):
            plain = field.name if typing.get_type_hints(of)[field.name] is not Ledger else ""
            meaning = said.get(field.name) or OF_MANY_TYPES.get(plain, "")
            yield _row(field.name, f"`{field.type}`", meaning)
        for name, member in vars(of).items():
            if isinstance(member, property):
                annotation = inspect.get_annotations(member.fget)["return"]  # type: ignore[arg-type]
                yield _row(name, f"`{annotation}`", _first(member))
            elif inspect.isfunction(member) and not name.startswith("_"):
                _, *more = inspect.signature(member).parameters
                annotation = inspect.get_annotations(member)["return"]
                yield _row(f"{name}({', '.join(more)})", f"`{annotation}`", _first(member))
        yield ""


def _first(member: Any) -> str:
    first = (inspect.getdoc(member) or "").split("\n\n")[0].replace("\n", " ")
    return first[:1].upper() + first[1:] if (first := first.removeprefix("Return ")) else ""


def _name(of: type) -> str:
    """Return a type's name; of two that share one, with its module."""
    shared = {"Gap": of.__module__.split(".")[-1], "Source": of.__module__.split(".")[-1]}
    return f"{of.__name__} ({shared[of.__name__]})" if of.__name__ in shared else of.__name__


def reached(start: tuple[type, ...]) -> list[type]:
    """Return all dataclasses that can be reached from some by their fields, nearest first."""
    found: list[type] = []
    waiting = list(start)
    while waiting:
        of = waiting.pop(0)
        if of not in found:
            found.append(of)
            types = typing.get_type_hints(of)
            for field in dataclasses.fields(of):
                waiting += _within(types[field.name])
    return found


def _within(annotation: Any) -> list[type]:
    if dataclasses.is_dataclass(annotation):
        return [typing.cast(type, annotation)]
    return [of for part in typing.get_args(annotation) for of in _within(part)]


def _docstrings(of: type) -> dict[str, str]:
    """Return the strings under a dataclass's fields, on one line each."""
    (body,) = ast.parse(inspect.getsource(of)).body
    assert isinstance(body, ast.ClassDef)
    said = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            said[field.target.id] = " ".join(str(below.value.value).split())
    return said


if __name__ == "__main__":
    main()
