"""The gates and findings of a report as JUnit XML, for what shows test results."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossreport.checks.finding import Finding
from lossreport.formats import visible
from lossreport.gates.gate import Check, Judged
from lossreport.gates.wording import check_line
from lossreport.reports.results import Report

MARK = "<!-- lossreport"
MAX_CHECKS = 200
"""Of each gate, the gravest first."""
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def to_junit(report: Report) -> str:
    """Return a test suite of the gates and one of the findings.

    A check of a gate that failed is a *failure*, one that failed undecided an *error*. What only
    warns, and what could not be decided but is let pass, is *skipped* with its message. So are
    findings, which fail nothing unless a gate asks for them.
    """
    gates = [_check(g, c) for g in report.gates for c in g.gravest_first[:MAX_CHECKS]]
    gates += [
        f"{_open('gates', g.name, 'checks not listed')}"
        f"{_outcome('skipped', f'{len(g.checks) - MAX_CHECKS:,} more checks of this gate.')}"
        for g in report.gates
        if len(g.checks) > MAX_CHECKS
    ]
    cases = {"gates": gates, "findings": [_finding(f) for f in report.findings]}
    counts = {name: _counts(suite) for name, suite in cases.items()}
    total = [sum(c[i] for c in counts.values()) for i in range(4)]
    title = _text(report.title)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"{MARK} {report.version} -->",
        f'<testsuites name="{title}" {_attributes(total[:3])}>',
    ]
    for name, suite in cases.items():
        skipped = f' skipped="{counts[name][3]}"'
        lines.append(f'  <testsuite name="{name}" {_attributes(counts[name][:3])}{skipped}>')
        lines += suite
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _attributes(counts: Sequence[int]) -> str:
    names = ("tests", "failures", "errors")
    return " ".join(f'{name}="{n}"' for name, n in zip(names, counts, strict=True)) + ' time="0"'


def _counts(cases: Sequence[str]) -> list[int]:
    kinds = ("<failure ", "<error ", "<skipped ")
    return [len(cases), *(sum(kind in case for case in cases) for kind in kinds)]


def _open(suite: str, group: str, name: str) -> str:
    return f'    <testcase classname="{suite}.{_dotless(group)}" name="{_text(name)}" time="0">'


def _outcome(kind: str, said: str, kind_of: str = "") -> str:
    of = f' type="{kind_of}"' if kind_of else ""
    return f'<{kind} message="{_text(said)}"{of}/></testcase>'


def _check(gate: Judged, check: Check) -> str:
    where = f"{check.predicted}: {check.where}" if check.predicted else check.where
    start, said = _open("gates", gate.name, where), check_line(check)
    if check.status == "failed" and check.undecided:
        return start + _outcome("error", said, "undecided")
    if check.status == "failed":
        return start + _outcome("failure", said, "gate")
    if check.status == "warned":
        return start + _outcome("skipped", f"Warning: {said}")
    if check.undecided:
        return start + _outcome("skipped", f"Undecided: {said}")
    return f"{start}<system-out>{_text(said)}</system-out></testcase>"


def _finding(finding: Finding) -> str:
    of = f" ({finding.predicted})" if finding.predicted else ""
    start = _open("findings", finding.code, f"{finding.code} {finding.title}{of}")
    if finding.status == "issue":
        return start + _outcome("skipped", f"Found ({finding.severity}): {finding.message}")
    if finding.status == "skipped":
        return start + _outcome("skipped", f"Not checked: {finding.message}")
    return f"{start}</testcase>"


def _dotless(text: str) -> str:
    """Return a text for a part of a class's name, whose parts are told by dots."""
    return _text(text.replace(".", "\u2024"))


def _text(text: str) -> str:
    """Return text for XML, in which control characters have no place even escaped."""
    return re.sub(r'[&<>"]', lambda c: ESCAPES[c[0]], visible(text))
