"""Charts as inline SVG: no inline style, own ids, safe text, the same bytes every time."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from lossreport.render import drawing
from lossreport.render.drawing import STYLE
from lossreport.render.svg import BLUE, GREY, ORANGE, SVG, _lines_joined, clean

LABEL = "a$b$c <script>&\"'"


def drawn(hatch: str | None = None, ylabel: str = "") -> str:
    """Return matplotlib's own SVG of a chart with markers, clipping, dashes and odd text."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4, 3))
        FigureCanvasSVG(figure)
        ax = figure.add_subplot()
        ax.plot([0, 1, 2], [1, -1, 1e4], "--o", color=BLUE)
        ax.fill_between([0, 1], [0, 0], [1, 1], color=ORANGE, alpha=0.3)
        ax.bar([1], [1], color=GREY, hatch=hatch)
        ax.set(xlabel=LABEL, ylabel=ylabel, title="bold")
        made = io.StringIO()
        figure.savefig(made, format="svg", metadata={"Date": None, "Creator": None})
    return made.getvalue()


@pytest.fixture
def svg() -> str:
    return clean(drawn(), "c1", 'T <&"', "D & 'd' ]]>")


def test_it_is_well_formed_and_named_for_those_who_cannot_see_it(svg):
    root = ET.fromstring(svg)
    assert (root.tag, root.get("id"), root.get("role")) == ("svg", "c1", "img")
    by_id = {e.get("id"): e.text for e in root.iter() if e.get("id")}
    labels = [by_id[i] for i in root.get("aria-labelledby").split()]
    assert labels == ['T <&"', "D & 'd' ]]>"]


def test_a_strict_content_security_policy_blocks_nothing(svg):
    root = ET.fromstring(svg)
    assert {e.tag for e in root.iter()}.isdisjoint({"style", "script", "image", "metadata"})
    names = {name for e in root.iter() for name in e.attrib}
    assert not {n for n in names if n == "style" or n.startswith("on")}
    assert not re.findall(r"(?:https?:|data:|url\([^#])", svg)


def test_the_look_that_matplotlib_put_into_styles_is_kept(svg):
    root = ET.fromstring(svg)
    lines = [e for e in root.iter("path") if e.get("stroke", "").lower() == BLUE]
    assert any(e.get("stroke-dasharray") and e.get("fill") == "none" for e in lines)
    assert all("blue-stroke" in e.get("class").split() for e in lines)
    assert any("orange-fill" in e.get("class", "") for e in root.iter())


@pytest.mark.parametrize("hatch", [None, "//"])
def test_ids_carry_the_charts_name_and_every_reference_finds_its_own(hatch):
    svg = clean(drawn(hatch), "c1", "t", "d")
    ids = re.findall(r' id="(.+?)"', svg)
    used = set(re.findall(r'(?:href="|url\()#(.+?)[")]', svg))
    assert all(i == "c1" or i.startswith("c1-") for i in ids)
    assert len(ids) == len(set(ids))
    assert used == set(ids) - {"c1", "c1-title", "c1-description"}
    assert used


def test_text_is_escaped_and_dollar_signs_make_no_formula(svg):
    assert "<script" not in svg
    assert LABEL in [e.text for e in ET.fromstring(svg).iter("text")]


def test_nothing_moves_by_more_than_half_a_tenth(svg):
    def numbers(root, tag):
        seen = (e for e in root.iter(tag) if e.get("style") != "fill: none")  # the backgrounds
        paths = (e.get("d") for e in seen if e.get("d"))
        return sorted(float(n) for d in paths for n in re.findall(r"-?[\d.]+", d))

    shown = numbers(ET.fromstring(svg), "path")
    original = numbers(ET.fromstring(drawn()), f"{SVG}path")
    assert shown == pytest.approx(original, abs=0.0501)
    assert len(svg) < len(drawn())


def test_the_same_chart_gives_the_same_bytes(svg):
    assert clean(drawn(), "c1", 'T <&"', "D & 'd' ]]>") == svg


def test_lines_that_follow_lines_are_implied_and_nothing_else_is():
    assert _lines_joined("M 0 0 L 1 1 L 2 2 C 1 2 3 4 5 6 L 7 8 L 9 9 z M 1 1 L 2 2 z") == (
        "M 0 0 1 1 2 2 C 1 2 3 4 5 6 L 7 8 9 9 z M 1 1 2 2 z"
    )


def test_what_does_not_turn_is_not_said_to_turn(svg):
    assert "rotate(0" not in svg
    assert "rotate(-0" not in svg
    assert "rotate(-90" in clean(drawn(ylabel="up"), "c1", "t", "d")


@pytest.mark.charts
@pytest.mark.parametrize("top", [8.0, 8.1, 8.2])
def test_an_axis_keeps_room_for_its_name_whatever_its_ticks(top: float) -> None:
    def plot(ax: Any) -> None:
        ax.set(ylim=(-top, top), ylabel="errors", xlabel="quantile")

    text = next(e for e in ET.fromstring(drawing.drawn(2.9, plot)).iter(f"{SVG}text")
                if "".join(e.itertext()).strip() == "errors")  # fmt: skip
    (left,) = re.findall(r"(?:rotate\(-90 |translate\()([-\d.]+)", text.get("transform", ""))
    assert float(left) > 8  # the name is about as high, and stands on this line
