"""A team's own templates, style and script: taken file by file, with errors that say where."""

from __future__ import annotations

import hashlib
import shutil
from base64 import b64encode

import pytest

import lossreport
from lossreport.errors import UsageError
from lossreport.render.page import render_page
from tests.conftest import EXAMPLES, ROOT


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "apples.csv"
    path.write_text("actual,predicted\n100,90\n100,95\n100,105\n", "utf-8")
    return lossreport.report(path, by="")


def test_a_file_of_ones_own_takes_the_place_of_the_packages(report, tmp_path):
    css = "body { color: rebeccapurple; }"
    (tmp_path / "report.css").write_text(css, "utf-8")
    (tmp_path / "_methods.html").write_text("<h2>House rules for {{ report.title }}</h2>", "utf-8")
    page = render_page(report, tmp_path)
    assert "House rules for apples.csv" in page
    assert f"<style>{css}</style>" in page
    digest = b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page
    assert 'id="quality"' in page  # which is the package's


def test_values_are_escaped_there_too(report, tmp_path):
    (tmp_path / "_methods.html").write_text("{{ report.sources[0].path ~ '<b>' }}", "utf-8")
    assert "&lt;b&gt;" in render_page(report, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "one\ntwo {{ report.nothing_of_the_kind }}",
            "_methods.html, line 2: .*nothing_of_the_kind",
        ),
        ("one\n{% if %}", "_methods.html, line 2: "),
        ("one\n\n{% include 'nowhere.html' %}", "_methods.html, line 3: .*nowhere.html"),
        ("{{ 1 / 0 }}", "_methods.html, line 1: ZeroDivisionError"),
    ],
)
def test_an_error_names_file_and_line(report, tmp_path, text, message):
    (tmp_path / "_methods.html").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=message):
        render_page(report, tmp_path)


def test_a_folder_that_is_none_is_said(report, tmp_path):
    with pytest.raises(UsageError, match="no folder of templates"):
        render_page(report, tmp_path / "nowhere")


def test_the_command_takes_a_folder(run, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "_methods.html").write_text("<h2>House rules</h2>", "utf-8")
    ran = run(EXAMPLES / "apples.csv", "--templates", mine)
    assert ran.code == 0, ran.err
    assert "<h2>House rules</h2>" in ran.html
    assert "6.67" in ran.html


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "There is no folder of templates"),
        ({"methods.html": "misspelt"}, "_methods.html"),
        ({"_methods.html": "one\n{% if %}"}, "_methods.html, line 2: "),
        ({"report.html": "{% include 'team.html' %}", "team.html": "\n{{"}, "team.html, line 2: "),
        ({"report.css": b"\xff"}, "report.css cannot be read"),
    ],
)
def test_what_is_wrong_is_said_before_the_log_is_read(run, tmp_path, files, message):
    mine, unreadable = tmp_path / "mine", tmp_path / "log.csv"
    unreadable.write_bytes(b"\0")
    assert run(unreadable).code == 4
    if files is not None:
        mine.mkdir()
        for name, text in files.items():
            (mine / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = run(unreadable, "--templates", mine)
    assert ran.code == 2
    assert message in ran.err


def test_a_page_is_not_written_over_a_template(run, tmp_path):
    (tmp_path / "mine").mkdir()
    template = tmp_path / "mine" / "report.html"
    shutil.copy(ROOT / "templates" / "report.html", template)
    before = template.read_bytes()
    for path in (template, tmp_path / "mine" / "page.html"):
        arguments = (EXAMPLES / "apples.csv", "--templates", template.parent, "--html", path)
        ran = run(*arguments, "--force", outputs=False)
        assert ran.code == 2
        assert "folder of templates" in ran.err
    assert template.read_bytes() == before
    assert not (tmp_path / "mine" / "page.html").exists()
