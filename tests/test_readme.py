"""The README cannot lie: its commands are run, its options and names compared."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

import lossreport
from lossreport import errors
from lossreport.cli import app
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
SETUP = [line for line in README.splitlines() if line.startswith("python3 -m venv .venv && ")]


def test_there_are_exactly_two_set_up_commands() -> None:
    assert len(SETUP) == 2
    install, test = (command.split(" && ") for command in SETUP)
    assert install[1] == ".venv/bin/pip install ."
    assert install[2].startswith(".venv/bin/lossreport report example_logs/")
    assert test[1:] == [".venv/bin/pip install -e '.[test]'", ".venv/bin/python -m pytest"]
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "grep '^python3 -m venv .venv && ' README.md" in ci


def test_the_main_job_of_the_first_command_runs_and_says_what_the_readme_says(
    tmp_path: Path,
) -> None:
    words = SETUP[0].split(" && ")[2].split()[1:]
    (tmp_path / "example_logs").symlink_to(ROOT / "example_logs")
    ran = subprocess.run(
        [sys.executable, "-m", "lossreport", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "report.html").stat().st_size > 50_000
    said = " ".join(ran.stdout.split())
    quoted = " ".join(re.findall(r"^> (.*)$", README, re.MULTILINE)).replace("**", "")
    for sentence in re.split(r"(?<=\w)\. (?=[A-Z])", quoted):
        assert sentence.removesuffix(".") in said, sentence


def test_every_option_is_in_the_readme_and_no_other() -> None:
    command = typer.main.get_command(app).commands["report"]
    options = {o for p in command.params for o in p.opts if o.startswith("--")}
    in_table = set(re.findall(r"^\| `(--[\w-]+)", README, re.MULTILINE))
    assert in_table == options


def test_the_other_commands_take_some_of_these_options() -> None:
    commands = typer.main.get_command(app).commands
    taken = {name: {o for p in c.params for o in p.opts} for name, c in commands.items()}
    assert set(commands) == set(re.findall(r"^lossreport (\w+) ", README, re.MULTILINE))
    assert taken["inspect"] < taken["report"]
    assert taken["profile"] - taken["report"] == {"--out", "-o"}


def test_the_exit_codes_are_those_that_there_are() -> None:
    (said,) = re.findall(r"^Exit codes: (.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and hasattr(k, "exit_code")]
    codes = {k.exit_code for k in kinds} | {0}
    for path in (ROOT / "lossreport" / "commands").glob("*.py"):
        names = vars(import_module(f"lossreport.commands.{path.stem}"))
        for code in re.findall(r"typer\.Exit\((\w+)\)", path.read_text("utf-8")):
            codes.add(int(names.get(code, code)))
    assert {0, 2, 4, 5, 130} <= codes
    assert {int(c) for c in re.findall(r"(?:^| )(\d+) [a-z]", said)} == codes


def test_how_to_read_the_page_names_its_sections() -> None:
    page = (ROOT / "docs" / "gallery" / "deliveries.html").read_text("utf-8")
    sections = re.findall(r'<h2 id="p0-(?!verdict).*?>(.*?)</h2>', page)
    (told,) = re.findall(r"^## How to read the page\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    bold = [words.lower() for words in re.findall(r"\*\*(.*?)\*\*", told)]
    assert len(sections) > 5
    assert {s.lower() for s in sections} <= set(bold)


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert str(names["html"]).startswith("<!doctype html>")


def test_files_that_the_readme_names_exist() -> None:
    for text in (ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")):
        links = re.findall(r"\]\((?!https?:)([^)]+)\)", text.read_text("utf-8"))
        assert links or text.name != "README.md" or text.parent != ROOT
        assert all((text.parent / link).exists() for link in links), text
    modules = re.findall(r"`([\w/]+\.py)`", README)
    assert modules
    assert all((ROOT / "lossreport" / module).exists() for module in modules)


def test_the_names_that_the_package_offers_are_there() -> None:
    for name in lossreport.__all__:
        assert getattr(lossreport, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lossreport.nothing


def test_no_module_hides_a_name_that_the_package_offers() -> None:
    modules = {path.stem for path in (ROOT / "lossreport").glob("*.py")}
    assert not modules & set(lossreport.__all__)
