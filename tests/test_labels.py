"""Names in charts: beside their curve, on no line, no dot and no other name."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lossreport.render import charts
from lossreport.render.labels import box_at, first_free, fraction, is_free, place_beside
from lossreport.reports.figures import Figures
from lossreport.reports.results import Group, Ledger

SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=12).map(sorted)


def curve(shares: list[float]) -> list[tuple[float, float]]:
    return [(i / (len(shares) - 1), s) for i, s in enumerate(shares)]


def on_it(box: tuple[float, float, float, float], line: list[tuple[float, float]]) -> bool:
    """Say whether a line goes through a box: looked at in 200 steps."""
    left, bottom, right, top = box
    for (x, y), (u, v) in pairwise(line):
        for i in range(201):
            a, b = x + (u - x) * i / 200, y + (v - y) * i / 200
            if left <= a <= right and bottom <= b <= top:
                return True
    return False


@settings(max_examples=30)
@given(SHARES)
def test_a_name_stands_on_neither_of_two_rising_curves(shares: list[float]) -> None:
    upper, lower = curve([s**0.5 for s in shares]), curve([s**2 for s in shares])
    for own, other in ((upper, lower), (lower, upper)):
        at = place_beside("absolute error (L1)", own, [other], 9.5)
        box = box_at("absolute error (L1)", at, 9.5)
        assert 0 <= box[0] < box[2] <= 1
        assert 0 <= box[1] < box[3] <= 1
        assert not on_it(box, own)
        assert not on_it(box, other)


def test_a_name_is_nearer_to_its_own_curve() -> None:
    high, low = [(0.0, 0.9), (1.0, 0.9)], [(0.0, 0.1), (1.0, 0.1)]
    assert place_beside("high", high, [low], 9.5)[1] > 0.6
    assert place_beside("low", low, [high], 9.5)[1] < 0.4


def test_a_box_is_free_only_inside_and_off_dots_and_boxes() -> None:
    box = box_at("name", (0.5, 0.5), 8.5)
    assert is_free(box, [(0.1, 0.1)], [])
    assert not is_free(box, [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)], [])
    assert not is_free(box, [], [box])
    assert not is_free(box_at("name", (0.99, 0.5), 8.5), [], [])
    assert not is_free(box_at("name", (0.01, 0.5), 8.5, "right"), [], [])


def test_fractions_of_axes() -> None:
    assert fraction(5, 0, 10) == 0.5
    assert math.isclose(fraction(10, 1, 100, log=True), 0.5)


@given(st.lists(st.tuples(st.floats(0, 0.99), st.floats(0, 0.9)), max_size=12))
def test_the_first_free_place_is_above_all_others_that_are_free(
    dots: list[tuple[float, float]],
) -> None:
    rows = (0.8, 0.5, 0.2)
    at = first_free("95%: as good as the best", rows, dots, 8.5)
    free = {
        y for y in rows for i in range(1, 50)
        if is_free(box_at("95%: as good as the best", (i / 50, y), 8.5), dots, ())
    }  # fmt: skip
    assert (None if at is None else at[1]) == max(free, default=None)


@pytest.mark.charts
@pytest.mark.parametrize("ratio", [1.36, 1.40, 1.44, 1.46, 1.50])
def test_names_of_groups_stand_on_no_name_of_a_line(ratio: float) -> None:
    group = Group(
        key=("Premium",), rows=Ledger(14_000, 14_000, ()),
        figures=Figures(14_000, mae=1.0, rmse=ratio, ratio=ratio, centred_ratio=ratio), share_of_rows=0.3,
        share_of_abs_error=0.3, share_of_sq_error=0.3, ratio_without=None, flagged=True, too_few_rows=False,
        recommendation=None,
    )  # fmt: skip
    smaller = replace(group, key=("Fair",), figures=replace(group.figures, n=40), flagged=False)
    figure = Figure(figsize=(5.3, 3.1), layout="constrained")
    axes = figure.add_subplot()
    charts._plot_funnel(axes, [(("cut",), group), (("cut",), smaller)])
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    boxes = [t.get_window_extent(renderer) for t in axes.texts]
    assert len(boxes) >= 2
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
