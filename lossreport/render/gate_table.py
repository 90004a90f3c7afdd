"""The gates that were not met as lines of text, for the terminal and for e-mails."""

from __future__ import annotations

from collections.abc import Sequence

from lossreport.formats import count
from lossreport.gates.gate import Judged
from lossreport.gates.wording import counted, unmet

MOST = 20


def gate_table(gates: Sequence[Judged], *, warnings: bool = True) -> str:
    """Return how many gates failed, and each check that did: "" if all plainly passed.

    Parameters
    ----------
    warnings
        Whether checks that warn, or are let pass undecided, are told too.
    """
    found = [x for x in unmet(gates) if warnings or x[0].endswith("failed")]
    if not found:
        return ""
    wide = [max(len(row[i]) for row in found[:MOST]) for i in range(2)]
    lines = [
        f"  {how:<{wide[0]}}  {gate:<{min(wide[1], 60)}}  {said}"
        for how, gate, said in found[:MOST]
    ]
    if len(found) > MOST:
        lines.append(f"  and {count(len(found) - MOST, 'more check')} like these: see the report.")
    return "\n".join([counted(gates), *lines])
