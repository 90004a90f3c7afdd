"""A team's own templates, style and script: taken file by file, with errors that say where."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

import lossreport
from lossreport.errors import UsageError
from lossreport.render.page import render_page


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
