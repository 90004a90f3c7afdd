"""Gates and findings as annotations of a GitHub workflow's run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossreport.checks.finding import gravest_first
from lossreport.formats import visible
from lossreport.gates.gate import gravest_gates
from lossreport.gates.wording import check_line, told
from lossreport.reports.results import Report

MOST = 10
"""Of each kind: a step shows no more."""
LONGEST = 1000


def to_annotations(report: Report) -> str:
    """Return a command for each gate and finding, a line each: "" if there is nothing to say.

    Checks of gates that failed are errors; those that warned, and findings that are errors or
    warnings, are warnings. Of each kind the last says how many more there are.
    """
    errors = [("gate", said) for status, said in _of_gates(report) if status == "failed"]
    warnings = [("gate", said) for status, said in _of_gates(report) if status == "warned"]
    for finding in gravest_first(report.findings, notes=False):
        of = f"{finding.predicted}: " if finding.predicted else ""
        warnings.append((finding.code, f"{of}{finding.message}"))
    return "\n".join([*_commands("error", errors), *_commands("warning", warnings)])


def _of_gates(report: Report) -> Iterator[tuple[str, str]]:
    for gate in gravest_gates(report.gates):
        for check in gate.gravest_first:
            yield check.status, f"{gate.name} ({told(check)}): {check_line(check)}"


def _commands(kind: str, messages: Sequence[tuple[str, str]]) -> Iterator[str]:
    shown = messages if len(messages) <= MOST else messages[: MOST - 1]
    for title, message in shown:
        yield f"::{kind} title={_property(f'lossreport {title}')}::{_data(message)}"
    if len(messages) > len(shown):
        more = f"{len(messages) - len(shown):,} more like these: see the report."
        yield f"::{kind} title=lossreport::{more}"


def _data(text: str) -> str:
    shown = visible(text, LONGEST).replace("%", "%25")
    return shown.replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
