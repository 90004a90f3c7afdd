"""The page in a real browser: readable, accessible, and deaf to what the log says."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.conftest import EXAMPLES, LABELS_OUTSIDE, Ran

Run = Callable[..., Ran]
pytestmark = pytest.mark.browser
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(2)</script>',
    "</script></style></svg><script>alert(3)</script>",
    "{{ 7 * 7 }}",
    "]]>",
    "$x^2$ and a$b$c",
    "\x0b\x1b[31mred",
    "\u202egnp.exe",
    "a\nb\r\nc",
    "' onmouseover='alert(4)",
    "&lt;b&gt;&amp;",
    "😀 漢字",
    "x" * 10_000,
]


@pytest.fixture
def opened(chromium: Browser, run: Run) -> Callable[..., Page]:
    """Open the page of a log, and fail on any dialog, request, script error or policy violation."""
    pages: list[Page] = []
    trouble: list[str] = []

    def open_page(*arguments: object, width: int = 1280, **options: object) -> Page:
        ran = run(*arguments)
        assert ran.code in (0, 3, 5), ran.err
        page = chromium.new_page(viewport={"width": width, "height": 900}, **options)
        page.on("dialog", lambda d: (trouble.append(f"dialog {d.message}"), d.dismiss()))
        page.on("console", lambda m: trouble.append(f"console {m.text}"))
        page.on("pageerror", lambda e: trouble.append(f"error {e}"))
        own = (ran.folder / "out.html").as_uri()
        page.on("request", lambda r: r.url == own or trouble.append(f"request {r.url}"))
        page.goto(own)
        pages.append(page)
        return page

    yield open_page
    assert not trouble
    for page in pages:
        page.close()


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A log whose column names, group values and file name are hostile."""
    frame = pl.DataFrame(
        {
            "actual": [float(i % 17) for i in range(len(HOSTILE) * 60)],
            "predicted": [float(i * 7 % 23) for i in range(len(HOSTILE) * 60)],
            '<b onclick="alert(5)">g': HOSTILE * 60,
        }
    )
    path = tmp_path / "<svg onload=alert(6)>.parquet"
    frame.write_parquet(path)
    return path


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_gates_of_a_hostile_log_open_the_page(
    opened: Callable[..., Page], hostile: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    config = tmp_path / "gates.toml"
    config.write_text(
        """
        [[gates]]
        name = "<img src=x onerror=alert(7)> {{ 7 * 7 }}"
        figure = "mae"
        by = ['<b onclick="alert(5)">g']
        max = 1
        [[gates]]
        figure = "mae"
        max = 1
        action = "warn"
        [[gates]]
        figure = "n"
        min = 1
        """
    )
    page = opened(hostile, "--by", '<b onclick="alert(5)">g', "--config", config,
                  width=width, color_scheme=scheme)  # fmt: skip
    gates = page.locator("section[aria-labelledby=gates]")
    assert gates.bounding_box()["y"] < page.locator("#p0-verdict").bounding_box()["y"]
    page.evaluate("document.querySelector('[aria-labelledby=gates] details').open = true")
    text = gates.inner_text()
    assert "Of 3 gates, 1 failed, 1 warned and 1 passed." in text
    assert "<img src=x onerror=alert(7)> {{ 7 * 7 }}" in text
    # A group for each value, and the gate that only warns, of which five are told here.
    assert f"{len(HOSTILE) + 1 - 5} more results like these" in text
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_a_dirty_log_is_told_without_breaking_the_page(
    opened: Callable[..., Page], tmp_path: Path, width: int, scheme: str
) -> None:
    rows = [
        {"actual": a, "predicted": f"{20 + i % 37 + i / 977}", "g<i>": "West " if i % 9 else "west"}
        for i, a in enumerate(["-999", "N/A", *(h[:99] for h in HOSTILE), "21.5", "33.25"] * 30)
    ]
    log = tmp_path / "<i>dirty.parquet"
    pl.DataFrame(rows).write_parquet(log)
    page = opened(log, "--by", "g<i>", width=width, color_scheme=scheme)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    quality = page.locator("section[aria-labelledby=quality]")
    text = quality.inner_text()
    assert "Rows left out, by group" in text
    assert "<img src=x onerror=alert(1)>" in text
    assert "\\u202egnp.exe" in text
    assert "“West␣”" in text
    passed = quality.locator("details")
    assert not passed.locator("table").is_visible()
    passed.locator("summary").click()
    assert passed.locator("table").is_visible()
    assert "Not checked" in passed.inner_text()


@pytest.mark.parametrize("log", ["apples.csv", "ton_fee.csv"])
def test_the_page_never_scrolls_sideways(opened: Callable[..., Page], log: str) -> None:
    page = opened(EXAMPLES / log, width=1280)
    for width in (1280, 375, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_labels_of_a_source_near_the_whole_are_inside_a_phone(opened: Callable[..., Page]) -> None:
    roles = ("--actual", "margin_actual", "--predicted", "margin_poll", "--time", "polldate")
    page = opened(EXAMPLES / "polls.csv", *roles, width=375)
    assert page.locator(".ruler text").last.is_visible()
    assert page.evaluate(LABELS_OUTSIDE) == []


def test_compared_models_are_accessible_text(opened: Callable[..., Page], hostile: Path) -> None:
    page = opened(hostile, "--compare", '<b onclick="alert(5)">g', width=375)
    models = page.get_by_role("region", name="Table of the models", exact=True)
    assert models.locator("tbody tr").count() == len(HOSTILE)
    assert "<img src=x onerror=alert(1)>" in models.inner_text()
    for cell in models.locator("tbody th").all():
        cell.hover()
    assert Axe().run(page).violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_code_is_copied_as_it_stands(opened: Callable[..., Page]) -> None:
    page = opened(EXAMPLES / "deliveries.parquet")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("details.paste summary", has_text="LightGBM").click()
    page.locator("details.paste[open] .copy").click()
    page.locator("details.paste[open] .copy", has_text="Copied").wait_for(timeout=10_000)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("details.paste[open] code").inner_text()
    assert copied.startswith('LGBMRegressor(objective="huber", alpha=')


def test_the_theme_button_and_print(opened: Callable[..., Page]) -> None:
    page = opened(EXAMPLES / "foodwaste.csv", color_scheme="light")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    cut = "a => a.filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible').length"
    assert page.eval_on_selector_all(".scroll", cut) == 0


class Outline(HTMLParser):
    """Collects headings, ids and references."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.styled = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.ids += [found["id"] or ""] if "id" in found else []
        self.references += (found.get("aria-labelledby") or "").split()
        self.references += [h[1:] for h in [found.get("href") or ""] if h.startswith("#")]
        self.styled += "style" in found


@pytest.mark.parametrize("log", ["deliveries.parquet", "apples.csv", "foodwaste.csv"])
def test_the_outline_is_whole(run: Run, log: str) -> None:
    outline = Outline(run(EXAMPLES / log).html)
    assert outline.headings.count(1) == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.references) <= set(outline.ids)
    assert outline.styled == 0
