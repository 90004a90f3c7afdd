"""The recipes do what they say: each is checked by its own tool, and its commands are run."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import jsonschema
import pytest
import yaml

import lossreport
from tests.conftest import EXAMPLES, ROOT

RECIPES = ROOT / "docs" / "recipes"
FILES = sorted(p.name for p in RECIPES.iterdir() if p.name != "README.md")
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}


def text_of(name: str) -> str:
    return (RECIPES / name).read_text("utf-8")


def tool(*words: object) -> str:
    """Run a program of this environment, and return what it says; it must end with 0."""
    ran = subprocess.run([*map(str, words)], env=ENVIRONMENT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("name", FILES)
def test_a_recipe_is_short_says_what_it_does_and_is_in_the_list(name: str) -> None:
    lines = text_of(name).splitlines()
    assert len(lines) < 40
    first = next(line for line in lines if not line.startswith("#!"))
    assert re.match(r'(#|//|""") ?\S', first)
    assert f"]({name})" in text_of("README.md")


def test_the_exit_codes_are_those_of_the_package() -> None:
    codes = dict(re.findall(r"^\| (\d) \| ([^|]+) \|", text_of("README.md"), re.MULTILINE))
    assert list(codes) == ["0", "1", "2", "3", "4", "5"]
    assert lossreport.UsageError.exit_code == 2
    assert lossreport.UnreadableLogError.exit_code == 4


def nightly(log: Path, pages: Path, *day: str) -> subprocess.CompletedProcess[str]:
    words = ["sh", str(RECIPES / "nightly.sh"), str(log), str(pages), *day]
    return subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True)


def test_nightly_keeps_every_night_and_ends_with_the_code_of_the_report(tmp_path: Path) -> None:
    pages = tmp_path / "pages of nights"
    for day in "2026-11-25", "2026-11-26", "2026-11-26":
        ran = nightly(EXAMPLES / "apples.csv", pages, day)
        assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1 and no more")
    (pages / "index.html").unlink()
    ran = nightly(bad, pages, "2026-11-27")
    assert ran.returncode == 4
    assert "bad.parquet" in ran.stderr
    index = (pages / "index.html").read_text("utf-8")
    links = re.findall(r'<a href="([^"#]+)"', index)
    assert links == ["2026-11-26/report.html", "2026-11-25/report.html"]
    assert (pages / "2026-11-26" / "night.profile.parquet").is_file()
    (pages / "index.html").write_text("mine")
    assert nightly(bad, pages, "2026-11-27").returncode == 4, "of the report, not of the index"
    assert nightly(EXAMPLES / "apples.csv", pages, "2026-11-27").returncode == 2
    (pages / "index.html").unlink()
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("actual,predicted\n,1\n,2\n", "utf-8")
    assert nightly(nothing, pages, "2026-11-28").returncode == 5


def test_nightly_is_a_clean_script(tmp_path: Path) -> None:
    tool("sh", "-n", RECIPES / "nightly.sh")
    assert os.access(RECIPES / "nightly.sh", os.X_OK)
    if shutil.which("shellcheck"):
        tool("shellcheck", RECIPES / "nightly.sh")


def test_the_crontab_is_one() -> None:
    lines = [x for x in text_of("crontab").splitlines() if x and not x.startswith("#")]
    variables, commands = lines[:-1], lines[-1:]
    assert all(re.fullmatch(r"[A-Z]+=\S+", x) for x in variables)
    for command in commands:
        minute, hour, *days, program, _, _ = command.split()
        assert minute.isdigit()
        assert int(minute) < 60
        assert hour.isdigit()
        assert int(hour) < 24
        assert days == ["*"] * 3
        assert Path(program).name == "nightly.sh"
        assert "%" not in command  # which cron takes for a line end
    assert text_of("crontab").endswith("\n")  # or cron ignores the last line


def test_the_systemd_units_are_valid(tmp_path: Path) -> None:
    units = {n: text_of(n) for n in ("lossreport.service", "lossreport.timer")}
    parsed = {n: configparser.ConfigParser(delimiters="=", interpolation=None) for n in units}
    for name, unit in units.items():
        parsed[name].read_string(unit)
    service = parsed["lossreport.service"]["Service"]
    assert service["Type"] == "oneshot"
    assert set(service["RestartPreventExitStatus"].split()) == {"1", "2", "3", "5"}
    assert service["ReadWritePaths"] == service["ExecStart"].split()[-1]
    assert parsed["lossreport.timer"]["Timer"]["OnCalendar"] == "*-*-* 02:30:00"
    if not shutil.which("systemd-analyze"):
        return
    shutil.copy(RECIPES / "nightly.sh", tmp_path)
    for name, unit in units.items():
        here = unit.replace("/opt/lossreport/nightly.sh", str(tmp_path / "nightly.sh"))
        (tmp_path / name).write_text(here, "utf-8")
    said = tool("systemd-analyze", "verify", *(tmp_path / n for n in units))
    assert str(tmp_path) not in said  # it only warns of keys that it does not know
    tool("systemd-analyze", "calendar", parsed["lossreport.timer"]["Timer"]["OnCalendar"])


class FailError(Exception):
    """Stands for AirflowFailException: no retry."""


@pytest.mark.parametrize(
    ("code", "raised"),
    [(0, None), (1, FailError), (2, FailError), (3, FailError), (4, RuntimeError), (5, FailError)],
)
def test_the_airflow_dag_tries_again_only_where_that_helps(monkeypatch, code, raised) -> None:
    """Airflow itself is too large for a test: stand-ins take its place."""
    made: dict[str, object] = {}

    def dag(**options):
        made["dag"] = options
        return lambda function: function

    def task(**options):
        def register(function):
            made.update(task=function, options=options)
            return lambda: made.update(called=True)

        return register

    def run(words, **options):
        made["words"] = words
        return SimpleNamespace(returncode=code, stderr="why")

    modules = {
        "airflow": {}, "airflow.sdk": {"dag": dag, "task": task},
        "airflow.exceptions": {"AirflowFailException": FailError},
    }  # fmt: skip
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(subprocess, "run", run)
    exec(compile(text_of("airflow_dag.py"), "airflow_dag.py", "exec"), {})
    assert made["called"]
    assert made["dag"]["schedule"] == "30 2 * * *"
    assert made["options"] == {"retries": 3, "retry_delay": timedelta(minutes=10)}
    if raised is None:
        assert made["task"](ds="2026-11-26") == "/srv/reports/2026-11-26/report.html"
        assert made["words"][1:] == ["/srv/predictions/2026-11-26.parquet", "/srv/reports", "2026-11-26"]  # fmt: skip
    else:
        with pytest.raises(raised, match="why"):
            made["task"](ds="2026-11-26")


def test_yaml_is_clean() -> None:
    rules = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, braces: disable, truthy: {check-keys: false}, comments: {min-spaces-from-content: 1}}}"
    tool(sys.executable, "-m", "yamllint", "--strict", "-d", rules, *RECIPES.glob("*.y*ml"))


@pytest.mark.parametrize(
    ("name", "schema"),
    [("github-actions.yml", "vendor.github-workflows"), ("gitlab-ci.yml", "vendor.gitlab-ci")],
)
def test_a_pipeline_is_valid_by_its_published_schema(tmp_path: Path, name, schema) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    tool(*check, RECIPES / name)
    broken = tmp_path / name
    broken.write_text(text_of(name).replace("steps:", "stepz:").replace("when: always", "when: x"))
    ran = subprocess.run([*check, str(broken)], capture_output=True, text=True)
    assert ran.returncode == 1


def github_commands() -> tuple[str, ...]:
    steps = yaml.safe_load(text_of("github-actions.yml"))["jobs"]["report"]["steps"]
    return tuple(s["run"] for s in steps if "run" in s)


def gitlab_commands() -> tuple[str, ...]:
    return tuple(yaml.safe_load(text_of("gitlab-ci.yml"))["losses"]["script"])


def jenkins_commands() -> tuple[str, ...]:
    return tuple(re.findall(r"script: '(.*)',", text_of("Jenkinsfile")))


@pytest.mark.parametrize(
    ("commands", "written"),
    [(github_commands, ["report.html", "report.json", "summary.md"]),
     (gitlab_commands, ["report.html", "report.json"]),
     (jenkins_commands, ["out/report.html", "out/report.json"])],
)  # fmt: skip
def test_the_commands_of_a_pipeline_run(tmp_path: Path, commands, written) -> None:
    (tmp_path / "predictions").mkdir()
    shutil.copy(EXAMPLES / "apples.csv", tmp_path / "predictions")
    environment = {**ENVIRONMENT, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    assert commands()
    for command in commands():
        ran = subprocess.run(
            ["sh", "-ec", command], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
    for name in written:
        assert (tmp_path / name).stat().st_size > 100


def test_what_a_pipeline_keeps_is_what_its_commands_write() -> None:
    github = yaml.safe_load(text_of("github-actions.yml"))["jobs"]["report"]["steps"][-1]
    gitlab = yaml.safe_load(text_of("gitlab-ci.yml"))["losses"]
    assert github["with"]["path"].split() == gitlab["artifacts"]["paths"]
    assert (gitlab["allow_failure"]["exit_codes"], gitlab["retry"]["exit_codes"]) == ([5], [4])
    assert all(f" {p}" in gitlab_commands()[0] for p in gitlab["artifacts"]["paths"])


def test_the_jenkinsfile_is_whole() -> None:
    """No tool for it can be had without Jenkins: brackets, quotes, and what must be there."""
    code = re.sub(r"^//.*$|'[^']*'|\"[^\"]*\"", "", text_of("Jenkinsfile"), flags=re.MULTILINE)
    assert not set("'\"") & set(code)
    open_ones = []
    for character in code:
        if character in "({[":
            open_ones.append(character)
        elif character in ")}]":
            assert open_ones.pop() + character in ("()", "{}", "[]")
    assert not open_ones
    for block in (
        r"pipeline \{",
        r"agent \{",
        r"stages \{",
        r"steps \{",
        r"post \{",
        r"publishHTML\(",
    ):
        assert len(re.findall(block, code)) == 1, block
    assert "sandbox allow-same-origin; default-src 'none'" in text_of("Jenkinsfile")


def test_the_cronjob_is_valid_by_the_schema_of_kubernetes() -> None:
    data = ROOT / "tests" / "data" / "kubernetes-cronjob-1.37.schema.json"
    schema = json.loads(data.read_text("utf-8"))
    job = yaml.safe_load(text_of("kubernetes-cronjob.yaml"))
    check = jsonschema.Draft202012Validator(schema)
    assert not [e.message for e in check.iter_errors(job)]
    spec = job["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # which a policy for failures needs
    assert spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [1, 2, 3, 5]
    mounted = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    assert set(mounted) == {v["name"] for v in pod["volumes"]}
    command = pod["containers"][0]["command"]
    assert command[1].startswith(mounted["logs"])
    assert command[2] == mounted["reports"]
    spec["backofflimit"] = 1
    assert [e.message for e in check.iter_errors(job)]


def test_the_dockerfile_is_clean_and_copies_what_is_there() -> None:
    lines = text_of("Dockerfile").splitlines()
    copied = [x.split()[1] for x in lines if x.startswith("COPY ") and "--from" not in x]
    assert copied == [".", "docs/recipes/nightly.sh"]
    assert all((ROOT / c).exists() for c in copied)
    assert sum(x.startswith("FROM ") for x in lines) == 2
    assert json.loads(next(x for x in lines if x.startswith("ENTRYPOINT")).split(" ", 1)[1])
    if (BIN / "hadolint").exists():
        tool(BIN / "hadolint", RECIPES / "Dockerfile")


def test_the_user_of_the_image_is_that_of_the_cronjob() -> None:
    pod = yaml.safe_load(text_of("kubernetes-cronjob.yaml"))["spec"]["jobTemplate"]["spec"]
    user = pod["template"]["spec"]["securityContext"]["runAsUser"]
    assert f"USER {user}\n" in text_of("Dockerfile")


def test_the_mlflow_recipe_logs_the_figures_of_the_report(monkeypatch) -> None:
    logged: dict[str, object] = {}

    class Run:
        info = SimpleNamespace(run_id="r1")

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

    module = ModuleType("mlflow")
    vars(module).update(
        start_run=Run, log_params=logged.update, log_metrics=logged.update,
        set_tag=logged.__setitem__, log_text=lambda text, name: logged.update({name: text}),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "mlflow", module)
    names: dict[str, object] = {"__name__": "recipe"}
    exec(compile(text_of("log_to_mlflow.py"), "log_to_mlflow.py", "exec"), names)
    log = EXAMPLES / "apples.csv"
    assert names["log_report"](str(log)) == "r1"
    assert logged["mae"] == pytest.approx(20 / 3)
    assert logged["rmse"] == pytest.approx(50**0.5)
    assert logged["bias"] == pytest.approx(-10 / 3)
    assert logged["report.html"] == lossreport.render_page(lossreport.report(log))
    assert json.loads(logged["report.json"])["rows"]["scored"] == 3
    assert "3 rows" in logged["lossreport.verdict"]


@pytest.mark.skipif(find_spec("mlflow") is None, reason="pip install mlflow-skinny: 140 MB")
def test_the_mlflow_recipe_runs_with_mlflow(tmp_path: Path) -> None:
    environment = {
        **ENVIRONMENT, "MLFLOW_TRACKING_URI": (tmp_path / "runs").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, str(RECIPES / "log_to_mlflow.py"), str(EXAMPLES / "apples.csv")],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    run = tmp_path / "runs" / "0" / ran.stdout.split()[-1]
    assert float((run / "metrics" / "mae").read_text().split()[1]) == pytest.approx(20 / 3)
    assert (run / "artifacts" / "report.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith(".py")])
def test_python_recipes_say_what_they_are(name: str) -> None:
    assert ast.get_docstring(ast.parse(text_of(name)))
