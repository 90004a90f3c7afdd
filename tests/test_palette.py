"""The colours of the page, taken from its style: enough contrast, in light, in dark, on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lossreport.render import svg

CSS = (Path(__file__).parent.parent / "templates" / "report.css").read_text("utf-8")


def _palettes() -> list[dict[str, str]]:
    """Return the palettes in the order of the style: light, dark, dark by button, paper."""
    blocks = re.findall(r":root[^{}]*\{([^{}]*--paper[^{}]*)\}", CSS)
    return [dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in blocks]


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005)


def test_there_are_four_palettes_of_the_same_names() -> None:
    light, dark, by_button, paper = _palettes()
    assert dark == by_button
    assert {k: v for k, v in paper.items() if k != "paper"} == {
        k: v for k, v in light.items() if k != "paper"
    }
    assert set(light) == set(dark)


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark", "button", "print"])
def test_text_and_marks_stand_out(palette: dict[str, str]) -> None:
    on = ("paper", "panel", "alert-paper", "calm-paper")
    for text in ("ink", "muted", "link", "alert", "green"):
        for ground in on:
            assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
    for text in ("orange", "blue"):  # the names of lines in charts
        assert contrast(palette[text], palette["paper"]) >= 4.5, text
    for mark in ("grey", "blue", "orange", "green"):
        assert contrast(palette[mark], palette["paper"]) >= 3, mark
        assert contrast(palette[mark], palette["panel"]) >= 3, mark
    for zone in ("calm-zone", "alert-zone"):  # what is marked on the ruler
        for mark in ("orange", "blue"):
            assert contrast(palette[mark], palette[zone]) >= 2.5, (mark, zone)


def test_charts_are_drawn_in_the_light_palette() -> None:
    light = _palettes()[0]
    drawn = {
        "ink": svg.INK, "muted": svg.MUTED, "rule": svg.GRID, "grey": svg.GREY, "blue": svg.BLUE,
        "orange": svg.ORANGE, "paper": svg.BACKGROUND,
    }  # fmt: skip
    assert {name: light[name] for name in drawn} == drawn
