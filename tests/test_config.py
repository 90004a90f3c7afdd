"""The configuration: gates and defaults, their order of precedence, errors with key and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import typer

from lossreport.cli import app
from lossreport.commands.config import EXAMPLE
from lossreport.errors import UsageError
from lossreport.gates.config import COMMANDS, find_config, read_config
from lossreport.gates.gate import Gate
from lossreport.gates.toml_lines import line_of
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]
LOG = EXAMPLES / "apples.csv"


def read(tmp_path: Path, text: str, name: str = "lossreport.toml") -> tuple[Gate, ...]:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return read_config(path).gates


def test_a_gate_is_what_its_table_says(tmp_path: Path) -> None:
    text = """
    [[gates]]
    name = "store 12"
    figure = "left_out_share"
    by = "region, model"
    group = ["emea", "(missing)"]
    predicted = "p"
    max = "2.5%"
    min_change = "-10%"
    min_rows = 30
    action = "warn"

    [[gates]]
    findings = "LR016"
    severity = "warning"
    undecided = "pass"
    """
    first, second = read(tmp_path, text)
    assert first == Gate(
        name="store 12", figure="left_out_share", by=("region", "model"),
        group=("emea", "(missing)"), predicted="p", max=0.025, min_change=-0.1, min_rows=30,
        action="warn", undecided="warn",
    )  # fmt: skip
    assert second == Gate(findings=("LR016",), severity="warning", undecided="pass")


@pytest.mark.parametrize(
    ("lines", "at", "says"),
    [
        ('figure = "mea"\nmax = 1', 2, "gates[1].figure: there is no such figure; did you mean"),
        ('figure = "mae"\nmaxx = 1', 3, "gates[1].maxx: a gate has no such key; did you mean max"),
        ('figure = "mae"\nmax = nan', 3, "max: write a finite number"),
        ('figure = "mae"\nmax = inf', 3, "max: write a finite number"),
        ('figure = "mae"\nmax = true', 3, "max: write a finite number"),
        ('figure = "mae"\nmax = "5%"', 3, "max: write a finite number"),
        ('figure = "mae"\nmax_change = 0.1', 3, "max_change: write a change"),
        ('figure = "n"\nmax_change = "10%"', 3, "max_change: only mae, rmse, ratio, bias"),
        ('figure = "mae"', 2, "figure: a figure needs a limit"),
        ('figure = "mae"\nmin = 2\nmax = 1', 1, "nothing can meet this"),
        ('figure = "lift"\nmax = 1', 2, "only groups have this figure"),
        ('figure = "mae"\nmax = 1\nby = ["a"]\ngroup = ["b", "c"]', 5, "for each column of by: 1"),
        ('figure = "mae"\nmax = 1\ngroup = "b"', 4, "group: a group has a value"),
        ('figure = "mae"\nmax = 1\nfindings = ["LR001"]', 4, "make two of it"),
        ('findings = ["LR001"]\nmin_rows = 5', 3, "this goes with a figure"),
        ('findings = ["LR001",\n  3]', 2, "findings: write a text in quotes"),
        ("findings = []", 2, "findings: write a text in quotes"),
        ('severity = "fatal"', 2, "choose one of error, warning, info"),
        ('figure = "mae"\nmax = 1\nundecided = "ignore"', 4, "choose one of fail, warn, pass"),
        ('figure = "mae"\nmax = 1\nmin_rows = -1', 4, "a whole number of rows"),
        ("name = 3", 2, "name: this is a number; write a text"),
        ('name = "x"', 1, "a gate needs a figure, or findings"),
    ],
)
def test_errors_name_key_and_line(tmp_path: Path, lines: str, at: int, says: str) -> None:
    for ends in ("\n", "\r\n"):
        text = f"[[gates]]\n{lines}\n[[gates]]\nfindings = ['LR001']\n".replace("\n", ends)
        with pytest.raises(UsageError) as error:
            read(tmp_path, text)
        assert f"lossreport.toml, line {at}: gates[1]" in str(error.value)
        assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[gates]\nfigure = 'mae'", "line 1: gates: this is a table; write each gate as [[gates]]"),
        ("[[gate]]\nfigure = 'mae'", "line 1: gate: there is no such table; did you mean gates"),
        ("[[report]]\nby = 'a'", "report: this is a list; write a table [report]"),
        ("a = \n", "no valid TOML: Invalid value (at line 1"),
        ("\ufffe", "no valid TOML"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        read(tmp_path, text)
    assert says in str(error.value)


def test_a_configuration_that_is_not_there_or_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: No such file"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_config(tmp_path / "latin.toml")


def test_the_line_is_that_where_a_value_begins() -> None:
    text = '# c\n[a]\nb = """\nb = 1\n"""\nc = [\n 1,\n]\n[[d]]\ne = 1\n[[d]]\ne.f = 2\n'
    paths = [("a",), ("a", "b"), ("a", "c"), ("d", 0, "e"), ("d", 1), ("d", 1, "e", "f")]
    assert [line_of(text, p) for p in paths] == [2, 3, 6, 10, 11, 12]
    assert line_of(text, ("a", "z")) is None


def test_pyproject_has_a_table_of_it(tmp_path: Path) -> None:
    assert find_config(tmp_path) is None
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\n")
    assert find_config(tmp_path) is None
    with pytest.raises(UsageError, match=r"no table \[tool.lossreport\]"):
        read_config(project)
    text = "[tool.lossreport.report]\nunit = 'kg'\n[[tool.lossreport.gates]]\nfigure = 'mae'\n"
    project.write_text(text + "max = 2\n")
    assert find_config(tmp_path) == project
    assert read_config(project).gates == (Gate(figure="mae", max=2.0),)
    assert read_config(project).options["report"] == {"unit": "kg"}
    with pytest.raises(UsageError, match=r"line 4: tool\.lossreport\.gates\[1\]\.figure"):
        read(tmp_path, text, "pyproject.toml")
    (tmp_path / "lossreport.toml").write_text("")
    assert find_config(tmp_path) == tmp_path / "lossreport.toml"


def test_the_command_line_comes_first_then_variables_then_the_configuration(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lossreport.toml").write_text("[report]\nunit = 'kg'\nworst = 1\nby = ''\n")
    ran = run(LOG)
    assert ran.json["unit"] == "kg"
    assert "Defaults and gates of lossreport.toml" in ran.out
    assert len(run(LOG).json["predictions"][0]["worst_rows"]) == 1
    monkeypatch.setenv("LOSSREPORT_UNIT", "lb")
    assert run(LOG).json["unit"] == "lb"
    assert run(LOG, "--unit", "g").json["unit"] == "g"
    monkeypatch.delenv("LOSSREPORT_UNIT")
    assert run(LOG, "--config", "").json["unit"] is None
    other = tmp_path / "other.toml"
    other.write_text("[report]\nunit = 't'\n")
    monkeypatch.setenv("LOSSREPORT_CONFIG", str(other))
    assert run(LOG).json["unit"] == "t"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("untis = 'kg'", "report.untis: there is no such option; did you mean unit"),
        ("worst = 'many'", "report.worst: input should be a valid integer"),
        ("worst = -1", "report.worst: input should be greater than or equal to 0"),
        ("worst = true", "report.worst: this is true or false, which"),
        ("force = 'yes'", "report.force: this is a text, which"),
        ("goal = 'best'", "report.goal: 'best' is not one of 'totals'"),
        ("by = 2026-01-01", "report.by: this is a date or time"),
        ("by = [['a']]", "report.by: this is a list"),
        ("config = 'x.toml'", "report.config: there is no such option"),
        ("notify = ['https://example.org/SECRET']", "report.notify: this is a list"),
    ],
)
def test_wrong_defaults_are_refused_with_their_line(
    run: Run, tmp_path: Path, line: str, says: str
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f"[report]\n{line}\n")
    for ran in (run(LOG, "--config", path), run("check", path, command="config", outputs=False)):
        assert ran.code == 2
        assert f"c.toml, line 2: {says}" in ran.err
        assert "SECRET" not in ran.err
    assert not list(ran.folder.iterdir())


def test_the_example_is_valid_and_check_says_what_it_asks_for(run: Run, tmp_path: Path) -> None:
    shown = run("example", command="config", outputs=False)
    assert (shown.code, shown.out.strip()) == (0, EXAMPLE.strip())
    (tmp_path / "c.toml").write_text(shown.out)
    ran = run("check", tmp_path / "c.toml", command="config", outputs=False)
    assert ran.code == 0
    assert "6 gates, 3 defaults of options, 1 pinned night; nothing wrong" in ran.out
    assert "RMSE where region = emea change at most +10% (fail)" in ran.out


def test_pins_are_days_by_name(tmp_path: Path) -> None:
    path = tmp_path / "lossreport.toml"
    path.write_text('[pins]\nrelease-4 = 2026-11-01\n"after the move" = "2026-11-03"\n')
    assert read_config(path).pins == {
        "release-4": date(2026, 11, 1), "after the move": date(2026, 11, 3),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pins = 3", "line 1: pins: this is a number; write a table [pins]"),
        ("[pins]\na = 2026-11-01\nb = 4", "line 3: pins.b: write a night's day"),
        ("[pins]\na = 2026-11-01T10:00:00", "line 2: pins.a: write a night's day"),
        ("[pins]\na = 'yesterday'", "line 2: pins.a: write a night's day"),
        ("[pin]\na = 2026-11-01", "line 1: pin: there is no such table; did you mean pins?"),
    ],
)
def test_wrong_pins_are_named_with_their_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "lossreport.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=re.escape(says)):
        read_config(path)


def test_check_without_a_configuration_says_where_it_looked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("check", command="config", outputs=False)
    assert ran.code == 2
    assert "neither lossreport.toml nor pyproject.toml" in ran.err


def test_every_command_with_a_log_takes_defaults_and_variables() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    with_config = {n for n, c in commands.items() if any(p.name == "config" for p in c.params)}
    assert with_config == set(COMMANDS)
    prefixes = {n: c.context_settings.get("auto_envvar_prefix") for n, c in commands.items()}
    assert prefixes.pop("history") is None, "no variable says what is deleted"
    assert set(prefixes.values()) == {"LOSSREPORT"}
