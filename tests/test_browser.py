"""What the page promises in a real browser: nothing loaded, nothing run, nothing cut or hidden."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page
from typer.testing import CliRunner

from lossreport.cli import app
from lossreport.formats import group_name, visible
from tests.conftest import LABELS_OUTSIDE
from tests.odd_logs import COLUMNS, EXAMPLES, FILE, HOSTILE, PAGES, TITLE, UNIT

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
STRICT = "sandbox; default-src 'none'; img-src 'self'; style-src 'self'"
MARGIN = 14 / 25.4 * 72
"""Of a printed page, in points."""


@pytest.mark.parametrize("name", PAGES)
def test_using_all_of_a_page_asks_for_nothing_and_goes_wrong_nowhere(
    visit: Visit, name: str
) -> None:
    page = visit(name)
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    page.eval_on_selector_all(
        "button:not(.copy), [type=checkbox]", "all => all.forEach(e => e.click())"
    )
    for box in page.locator("[type=search]").all():
        box.fill("<img src=x onerror=alert(1)>")
    page.locator("main").hover()
    assert page.locator("h1").count() == 1


def test_hostile_text_makes_no_element_and_all_of_it_can_be_read(visit: Visit) -> None:
    page = visit("hostile")
    assert page.locator("main img, main [onclick], [onerror], [onload]").count() == 0
    assert page.locator("script").count() == 1
    said = page.evaluate("[...document.querySelectorAll('bdi')].map(e => e.title || e.textContent)")
    for value in HOSTILE:
        assert group_name((COLUMNS[2],), (value,)) in said
    tokens = page.locator("[aria-labelledby$=tokens] bdi")
    assert tokens.count() > 2
    assert set(tokens.all_text_contents()) <= {visible(v[:60], 60) for v in HOSTILE}
    for column in COLUMNS:
        assert visible(column) in said
    assert page.locator("h1").text_content() == visible(TITLE)
    text = page.locator("main").text_content() or ""
    assert visible(UNIT) in text
    assert FILE in text
    assert not re.search("[\u202a-\u202e\x00-\x08\x0b\x1b]", text)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_never_scrolls_sideways(visit: Visit, name: str) -> None:
    page = visit(name)
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    for width in (1280, 768, 640, 320):  # 640 is a window of 1280 at 200 % zoom
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.body.scrollWidth") <= width
        assert page.evaluate(LABELS_OUTSIDE) == []


def _numbers(cells: Locator) -> list[float]:
    texts = [t.strip() for t in cells.all_text_contents()]
    plain = (re.sub("[,%≥<+]", "", t).replace("\u2212", "-") for t in texts if t != "\u2013")
    return [float(t) for t in plain]


def _tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus is on the wanted element."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    pytest.fail(f"no way to {wanted} by keyboard")


def test_groups_are_sorted_and_filtered_by_keyboard(visit: Visit) -> None:
    page = visit("sources")
    rows, all_rows = page.locator("table.groups tbody tr"), ".groups tbody tr:visible"
    every = rows.count()
    _tab_to(page, ".tools input[type=search]")
    page.keyboard.type("MODEL = ")
    assert 0 < page.locator(all_rows).count() < every
    assert page.locator(".found").inner_text().startswith(f"{page.locator(all_rows).count()} of")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    assert page.locator(all_rows).count() == every
    page.locator(".tools input[type=search]").fill("region = ")
    assert page.locator(all_rows).count() == 6
    page.locator(".tools input[type=checkbox]").check()
    assert page.locator(all_rows).count() == 1
    assert page.locator(".found").inner_text() == "1 of 49 groups shown"
    page.locator(".tools input[type=checkbox]").uncheck()
    page.locator(".tools input[type=search]").fill("")
    _tab_to(page, "th:nth-child(6) button")
    for direction in ("descending", "ascending"):
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == direction
        values = _numbers(rows.locator("td:nth-child(6)"))
        assert values == sorted(values, reverse=direction == "descending")
    assert len(values) == every


def test_every_column_sorts_by_mouse_and_what_is_missing_comes_last(visit: Visit) -> None:
    page = visit("private")
    before = sorted(page.locator("table.groups tbody tr").all_text_contents())
    for column in range(1, 17):
        heading = page.locator(f"table.groups thead th:nth-child({column})")
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == "descending"
        assert page.locator("th[aria-sort]").count() == 1
        cells = page.locator(f"table.groups tbody tr > :nth-child({column})")
        missing = [t.strip() == "\u2013" for t in cells.all_text_contents()]
        assert missing == sorted(missing)
        if column not in (1, 2, 16):
            values = _numbers(cells)
            assert values == sorted(values, reverse=True)
    assert sorted(page.locator("table.groups tbody tr").all_text_contents()) == before


def test_charts_follow_the_theme(visit: Visit) -> None:
    page = visit("sources", color_scheme="light")
    stroke = "getComputedStyle(document.querySelector('svg.chart .orange-stroke')).stroke"
    assert page.evaluate(stroke) == "rgb(196, 78, 0)"
    page.locator("#theme").click()
    assert page.evaluate(stroke) == "rgb(255, 154, 87)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(stroke) == "rgb(255, 154, 87)"
    page.locator("#theme").click()
    assert page.evaluate(stroke) == "rgb(196, 78, 0)"


CHARTS = """() => [...document.querySelectorAll('figure')].map(figure => ({
  svgs: figure.querySelectorAll('svg.chart').length,
  role: figure.querySelector('svg').getAttribute('role'),
  title: figure.querySelector('svg > title').textContent,
  description: figure.querySelector('svg > desc').textContent,
  heading: figure.querySelector('h3').textContent,
  header: figure.querySelectorAll('details table thead th').length,
  rows: [...figure.querySelectorAll('details table tbody tr')].map(row => row.children.length),
}))"""


@pytest.mark.parametrize("name", PAGES)
def test_every_chart_is_named_and_described_and_has_its_numbers(visit: Visit, name: str) -> None:
    page = visit(name)
    charts = page.evaluate(CHARTS)
    assert len(charts) == page.locator("svg.chart").count()
    for chart in charts:
        assert chart["svgs"] == 1
        assert chart["role"] == "img"
        assert chart["title"] == chart["heading"]
        assert len(chart["description"]) > len(chart["title"])
        assert set(chart["rows"]) == {chart["header"]}


@pytest.mark.parametrize("name", ["sources", "hostile", "no_row"])
def test_without_scripts_nothing_is_missing(visit: Visit, name: str) -> None:
    with_scripts, page = visit(name), visit(name, java_script_enabled=False)
    for what in ("main > section", "h2", "h3", "table", "tbody tr", "svg", "details", "p"):
        assert page.locator(what).count() == with_scripts.locator(what).count()
    for what in ("section", "h2", "svg.chart", ".groups tbody tr"):
        assert page.locator(f"{what}:visible").count() == page.locator(what).count()
    assert page.locator("button:visible, input:visible").count() == 0
    assert page.locator("details > summary:first-child").count() == page.locator("details").count()
    provenance = page.locator("main details").last
    assert not provenance.locator("dl").is_visible()
    provenance.locator("summary").click()
    assert provenance.locator("dl").is_visible()


@pytest.fixture
def strict_server(page_of: Callable[[str], Path]) -> Iterator[str]:
    """Serve the page of the sources under the policy with which Jenkins serves reports."""
    html = page_of("sources").read_bytes()

    class Strict(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", STRICT)
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Strict)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_under_a_strict_policy_charts_have_their_colours(
    chromium: Browser, strict_server: str
) -> None:
    page = chromium.new_page(viewport={"width": 1000, "height": 900})
    page.goto(strict_server)
    assert page.locator(".groups tbody tr:visible").count() == 49
    charts = page.locator("svg.chart")
    assert charts.count() == 11
    for chart in charts.all():
        picture = Image.open(io.BytesIO(chart.screenshot())).convert("RGB")
        pixels = picture.width * picture.height
        near: dict[str, float] = dict.fromkeys(("white", "black", "blue", "orange"), 0.0)
        palette = {
            "white": (255, 255, 255), "black": (0, 0, 0), "blue": (0, 114, 178),
            "orange": (196, 78, 0),
        }  # fmt: skip
        for n, colour in picture.getcolors(pixels) or []:
            for name, wanted in palette.items():
                if max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 20:
                    near[name] += n / pixels
        assert near["white"] > 0.4
        assert near["black"] < 0.02
        assert near["blue"] + near["orange"] > 0.001
    page.close()


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        if os.environ.get("LOSSREPORT_NO_SKIP"):
            pytest.fail(f"{name} (poppler-utils) is not installed, and no test may be skipped here")
        pytest.skip(f"{name} (poppler-utils) is not installed")
    return path


@pytest.fixture(scope="module", params=["sources", "models", "no_row", "hostile"])
def printed(
    request: pytest.FixtureRequest,
    chromium: Browser,
    page_of: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Page, Path]]:
    """Print a page on A4."""
    page = chromium.new_page()
    page.goto(page_of(request.param).as_uri())
    pdf = tmp_path_factory.mktemp("print") / "p.pdf"
    page.pdf(path=pdf, prefer_css_page_size=True, print_background=True)
    yield page, pdf
    page.close()


def _joined(text: str) -> str:
    """Return text as letters alone: a print breaks lines, and words where it must."""
    return re.sub(r"[\W_]", "", text)


def test_all_is_on_paper(printed: tuple[Page, Path]) -> None:
    page, pdf = printed
    text = subprocess.run(
        [_tool("pdftotext"), "-raw", pdf, "-"], capture_output=True, check=True, text=True
    ).stdout
    on_paper = _joined(text)
    shown = "main :is({}):not(figure details *):not(nav *)"
    wanted = page.locator(shown.format("h2, h3, a, th:last-child, tbody tr > td:last-child"))
    texts = [t for t in map(_joined, wanted.all_text_contents()) if t and len(t) < 500]
    assert len(texts) > 40
    assert [t for t in texts if t not in on_paper] == []


def test_nothing_is_cut_on_paper(printed: tuple[Page, Path], tmp_path: Path) -> None:
    _, pdf = printed
    boxes = subprocess.run(
        [_tool("pdftotext"), "-bbox", pdf, "-"], capture_output=True, check=True, text=True
    ).stdout
    width = float(re.search(r'<page width="([\d.]+)"', boxes)[1])
    assert width == pytest.approx(595, abs=1)  # A4
    words = re.findall(r'xMin="([-\d.]+)".*? xMax="([-\d.]+)".*?>(.*?)</word>', boxes)
    outside = [w for a, b, w in words if float(a) < MARGIN - 1 or float(b) > width - MARGIN + 1]
    assert outside == []
    subprocess.run([_tool("pdftoppm"), "-r", "50", pdf, tmp_path / "p"], check=True)
    pictures = sorted(tmp_path.glob("p*.ppm"))
    assert pictures
    for path in pictures:
        with Image.open(path) as picture:
            right = picture.crop(
                (picture.width - int(MARGIN * 50 / 72) + 2, 0, picture.width, picture.height)
            )
            assert right.getextrema() == ((255, 255),) * 3


def test_a_section_does_not_part_from_its_heading_on_paper(
    chromium: Browser, page_of: Callable[[str], Path], tmp_path: Path
) -> None:
    page = chromium.new_page()
    page.goto(page_of("sources").as_uri())
    parted = []
    # Whatever stands above, the answer and the first of its reasons are on one sheet.
    for height in range(0, 240, 40):
        page.evaluate("h => { document.querySelector('main').style.paddingTop = `${h}mm` }", height)
        page.pdf(path=tmp_path / "p.pdf", prefer_css_page_size=True)
        text = subprocess.run(
            [_tool("pdftotext"), tmp_path / "p.pdf", "-"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        (sheet,) = (t for t in text.split("\f") if "\nWhich loss to train with\n" in f"\n{t}")
        body = sheet.split("Which loss to train with\n")[1]
        if "is steadiest here" not in " ".join(body.split()):
            parted.append(height)
    page.close()
    assert parted == []


def test_headings_of_columns_are_repeated_on_paper(printed: tuple[Page, Path]) -> None:
    page, _ = printed
    assert page.locator("th button").count() == page.locator("table.groups thead th").count()
    assert page.locator(".paste[open]").count() == 0  # printing put all back


REACHED = """all => all.filter(e => {
  const box = e.getBoundingClientRect();
  if (!box.width || e.matches('.skip')) return false;
  // Links in a sentence are as high as its line.
  if (e.matches('a') && e.closest('p, li, caption, dd') && !e.closest('nav')) return false;
  const target = e.closest('label') || e;
  const is = target.getBoundingClientRect();
  return Math.round(is.height) < LEAST || (e.matches('button') && Math.round(is.width) < WIDE);
}).map(e => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(("touch", "least"), [(False, 24), (True, 44)])
def test_what_is_pressed_is_large_enough(visit: Visit, touch: bool, least: int) -> None:
    page = visit("sources", width=390, has_touch=touch, is_mobile=touch)
    page.context.grant_permissions(["clipboard-write"])
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    small = REACHED.replace("LEAST", str(least)).replace("WIDE", "24")
    pressed = "button, summary, input, nav a" if touch else "button, summary, input, a"
    assert page.eval_on_selector_all(pressed, small) == []


def test_nothing_moves(visit: Visit) -> None:
    page = visit("sources", reduced_motion="reduce")
    moves = "e => ['transitionDuration', 'animationDuration'].map(k => getComputedStyle(e)[k])"
    all_moves = page.evaluate(f"[...new Set([...document.querySelectorAll('*')].flatMap({moves}))]")
    assert set(all_moves) <= {"0s", "auto"}
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_charts_and_frames(visit: Visit, scheme: str) -> None:
    page = visit("sources", forced_colors="active", color_scheme=scheme)
    assert page.locator(".verdict").first.evaluate("e => getComputedStyle(e).borderTopWidth") == (
        "2px"
    )
    picture = Image.open(io.BytesIO(page.locator("svg.chart").first.screenshot())).convert("RGB")
    most = sorted(picture.getcolors(picture.width * picture.height) or [])[::-1]
    background = sum(most[0][1])
    assert (background > 600) is (scheme == "light")
    assert any(abs(sum(colour) - background) > 300 for n, colour in most if n > 20)


def test_the_same_log_gives_the_same_bytes_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    made = []
    for where in ("here", "elsewhere"):
        folder = tmp_path / where
        folder.mkdir()
        words = ["report", "example_logs/deliveries.parquet", "--quiet"]
        for option, form in (("--html", "html"), ("--json", "json"), ("--profile", "parquet")):
            words += [option, str(folder / f"p.{form}")]
        if where == "here":
            assert CliRunner().invoke(app, words).exit_code == 0
        else:
            subprocess.run(
                [sys.executable, "-m", "lossreport", *words],
                check=True, cwd=EXAMPLES.parent,
                env={**os.environ, "PYTHONHASHSEED": "2", "POLARS_MAX_THREADS": "2"},
            )  # fmt: skip
        made.append([(folder / f"p.{form}").read_bytes() for form in ("html", "json", "parquet")])
    assert made[0] == made[1]


@pytest.mark.parametrize(("name", "most"), [("sources", 200_000), ("many_groups", 500_000)])
def test_the_page_is_small(page_of: Callable[[str], Path], name: str, most: int) -> None:
    html = page_of(name).read_bytes()
    assert len(html) < most
    shown = b"200 of 10,000 groups, of each grouping those with the most squared error" in html
    assert shown is (name == "many_groups")
