"""Accessibility as axe-core judges it: no violation on any kind of page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.odd_logs import PAGES

pytestmark = pytest.mark.browser


SIZES = [(1280, "light"), (1280, "dark"), (375, "light")]
EVERYWHERE = ("sources", "models")
"""Looked at in every size and colour; the others share their parts, and are looked at once."""
CASES = [(n, *s) for n in PAGES for s in (SIZES if n in EVERYWHERE else SIZES[:1])]


@pytest.mark.parametrize(("name", "width", "scheme"), CASES)
def test_axe_finds_nothing(visit: Callable[..., Page], name: str, width: int, scheme: str) -> None:
    page = visit(name, width=width, color_scheme=scheme)
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
