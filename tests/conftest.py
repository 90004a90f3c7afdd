"""Shared pieces: logs made on the spot, the command, and a browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright
from typer.testing import CliRunner

from lossreport.cli import app

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "example_logs"

hypothesis.settings.register_profile("default", deadline=None, derandomize=True)
hypothesis.settings.load_profile("default")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def json(self) -> dict[str, Any]:
        return json.loads((self.folder / "out.json").read_text("utf-8"))

    @property
    def html(self) -> str:
        return (self.folder / "out.html").read_text("utf-8")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ran]:
    """Run `lossreport report LOG...` with --html and --json in a folder of its own."""
    out = tmp_path / "out"
    out.mkdir()

    def run_report(*arguments: object, command: str = "report", outputs: bool = True) -> Ran:
        words = [command, *map(str, arguments)]
        if outputs:
            words += ["--html", str(out / "out.html"), "--json", str(out / "out.json")]
        result = CliRunner().invoke(app, words)
        crashed = result.exception and not isinstance(result.exception, SystemExit)
        if crashed:
            raise result.exception
        assert "Traceback" not in result.output
        assert not list(out.glob(".*")), "a temporary file was left"
        return Ran(result.exit_code, result.stdout, result.stderr, out)

    return run_report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("LOSSREPORT_NO_SKIP"):
            pytest.fail("Chromium is not installed, and no test may be skipped here")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync", "--no-first-run"],
        )  # fmt: skip
        yield browser
        browser.close()
