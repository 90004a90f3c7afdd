"""The page in a notebook: apart from it, bounded, and whole."""

from __future__ import annotations

import pathlib
from html import unescape

import polars as pl
import pytest
from playwright.sync_api import Browser

import lossreport
from tests.conftest import EXAMPLES


def test_the_frame_holds_the_page_but_for_where_links_lead() -> None:
    report = lossreport.report(EXAMPLES / "apples.csv")
    html = report._repr_html_()
    start, _, rest = html.partition('srcdoc="')
    inside, end = rest.rsplit('"', 1)
    assert start.startswith("<iframe ")
    assert 'sandbox="allow-scripts"' in start
    assert end == "></iframe>"
    assert '"' not in inside
    assert "<" not in inside
    page = unescape(inside).replace('<base href="about:srcdoc">', "")
    assert lossreport.render_page(report).replace("base-uri 'none'; ", "") == page


@pytest.mark.browser
def test_it_neither_leaks_nor_loads_and_its_links_work(
    chromium: Browser, tmp_path: pathlib.Path
) -> None:
    hostile = '"><script>parent.document.title="bad"</script>'
    frame = pl.DataFrame(
        {"actual": 0.0, "predicted": [1.0 + i % 9 for i in range(400)], "g": [hostile, "b"] * 200}
    )
    report = lossreport.report(frame, by="g", title=hostile)
    host = tmp_path / "notebook.html"
    style = "<style>body{color:rgb(255,0,0)}</style>"
    host.write_text(
        f"<!doctype html><title>host</title>{style}<p>a</p>{report._repr_html_()}", "utf-8"
    )
    page = chromium.new_page()
    requests, said = list[str](), list[str]()
    page.on("request", lambda r: requests.append(r.url))
    page.on("console", lambda m: said.append(m.text))
    page.goto(host.as_uri())
    inside = page.frames[1]
    colour = "getComputedStyle(document.body).color"
    assert page.evaluate(colour) == "rgb(255, 0, 0)"
    assert inside.evaluate(colour) != "rgb(255, 0, 0)"
    assert page.locator("iframe").bounding_box()["height"] < 700  # type: ignore[index]
    inside.get_by_role("link", name="Data quality").first.click()
    page.wait_for_function("() => true")
    assert page.frames[1].url == "about:srcdoc#quality"
    assert page.frames[1].evaluate("scrollY") > 0
    assert page.title() == "host"
    assert requests == [host.as_uri()]
    assert not said
    page.close()
