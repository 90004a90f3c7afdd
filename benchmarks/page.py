"""Measures the page: its size, how soon a browser can use it, and what drawing its charts costs.

Of example_logs/deliveries.parquet and of a log of 10,000 groups: bytes; seconds from opening to
DOMContentLoaded and until a text typed into the filter has taken effect, in Chromium, the median
of several runs; CPU seconds of drawing all charts once matplotlib is imported, the least of several
runs.

    python -m benchmarks.page
"""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import polars as pl
import typer
from playwright.sync_api import Browser, sync_playwright

import lossreport
from lossreport.render.page import render_page

EXAMPLE = Path(__file__).parent.parent / "example_logs" / "deliveries.parquet"
GROUPS, ROWS = 10_000, 60_000


def many_groups(folder: Path) -> Path:
    """Write a log of 10,000 groups of six rows."""
    random, user = np.random.default_rng(1), np.arange(ROWS) % GROUPS
    actual = random.gamma(3, 30, ROWS)
    predicted = actual + random.normal(0, 5, ROWS) * (1 + 3 * (user % 97 == 0))
    path = folder / "groups.parquet"
    names = [f"user-{u:05d}" for u in user]
    pl.DataFrame({"actual": actual, "predicted": predicted, "user": names}).write_parquet(path)
    return path


def drawing(report: lossreport.Report, runs: int) -> float:
    """Return the CPU seconds of making the page: nearly all of it is drawing."""
    each = []
    for _ in range(runs):
        start = time.process_time()
        render_page(report)
        each.append(time.process_time() - start)
    return min(each)


def opening(browser: Browser, html: Path, runs: int) -> tuple[float, float]:
    """Return the seconds until the page is loaded, and until its filter has been used."""
    loaded, used = [], []
    for _ in range(runs):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        start = time.perf_counter()
        page.goto(html.as_uri(), wait_until="domcontentloaded")
        loaded.append(time.perf_counter() - start)
        page.locator("[type=search]").first.press_sequentially("1")
        page.locator(".found").first.inner_text()
        used.append(time.perf_counter() - start)
        page.close()
    return statistics.median(loaded), statistics.median(used)


def main(runs: Annotated[int, typer.Option(help="of each measurement")] = 7) -> None:
    """Print one line for each of the two pages."""
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        print(
            "| page | bytes | loaded, s | filter used, s | drawing, CPU s |\n|---|---|---|---|---|"
        )
        for log, by in ((EXAMPLE, None), (many_groups(folder), "user")):
            report = lossreport.report(log, by=by) if by else lossreport.report(log)
            html = folder / f"{log.stem}.html"
            html.write_text(render_page(report), "utf-8")
            loaded, used = opening(browser, html, runs)
            size, cpu = html.stat().st_size, drawing(report, runs)
            print(f"| {log.stem} | {size:,} | {loaded:.2f} | {used:.2f} | {cpu:.2f} |")
        browser.close()


if __name__ == "__main__":
    typer.run(main)
