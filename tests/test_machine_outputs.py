"""Outputs for machines: JUnit XML, metrics, annotations, the job's summary, exit codes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.gates.gate import Gate
from lossreport.gates.judging import judge
from lossreport.render.annotations import MOST, to_annotations
from lossreport.render.gate_table import gate_table
from lossreport.render.junit import to_junit
from lossreport.render.message import to_message
from lossreport.render.prometheus import MAX_GROUPS, to_prometheus
from lossreport.reports.results import Report
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]
LOG = EXAMPLES / "deliveries.parquet"
NASTY = (
    'a"b\\c\n::error::x%0A<i>&]]>\x00\x1b[31m\u202e@channel https://evil.example '
    "[click](//evil.example)"
)
FAILS = "[[gates]]\nfigure = 'mae'\nmax = 1\n[[gates]]\nfigure = 'mae'\nmax = 99\n"


def nasty() -> Report:
    """Return a report with every ending of a gate, of a log whose names are hostile."""
    rng = np.random.default_rng(3)
    actual = rng.normal(size=400)
    frame = pl.DataFrame(
        {"actual": actual, "predicted": actual + rng.normal(size=400), NASTY: [NASTY, None] * 200}
    )
    report = lossreport.report(frame, by=[(NASTY,)], title=NASTY)
    gates = [
        Gate(name=NASTY, figure="mae", by=(NASTY,), max=0.1),
        Gate(figure="mae", by=(NASTY,), max=0.1, action="warn"),
        Gate(figure="mae", by=(NASTY,), max=9),
        Gate(figure="mae", max_change=0.1),
        Gate(figure="mae", max_change=0.1, undecided="pass"),
        Gate(findings=("LR010", "LR001")),
    ]
    return judge(report, gates)


REPORT = nasty()


def test_junit_has_the_elements_and_attributes_of_the_schema_and_counts_them() -> None:
    root = ElementTree.fromstring(to_junit(REPORT))
    counts = {"tests", "failures", "errors"}
    assert (root.tag, set(root.attrib)) == ("testsuites", {"name", "time", *counts})
    for suite in root:
        assert (suite.tag, set(suite.attrib)) == (
            "testsuite",
            {"name", "time", "skipped", *counts},
        )
        inside: Counter[str] = Counter()
        for case in suite:
            assert (case.tag, set(case.attrib)) == ("testcase", {"classname", "name", "time"})
            assert len(case) <= 1
            for child in case:
                inside[child.tag] += 1
                allowed = {"failure": {"message", "type"}, "error": {"message", "type"},
                           "skipped": {"message"}, "system-out": set()}  # fmt: skip
                assert set(child.attrib) == allowed[child.tag]
        assert int(suite.attrib["tests"]) == len(suite)
        assert int(suite.attrib["failures"]) == inside["failure"]
        assert int(suite.attrib["errors"]) == inside["error"]
        assert int(suite.attrib["skipped"]) == inside["skipped"]
    for name in counts:
        assert int(root.attrib[name]) == sum(int(s.attrib[name]) for s in root)
    gates, findings = root
    assert Counter(case[0].tag for case in gates) == {
        "failure": 2, "skipped": 3, "system-out": 3, "error": 2
    }  # fmt: skip
    assert len(findings) == len(REPORT.findings)
    assert not findings.findall("testcase/failure")


def test_junit_counts_the_checks_that_it_does_not_list() -> None:
    frame = pl.DataFrame({"actual": 1.0, "predicted": 2.0, "g": pl.Series(range(250))})
    frame = frame.with_columns(pl.lit(1.0).alias("actual"), pl.lit(2.0).alias("predicted"))
    report = judge(lossreport.report(frame, by="g"), [Gate(figure="mae", by=("g",), max=0)])
    suite = ElementTree.fromstring(to_junit(report))[0]
    assert len(suite) == 201
    assert suite[-1][0].attrib["message"] == "50 more checks of this gate."


SAMPLE = re.compile(r'(lossreport_[a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Read the exposition format; every series once, after its help and type."""
    found = {}
    helped: list[str] = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in helped
            helped.append(name)
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {helped[-1]} gauge"
        elif not line.startswith("#"):
            matched = SAMPLE.fullmatch(line)
            assert matched, line
            assert matched[1] == helped[-1]
            labels = frozenset(LABEL.findall(matched[2]))
            assert (matched[1], labels) not in found
            found[matched[1], labels] = float(matched[3])
    return found


def test_the_metrics_are_the_report_s_figures() -> None:
    report = lossreport.report(LOG, by="region", title="nightly")
    text = to_prometheus(report)
    assert text.endswith("\n")
    found = samples(text)
    overall = report.predictions[0].overall
    all_rows = frozenset({("log", "nightly"), ("predicted", "predicted_minutes")})
    for name in ("mae", "rmse", "ratio", "bias", "max_abs_error"):
        assert found[f"lossreport_{name}", all_rows] == getattr(overall, name)
    for group in report.predictions[0].groupings[0].groups:
        labels = all_rows | {("by", "region"), ("group", group.key[0] or "(missing)")}
        assert found["lossreport_group_mae", labels] == group.figures.mae
        assert found["lossreport_group_rows_scored", labels] == group.figures.n
    left_out = {dict(k[1])["reason"]: v for k, v in found.items() if k[0].endswith("left_out")}
    assert left_out == dict(report.rows.left_out)


def test_metrics_have_no_hostile_label_no_double_series_and_a_bounded_number() -> None:
    labels = [dict(key[1]) for key in samples(to_prometheus(REPORT))]
    assert all("\x1b" not in v for x in labels for v in x.values())
    assert {"0", "2"} <= {
        str(int(v))
        for (n, _), v in samples(to_prometheus(REPORT)).items()
        if n == "lossreport_gate_status"
    }
    long = ["x" * 300 + str(i % 2) + "y" * 300 for i in range(400)]
    many = [*long, *(str(i) for i in range(400))]
    frame = pl.DataFrame({"actual": [0.0] * 800, "predicted": np.arange(800) % 7.0, "g": many})
    found = samples(to_prometheus(lossreport.report(frame, by="g")))
    maes = [k for k in found if k[0] == "lossreport_group_mae"]
    assert len(maes) == MAX_GROUPS
    (untold,) = (v for k, v in found.items() if k[0] == "lossreport_groups_not_listed")
    assert untold == 402 - MAX_GROUPS


def test_figures_that_do_not_exist_have_no_metric() -> None:
    frame = pl.DataFrame(
        {"actual": [None, None], "predicted": [1.0, 2.0]},
        {"actual": pl.Float64, "predicted": pl.Float64},
    )
    found = samples(to_prometheus(lossreport.report(frame, by="")))
    assert "lossreport_mae" not in {name for name, _ in found}
    assert {v for (name, _), v in found.items() if name == "lossreport_rows_scored"} == {0.0}


def test_annotations_are_one_line_each_and_bounded() -> None:
    lines = to_annotations(REPORT).splitlines()
    for line in lines:
        assert re.fullmatch(r"::(error|warning) title=lossreport[ \w]*::[^\r\n]+", line), line
        assert not re.search(r"%(?!25|0A|0D)", line)
    kinds = Counter(line.split(" ")[0] for line in lines)
    assert kinds["::error"] == 4
    frame = pl.DataFrame(
        {"actual": [0.0] * 300, "predicted": [1.0] * 300, "g": [i % 30 for i in range(300)]}
    )
    report = judge(lossreport.report(frame, by="g"), [Gate(figure="mae", by=("g",), max=0)])
    errors = [x for x in to_annotations(report).splitlines() if x.startswith("::error")]
    assert len(errors) == MOST
    assert errors[-1].endswith("::21 more like these: see the report.")


def test_a_message_mentions_nobody_and_links_nowhere() -> None:
    body = json.loads(to_message(REPORT))
    assert list(body) == ["text"]
    text = body["text"]
    assert "<" not in text
    assert "@channel" not in text
    assert "https://" not in text
    assert "](" not in text
    assert "Of 6 gates, 3 failed, 1 warned and 2 passed" in text
    assert len(text) <= 3002


def test_the_table_of_gates_keeps_to_its_lines() -> None:
    table = gate_table(REPORT.gates)
    assert table.splitlines()[0].startswith("Of 6 gates, 3 failed")
    assert len(table.splitlines()) == 1 + 2 + 2 + 1 + 1 + 1
    assert "warned" not in "".join(gate_table(REPORT.gates, warnings=False).splitlines()[1:])
    assert "\x1b" not in table
    assert gate_table(()) == ""


def test_a_failed_gate_exits_with_3_after_everything_is_written(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "gates.toml"
    config.write_text(FAILS)
    out = tmp_path / "out"
    more = ("--junit", out / "j.xml", "--prometheus", out / "p.prom", "--markdown", out / "m.md")
    ran = run(LOG, "--config", config, *more)
    assert ran.code == 3
    assert [g["status"] for g in ran.json["gates"]] == ["failed", "passed"]
    assert {p.name for p in out.iterdir()} == {"out.html", "out.json", "j.xml", "p.prom", "m.md"}
    assert "Of 2 gates, 1 failed and 1 passed." in ran.err
    assert re.search(r"failed +MAE at most 1 +MAE is 2.18, above 1\.", ran.err)
    assert "Of 2 gates, 1 failed and 1 passed." in ran.out
    again = run(LOG, "--config", config, *more, "--quiet")  # what lossreport wrote it replaces
    assert (again.code, again.out) == (3, "")
    assert "above 1" in again.err
    config.write_text(FAILS.replace("max = 1\n", "max = 1\naction = 'warn'\n"))
    assert run(LOG, "--config", config).code == 0


def test_nothing_scored_stays_exit_code_5(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gates.toml").write_text(FAILS)
    (tmp_path / "log.csv").write_text("actual,predicted\n,1\n,2\n")
    ran = run(tmp_path / "log.csv", "--config", tmp_path / "gates.toml")
    assert ran.code == 5
    assert [g["undecided"] for g in ran.json["gates"]] == [1, 1]
    assert "undecided: failed" in ran.err


def test_annotations_come_in_github_s_jobs_or_when_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert "::warning" not in run(LOG).out
    assert "::warning title=lossreport LR018::" in run(LOG, "--annotations").out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::warning title=lossreport LR018::" in run(LOG).out
    assert "::warning" not in run(LOG, "--no-annotations").out
    assert run(LOG, "--quiet").out == ""
    assert "::warning" in run(LOG, "--quiet", "--annotations").out


def test_the_job_s_summary_is_appended_to(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    refused = run(LOG, "--summary")
    assert refused.code == 2
    assert "GITHUB_STEP_SUMMARY" in refused.err
    assert not list(refused.folder.iterdir())
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    assert run(LOG, "--summary").code == 0
    text = file.read_text("utf-8")
    assert text.startswith("before\n<!-- lossreport ")
    assert "## deliveries.parquet" in text
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "summary.md"))
    ran = run(LOG, "--summary")
    assert ran.code == 0
    assert "summary cannot be written: No such file or directory" in ran.err
