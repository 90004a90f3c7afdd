"""The figures as a text file of metrics, for the node exporter of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lossreport.checks.finding import gravest_first
from lossreport.formats import key_value, visible
from lossreport.gates.gate import GRAVITY, tally
from lossreport.reports.figures import Figures
from lossreport.reports.results import Prediction, Report

MARK = "# lossreport"
MAX_GROUPS = 100
"""Of each grouping, those with the most squared error: the number of series stays bounded."""
LONGEST = 200
FIGURES = {
    "mae": "Mean absolute error.",
    "rmse": "Root of the mean squared error.",
    "ratio": "RMSE divided by MAE; 1.25 for Gaussian errors.",
    "bias": "Mean of predicted less actual.",
    "max_abs_error": "Largest absolute error.",
}
Sample = tuple[Mapping[str, str], float | None]


def to_prometheus(report: Report) -> str:
    """Return gauges of the figures, the rows, the findings and the gates.

    Figures that do not exist are left out. Every series has the label `log`, the report's title,
    so that the files of several logs can lie side by side.
    """
    lines = [f"{MARK} {report.version}: write it as NAME.prom to the textfile collector's folder."]
    log = {"log": report.title}
    for name, said, samples in _metrics(report):
        some = [(labels, value) for labels, value in samples if value is not None]
        if some:
            lines.append(f"# HELP lossreport_{name} {_help(said)}")
            lines.append(f"# TYPE lossreport_{name} gauge")
            lines += _series(f"lossreport_{name}", [({**log, **of}, v) for of, v in some])
    return "\n".join(lines) + "\n"


def _metrics(report: Report) -> Iterator[tuple[str, str, list[Sample]]]:
    each = report.predictions
    of = [{"predicted": p.predicted} for p in each]
    for name, said in FIGURES.items():
        yield name, said, [(x, getattr(p.overall, name)) for x, p in zip(of, each, strict=True)]
    yield "rows_read", "Rows read.", [(x, p.rows.read) for x, p in zip(of, each, strict=True)]
    scored: list[Sample] = [(x, p.rows.scored) for x, p in zip(of, each, strict=True)]
    yield "rows_scored", "Rows with an error.", scored
    left_out: list[Sample] = [
        ({**x, "reason": reason}, n)
        for x, p in zip(of, each, strict=True)
        for reason, n in p.rows.left_out
    ]
    yield "rows_left_out", "Rows left out of every figure, by reason.", left_out
    yield from _of_groups(each)
    found = Counter(f.severity for f in gravest_first(report.findings))
    severities: list[Sample] = [({"severity": s}, found[s]) for s in ("error", "warning", "info")]
    yield "findings", "Findings that are issues, by severity.", severities
    ended = tally(report.gates)
    yield "gates", "Gates, by how they ended.", [({"status": s}, ended[s]) for s in GRAVITY]
    gates: list[Sample] = [({"gate": g.name}, GRAVITY.index(g.status)) for g in report.gates]
    yield "gate_status", "How a gate ended: 0 passed, 1 warned, 2 failed.", gates


def _of_groups(predictions: Sequence[Prediction]) -> Iterator[tuple[str, str, list[Sample]]]:
    groups: list[tuple[Mapping[str, str], Figures]] = []
    untold: list[Sample] = []
    for prediction in predictions:
        for grouping in prediction.groupings:
            by = {"predicted": prediction.predicted, "by": ", ".join(grouping.by)}
            with_rows = [g for g in grouping.groups if g.figures.n]
            groups += [
                ({**by, "group": ", ".join(key_value(k) for k in g.key)}, g.figures)
                for g in with_rows[:MAX_GROUPS]
            ]
            more = len(with_rows[MAX_GROUPS:]) + grouping.rest_groups
            untold.append((by, more))
    for name, said in FIGURES.items():
        of_groups = [(labels, getattr(figures, name)) for labels, figures in groups]
        yield f"group_{name}", f"{said[:-1]}, of a group.", of_groups
    rows: list[Sample] = [(labels, figures.n) for labels, figures in groups]
    yield "group_rows_scored", "Rows with an error, of a group.", rows
    more_words = f"Groups beyond the {MAX_GROUPS} with the most squared error: not listed here."
    yield "groups_not_listed", more_words, untold


def _series(name: str, samples: Sequence[Sample]) -> Iterator[str]:
    """Return a line for each sample; labels that read alike get a number, for one is refused."""
    seen: Counter[str] = Counter()
    for labels, value in samples:
        shown = {k: visible(v, LONGEST) for k, v in labels.items()}
        text = _labels(shown)
        seen[text] += 1
        if seen[text] > 1:
            text = _labels({**shown, "again": str(seen[text])})
        yield f"{name}{{{text}}} {float(value or 0)!r}"


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_label(value)}"' for name, value in labels.items())


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
