"""The gallery and the page of templates cannot go stale: both are made again and compared."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from PIL import Image

import lossreport
from docs import make_gallery, make_templates_page
from docs.make_gallery import COVER, EXAMPLES, GALLERY, SHOWS, hash_of, page_of, readme
from lossreport.render import page as page_module
from lossreport.render.templating import FILTERS
from lossreport.reports.results import Report
from tests.conftest import ROOT

AGAIN = "python -m docs.make_gallery makes the gallery again"


def told(page: str) -> str:
    """What a page is and says, without what drawing may change: the strokes of its charts."""
    strokes = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
    return strokes.sub(lambda s: "\n".join(re.findall("<title.*?</desc>", s[0])), page)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_the_pages_are_those_that_the_commands_make(example):
    kept = (GALLERY / f"{example.name}.html").read_text("utf-8")
    assert told(page_of(example)) == told(kept), AGAIN


@pytest.mark.charts
def test_strokes_are_all_that_may_differ():
    page = page_of(next(e for e in EXAMPLES if e.name == "ton_fee"))
    assert 0.3 * len(page) < len(told(page)) < len(page)
    moved = re.sub(r' d="M ', ' d="M 1', page, count=1)
    assert moved != page
    assert told(moved) == told(page)
    for said in ("<h2", "<h3>", "<figcaption>", "<desc", "font:"):
        assert told(page.replace(said, f"{said[:-1]}!", 1)) != told(page), said


@pytest.mark.parametrize(
    ("example", "shot"),
    [(e, s) for e in EXAMPLES for s in e.shots],
    ids=lambda x: x.name,
)
def test_a_picture_is_of_the_page_beside_it(example, shot):
    path = GALLERY / f"{shot.name}.png"
    with Image.open(path) as picture:
        assert picture.info[SHOWS] == hash_of(GALLERY / f"{example.name}.html"), AGAIN
        assert picture.size == (shot.width, shot.height)
        assert len(picture.convert("RGB").getcolors(10**7)) > 20  # it shows something
    assert path.stat().st_size < 150_000


def test_the_gallery_has_just_what_it_shows():
    names = {f"{e.name}.html" for e in EXAMPLES}
    pictures = {f"{s.name}.png" for e in EXAMPLES for s in e.shots}
    assert {f.name for f in GALLERY.iterdir()} == names | pictures | {"README.md"}
    assert sum((GALLERY / p).stat().st_size for p in pictures) < 1_000_000
    text = (GALLERY / "README.md").read_text("utf-8")
    assert text == readme(GALLERY), AGAIN
    assert pictures == set(re.findall(r'src="(.*?)"', text))
    assert COVER.read_bytes() == (GALLERY / "deliveries.png").read_bytes()


class Ids(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.ids.add(of.get("id") or "")
        if tag == "a" and (of.get("href") or "").startswith("#"):
            self.links.add(of["href"][1:])


def test_the_example_of_templates_does_what_its_page_says():
    page = (GALLERY / "house_style.html").read_text("utf-8")
    plain = (GALLERY / "foodwaste.html").read_text("utf-8")
    assert '<svg width="28" height="28"' in page
    assert page.index("--blue: #0072b2") < page.index("--blue: #5b3a8c")
    assert "HuberRegressor" in plain
    assert "HuberRegressor" not in page
    assert "is above our limit of\n0.250" in page
    found = Ids()
    found.feed(page)
    assert found.links <= found.ids  # the section left out leaves no link to nowhere


def test_the_page_of_templates_is_up_to_date():
    text = make_templates_page.PAGE.read_text("utf-8")
    again = "python -m docs.make_templates_page makes it again"
    assert make_templates_page.filled(text) == text, again
    for name in FILTERS:
        assert re.search(rf"^\| `{name}[`(]", text, re.MULTILINE), name
    for file in (ROOT / "docs" / "house_style").iterdir():
        assert file.read_text("utf-8").strip() in text


def test_the_page_of_templates_names_all_that_the_page_is_made_with(monkeypatch):
    names = {}
    monkeypatch.setattr(page_module, "fill", lambda of, folder: names.update(of) or "")
    report = lossreport.report(ROOT / "example_logs" / "apples.csv")
    lossreport.render_page(report)
    of_file = {"css", "script", "css_hash", "script_hash"}
    assert set(make_templates_page.OF_PAGE) == set(names) | of_file
    (section,) = names["sections"]
    assert set(make_templates_page.OF_SECTION) == set(section)
    text = make_templates_page.PAGE.read_text("utf-8")
    assert all(f"`{chart}`" in text for chart in section["charts"])


def test_a_type_that_a_field_holds_is_told_and_so_is_what_stands_below_a_field():
    types = make_templates_page.reached((Report,))
    assert {"Report", "Figures", "Advice", "SeenRow"} <= {t.__name__ for t in types}
    text = make_templates_page.PAGE.read_text("utf-8")
    for of in types:
        assert re.search(rf"^### {of.__name__}( \(\w+\))?$", text, re.MULTILINE), of
    assert "| `cut` | `float` | They are the rows with \\|error\\| above this. |" in text
    assert "| `count(role)` | `int` | How many groups have a role. |" in text


def test_the_first_sentence_is_text_in_markdown():
    page = '<meta name="description" content="a &amp; b_c *d*">'
    assert make_gallery.first_sentence(page) == r"a & b\_c \*d\*"


@pytest.mark.browser
def test_the_example_of_templates_is_let_through_by_the_pages_policy(chromium):
    page = chromium.new_page(color_scheme="light")
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text))
    page.on("request", lambda r: r.url.startswith("file:") or trouble.append(r.url))
    page.goto((GALLERY / "house_style.html").as_uri())
    link = page.locator("main a").first.evaluate("a => getComputedStyle(a).color")
    logo = page.get_by_role("img", name="Corner shop")
    assert link == "rgb(91, 58, 140)"
    assert logo.bounding_box()["width"] == 28
    assert page.get_by_role("heading", name="What we do next").is_visible()
    page.close()
    assert not trouble
