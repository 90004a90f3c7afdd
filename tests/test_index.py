"""The index of a folder: what it lists, in which order, and that no page can harm it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from typer.testing import CliRunner

import lossreport
from lossreport.cli import app
from lossreport.formats import NONE
from lossreport.pages import find_pages
from lossreport.render.index import HEIGHT, STEP, href, line, render_index
from lossreport.render.summaries import SCHEMA, summary_of_page, summary_text
from lossreport.reports.index import MAX_LISTED, RUN, index
from lossreport.reports.summary import Summary, date_in, summary
from tests.conftest import EXAMPLES, Ran
from tests.test_page import HOSTILE

NIGHT = Summary(
    title="deliveries.parquet", date="2026-11-26 23:58", tag="Outlier-driven error", tone="alert",
    headline="102 rows of 99,224 (0.10%) make 94.6% of the squared error, all in region = apac.",
    actual="minutes", predicted="predicted_minutes", predictions=1, unit="min", rows=99_224,
    scored=99_000, mae=2.18, rmse=10.55, ratio=4.84, gates=None,
)  # fmt: skip


class Table(HTMLParser):
    """The rows of an index: per row the texts of its cells and the address that it links to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True
        elif tag == "a" and self.rows:
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag):
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        if self.in_cell:
            self.rows[-1][-1] += data


def page(of: Summary | str) -> str:
    """A page as lossreport writes it, as far as an index reads it."""
    text = of if isinstance(of, str) else summary_text(of)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="generator" content="lossreport 0.1.0">'
        f'<meta name="lossreport:summary" content="{escape(text)}">'
        "<title>Tag \u2013 title \u2013 lossreport</title><style>a{}</style></head><body></body></html>"
    )


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def make(folder: Path, *options: str) -> Ran:
    ran = CliRunner().invoke(app, ["index", str(folder), *options])
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert not list(folder.glob(".*"))
    return Ran(ran.exit_code, ran.stdout, ran.stderr, folder)


def listed(folder: Path) -> Table:
    return Table((folder / "index.html").read_text("utf-8"))


@pytest.mark.parametrize(
    "arguments",
    [["deliveries.parquet"], ["apples.csv", "--unit", "kg"], ["ton_fee.csv", "--private"]],
)
def test_a_page_carries_the_figures_of_its_json(run: Callable[..., Ran], arguments) -> None:
    ran = run(EXAMPLES / arguments[0], *arguments[1:])
    of, first = ran.json, ran.json["predictions"][0]
    found = summary_of_page(ran.html)
    assert found is not None
    assert (found.title, found.unit, found.rows, found.scored) == (
        of["title"], of["unit"], first["rows"]["read"], first["rows"]["scored"],
    )  # fmt: skip
    assert found.date == (of["time_span"][1] if of["time_span"] else None)
    assert [found.mae, found.rmse, found.ratio] == [
        first["overall"][k] for k in ("mae", "rmse", "ratio")
    ]
    verdict = re.search(r'<h2 id="p0-verdict">(.*?)</h2>', ran.html)
    assert verdict
    assert escape(found.headline) == verdict[1].replace("&#34;", "&quot;").replace(
        "&#39;", "&#x27;"
    )
    assert f">{escape(found.tag)}</p>" in re.sub(r"(</svg>) ", ">", ran.html)


def test_compared_models_are_told_by_their_comparison() -> None:
    rows = {"y": [float(i % 13) for i in range(90)]}
    rows |= {"p": [v + 0.1 for v in rows["y"]], "q": [v + 2 for v in rows["y"]]}
    import polars as pl

    report = lossreport.report(pl.DataFrame(rows), actual="y", predicted=["p", "q"])
    of = summary(report)
    assert report.comparison
    assert (of.headline, of.tone) == (report.comparison.headline, report.comparison.tone)
    assert (of.predicted, of.predictions) == ("p", 2)
    shown = render_index(index([("a.html", of)]))
    assert "First of 2 predictions: <bdi>p</bdi>" in shown


def test_reports_stand_newest_first_and_undated_ones_last(tmp_path: Path) -> None:
    put(tmp_path / "b/old.html", page(replace(NIGHT, date="2026-11-01 23:00")))
    put(tmp_path / "new.HTM", page(NIGHT))
    put(tmp_path / "a/2026-11-20/r.html", page(replace(NIGHT, date=None)))
    put(tmp_path / "z.html", page(replace(NIGHT, date=None, mae=None, rmse=None, ratio=None)))
    ran = make(tmp_path)
    assert ran.code == 0
    assert "4 reports, 2026-11-01 23:00 to 2026-11-26 23:58. 1 report without a date." in ran.out
    found = listed(tmp_path)
    assert found.links == ["new.HTM", "a/2026-11-20/r.html", "b/old.html", "z.html"]
    assert [r[1] for r in found.rows[1:]] == [
        "2026-11-26 23:58", "2026-11-20", "2026-11-01 23:00", NONE,
    ]  # fmt: skip
    first, last = found.rows[1], found.rows[4]
    assert first[2] == f"◆ {NIGHT.tag} {NIGHT.headline}"
    assert first[3:] == ["2.18 min", "10.55 min", "4.84", "99,000", NONE]
    assert last[3:6] == [NONE, NONE, NONE]


def test_the_same_folder_gives_the_same_bytes_and_its_own_index_is_no_report(tmp_path) -> None:
    nights = [replace(NIGHT, date=f"2026-11-{d:02} 23:00", mae=d / 7) for d in range(1, 20)]
    for order, folder in (1, tmp_path / "a"), (-1, tmp_path / "b"):
        for night in nights[::order]:
            put(folder / f"{night.date[:10]}.html", page(night))
            os.utime(folder / f"{night.date[:10]}.html", (order + 5, order + 5))
        for _ in range(2):
            assert make(folder).code == 0
    one, other = ((tmp_path / f / "index.html").read_bytes() for f in "ab")
    assert one == other
    make(tmp_path)
    assert len(listed(tmp_path).links) == 2 * len(nights)


@pytest.mark.parametrize(
    ("failed", "warned", "words"),
    [(1, 0, "◆ 1 of 5 failed"), (1, 2, "◆ 1 of 5 failed, 2 warned"), (0, 1, "1 of 5 warned"),
     (0, 0, "5 of 5 passed")],
)  # fmt: skip
def test_gates_are_told_in_words(failed: int, warned: int, words: str) -> None:
    of = summary_of_page(page(replace(NIGHT, gates=5, failed=failed, warned=warned)))
    assert of
    made = index([("a.html", of), ("b.html", NIGHT)])
    rows = Table(render_index(made)).rows
    assert [r[7] for r in rows[1:]] == [words, NONE]
    assert f"Gates failed in {failed or 'none'} of 1 report with gates." in made.said


def test_the_gates_of_a_report_are_counted() -> None:
    report = lossreport.report(EXAMPLES / "apples.csv")
    assert (summary(report).gates, summary(report).gates_said) == (None, None)
    gates = tuple(SimpleNamespace(status=s) for s in ("failed", "passed", "warned", "failed"))
    object.__setattr__(report, "gates", gates)
    assert summary(report).gates_said == "2 of 4 failed, 1 warned"


def test_hostile_pages_are_text_or_nothing(tmp_path: Path) -> None:
    for i, text in enumerate(HOSTILE):
        of = replace(NIGHT, title=text, headline=text, tag=text, predicted=text, unit=text)
        put(tmp_path / f"p{i}.html", page(replace(of, predictions=2)))
    hostile_name = tmp_path / "javascript:alert(1)" / '"><img src=x onerror=alert(2)>#?%.html'
    put(hostile_name, page(NIGHT))
    (tmp_path / os.fsdecode(b"\xff\xfe.html")).write_text(page(NIGHT), "utf-8")
    assert make(tmp_path).code == 0
    html = (tmp_path / "index.html").read_text("utf-8")
    found = Table(html)
    own = {"html", "head", "meta", "title", "style", "body", "a", "div", "header", "h1", "bdi", "p",
           "main", "table", "caption", "thead", "tr", "th", "tbody", "span", "td", "footer"}  # fmt: skip
    assert {tag for tag, _ in found.tags} <= own
    assert not [a for _, attrs in found.tags for a in attrs if a.startswith("on") or a == "style"]
    assert not set(html) & set("\x0b\x1b\u202e\x00")
    for link in found.links:
        assert not urlsplit(link).scheme
        assert (
            Path(os.fsencode(tmp_path).decode()) / os.fsdecode(unquote_to_bytes(link))
        ).is_file()
    assert len(found.links) == len(HOSTILE) + 2
    assert "<img src=x onerror=alert(1)>" in found.rows[-1][0] + str(found.rows)


def changed(**values: object) -> str:
    return json.dumps({**json.loads(summary_text(NIGHT)), **values})


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", "[" * 30_000, "1" * 6000, '{"schema": "lossreport/summary/1"}',
     changed(schema="lossreport/summary/2"), changed(tone="x onclick"), changed(tone=["alert"]),
     changed(mae=-1), changed(mae="2"), changed(mae=True), changed(mae=10**400).replace("1" + "0" * 400, "1e999"),
     changed(rmse=float("nan")), changed(rows=2**70), changed(rows=1.5), changed(rows=None),
     changed(title=None), changed(title={}), changed(unit=3), changed(gates=-1), changed(date=7)],
)  # fmt: skip
def test_what_is_no_summary_lists_nothing_wrong(tmp_path: Path, text: str) -> None:
    put(tmp_path / "a.html", page(text))
    assert make(tmp_path).code == 0
    found = listed(tmp_path)
    if text == changed(date=7):  # the one whose figures are whole
        assert found.rows[1][1] == NONE
    else:
        assert not found.links


def test_what_is_not_of_lossreport_is_left_out(tmp_path: Path) -> None:
    put(tmp_path / "a.html", "<title>Tag \u2013 title \u2013 lossreport</title>")
    put(tmp_path / "b.html", page(NIGHT).replace("lossreport 0", "sphinx 0"))
    put(tmp_path / "c.html", page(NIGHT).replace("<head>", "<head></head><body>"))
    put(tmp_path / "d.txt", page(NIGHT))
    (tmp_path / "e.html").mkdir()
    (tmp_path / "f.html").symlink_to(tmp_path / "nowhere")
    (tmp_path / "g.html").write_bytes(b"\xff\x00" * 99)
    (tmp_path / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "h.html")  # which would never end
    assert "No page in this folder was written by lossreport." in make(tmp_path).out
    assert not listed(tmp_path).links


def test_a_page_without_a_summary_is_told_by_its_title_and_the_json_beside_it(
    run: Callable[..., Ran],
) -> None:
    ran = run(EXAMPLES / "deliveries.parquet")
    with_one = summary_of_page(ran.html)
    old = re.sub(r'<meta name="lossreport:summary".*\n', "", ran.html)
    put(ran.folder / "out.html", old)
    (found,), _ = find_pages(ran.folder)
    assert with_one
    assert found == ("out.html", replace(with_one, tone="none"))
    for beside in ('{"schema": "mine"}', "[1]", "{", "[" * 99_999):
        put(ran.folder / "out.json", beside)
        (found,), _ = find_pages(ran.folder)
        assert (found[1].title, found[1].tag) == (with_one.title, with_one.tag)
        assert (found[1].rows, found[1].mae) == (None, None)
    assert make(ran.folder).code == 0
    assert listed(ran.folder).rows[1][3:] == [NONE] * 5


def test_what_cannot_be_read_is_named_and_counted(tmp_path: Path, monkeypatch) -> None:
    put(tmp_path / "a.html", page(NIGHT))
    put(tmp_path / "b.html", page(NIGHT))
    opened = Path.open

    def refuse(path: Path, *arguments: object, **more: object):
        if path.name == "b.html":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", refuse)
    ran = make(tmp_path)
    assert ran.code == 0
    assert f"{tmp_path / 'b.html'}: Permission denied" in ran.err
    assert "1 report. 1 file or folder could not be read." in ran.out
    assert listed(tmp_path).links == ["a.html"]


def test_only_an_index_is_replaced_without_force(tmp_path: Path) -> None:
    put(tmp_path / "a.html", page(NIGHT))
    for content, what in (page(NIGHT), "is no index"), ("mine", "not written by lossreport"):
        put(tmp_path / "index.html", content)
        ran = make(tmp_path)
        assert (ran.code, (tmp_path / "index.html").read_text("utf-8")) == (2, content)
        assert what in ran.err
        assert "--force" in ran.err
        assert make(tmp_path, "--force").code == 0
        assert make(tmp_path, "--quiet").out == ""
        assert len(listed(tmp_path).links) == 1


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    ran = make(tmp_path / "nowhere")
    assert ran.code == 2
    assert "There is no folder" in ran.err


def test_a_thousand_reports_stay_below_a_megabyte_and_older_ones_are_counted(tmp_path) -> None:
    for i in range(MAX_LISTED + 7):
        day = f"20{10 + i // 300}-{1 + i // 25 % 12:02}-{1 + i % 25:02}"
        of = replace(NIGHT, date=f"{day} 23:58", mae=2 + i % 11 / 7, rmse=9 + i % 13 / 7, gates=12)
        put(tmp_path / f"region-emea/nightly/{day}/report.html", page(of))
    made = make(tmp_path)
    found = listed(tmp_path)
    assert made.code == 0
    assert len(found.links) == MAX_LISTED
    assert (tmp_path / "index.html").stat().st_size < 1_000_000
    assert "7 older reports are not listed" in (tmp_path / "index.html").read_text("utf-8")
    assert found.links[0].split("/")[2] == "2013-05-07"


def test_a_line_goes_over_the_series_up_to_the_report() -> None:
    nights = [replace(NIGHT, date=f"2026-11-{d:02} 23:00", mae=float(d)) for d in range(1, 21)]
    other = replace(NIGHT, predicted="other", date="2026-11-10 23:00", mae=99.0)
    found = [(f"n/{n.date[:10]}.html", n) for n in nights] + [("n/2026-11-10.html", other)]
    rows = index(found).listed
    assert rows[0].mae == tuple(float(d) for d in range(7, 21))
    assert next(r for r in rows if r.summary is other).mae == (99.0,)
    assert next(r for r in rows if r.summary is nights[2]).mae == (1.0, 2.0, 3.0)
    renamed = index([*found[:5], ("m/2026-11-06.html", nights[5])]).listed
    assert renamed[0].mae == (6.0,)


figures = st.one_of(st.none(), st.floats(0, allow_nan=False, allow_infinity=False))


@given(st.lists(figures, max_size=RUN))
def test_a_line_lies_in_its_box_and_has_a_point_for_each_value(values) -> None:
    known = [v for v in values if v is not None]
    points = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", line(values))
    if len(known) < 2:
        assert line(values) == ""
        return
    places = [RUN - len(values) + i for i, v in enumerate(values) if v is not None]
    assert [float(x) for x, _ in points] == [STEP * p + 2 for p in places]
    heights = [HEIGHT - 1 - float(y) for _, y in points]
    largest = max(known)
    for height, value in zip(heights, known, strict=True):
        assert height == pytest.approx(
            (HEIGHT - 2) * (value / largest if largest else 0), abs=0.051
        )


@given(st.binary(min_size=1, max_size=30).filter(lambda b: b"\0" not in b))
def test_an_address_leads_to_the_bytes_of_the_name(name: bytes) -> None:
    assert unquote_to_bytes(href(os.fsdecode(name))) == name
    assert re.fullmatch(r"[\w.~/%-]+", href(os.fsdecode(name)), re.ASCII)


@pytest.mark.parametrize(
    ("text", "date"),
    [("nights/20261126/a.html", "2026-11-26"), ("2026-11-25/of-2026-11-26.html", "2026-11-26"),
     ("a_2026_11_26.html", "2026-11-26"), ("2026-11-26 23:58", "2026-11-26 23:58"),
     ("after year 9999", None), ("before year 1", None), ("build-1234567890.html", None),
     ("2026-13-01.html", None), ("2026-1126.html", None), ("", None)],
)  # fmt: skip
def test_a_date_is_found_where_there_is_one(text: str, date: str | None) -> None:
    assert date_in(text) == date


def test_the_schema_is_named_in_every_summary() -> None:
    assert json.loads(summary_text(NIGHT))["schema"] == SCHEMA


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_it_is_accessible_and_loads_nothing(chromium: Browser, tmp_path, scheme, width) -> None:
    tones = ["alert", "note", "calm", "none"]
    for d in range(1, 17):
        of = replace(NIGHT, date=f"2026-11-{d:02} 23:58", tone=tones[d % 4], mae=2 + d / 7)
        gates = {} if d % 3 else {"gates": 5, "failed": d % 2, "warned": d % 4 // 2}
        put(tmp_path / f"2026-11-{d:02}/report.html", page(replace(of, **gates)))
    put(tmp_path / "x.html", page(replace(NIGHT, title="x" * 300, predictions=3, unit="y" * 99)))
    make(tmp_path)
    trouble: list[str] = []
    shown = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    own = (tmp_path / "index.html").as_uri()
    shown.on("console", lambda m: trouble.append(m.text))
    shown.on("request", lambda r: r.url == own or trouble.append(r.url))
    shown.goto(own)
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert not trouble
    path = shown.locator("td.l1 path").first
    blue = "rgb(86, 180, 233)" if scheme == "dark" else "rgb(0, 114, 178)"
    assert path.evaluate("e => getComputedStyle(e).stroke") == blue
    shown.emulate_media(media="print")
    assert shown.locator("tbody tr").count() == 17
    assert shown.pdf().startswith(b"%PDF")
    shown.close()
    without = chromium.new_page(java_script_enabled=False)
    without.goto(own)
    without.locator("tbody a").nth(1).click()
    assert without.url.endswith("/2026-11-16/report.html")
    without.close()


@pytest.mark.browser
def test_a_jenkins_policy_leaves_it_readable(chromium: Browser, tmp_path: Path) -> None:
    for d in range(1, 4):
        put(tmp_path / f"{d}.html", page(replace(NIGHT, mae=float(d))))
    make(tmp_path)
    policy = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
    shown = chromium.new_page()
    html = (tmp_path / "index.html").read_text("utf-8")
    shown.route("http://ci/", lambda r: r.fulfill(
        body=html, content_type="text/html", headers={"Content-Security-Policy": policy}))  # fmt: skip
    shown.goto("http://ci/")
    assert shown.locator("tbody tr").count() == 3
    last = shown.locator("td.l1 path").first
    assert last.evaluate("e => getComputedStyle(e).stroke") == "rgb(87, 96, 106)"
    assert last.evaluate("e => getComputedStyle(e).fill") == "none"
    shown.close()
