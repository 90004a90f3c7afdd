"""Accessibility as axe-core judges it: no violation on any kind of page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.odd_logs import PAGES

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (375, "light")])
def test_axe_finds_nothing(visit: Callable[..., Page], name: str, width: int, scheme: str) -> None:
    page = visit(name, width=width, color_scheme=scheme)
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
