"""Shared pieces: logs made on the spot, the command, and a browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Each process of tests has one core: the threads of two of them, and of their learners, would only
# wait for each other. Polars and the others look once, when they are imported.
for threads in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import hypothesis
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from typer.testing import CliRunner

from lossreport.cli import app
from lossreport.render import drawing
from tests.odd_logs import PAGES

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "example_logs"

hypothesis.settings.register_profile("default", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("default")


LABELS_OUTSIDE = """[...document.querySelectorAll('.ruler text')].filter(t => {
  const box = t.getBoundingClientRect();
  return box.width && (box.left < 0 || box.right > innerWidth);
}).map(t => t.textContent)"""
"""Gives the labels of the ruler that stand beyond the page's edges."""
BLANK = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


@pytest.fixture(autouse=True)
def _blank_charts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the charts blank, which take most of the time of a small log's report.

    Tests that look at charts are marked `charts`; those with a browser have them anyway.
    """
    if not any(map(request.node.get_closest_marker, ("browser", "charts"))):
        monkeypatch.setattr(drawing, "drawn", lambda _height, _plot: BLANK)


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


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the page of one of `odd_logs.PAGES`, made once."""
    made: dict[str, Path] = {}

    def find(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            words = [*map(str, PAGES[name](folder)), "--quiet", "--html", str(folder / "p.html")]
            ended = CliRunner().invoke(app, ["report", *words])
            assert ended.exit_code in (0, 5), ended.output
            made[name] = folder / "p.html"
        return made[name]

    return find


@pytest.fixture
def visit(chromium: Browser, page_of: Callable[[str], Path]) -> Iterator[Callable[..., Page]]:
    """Open a page of `odd_logs.PAGES`; fail on any other request, dialog, message or error."""
    trouble: list[str] = []
    contexts = []

    def open_page(name: str, width: int = 1280, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        own = page_of(name).as_uri()
        context.route(
            "**/*",
            lambda route: (
                route.continue_()
                if route.request.url == own
                else (trouble.append(f"request {route.request.url}"), route.abort())
            ),
        )
        page = context.new_page()
        page.on("dialog", lambda d: (trouble.append(f"dialog {d.message}"), d.dismiss()))
        page.on("console", lambda m: trouble.append(f"console {m.text}"))
        page.on("pageerror", lambda e: trouble.append(f"error {e}"))
        page.goto(own)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not trouble
