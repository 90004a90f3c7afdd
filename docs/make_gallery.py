"""Makes the gallery: pages of the example logs, pictures of them, and what shows both.

python -m docs.make_gallery          all, with Chromium: what is in docs/gallery, and docs/page.png
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import shutil
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from PIL import Image, PngImagePlugin
from playwright.sync_api import sync_playwright

from lossreport.cli import app

ROOT = Path(__file__).parent.parent
GALLERY = ROOT / "docs" / "gallery"
COVER = ROOT / "docs" / "page.png"
SHOWS = "Page SHA-256"
"""What a picture calls the hash of the page that it shows."""
COLOURS = 256
"""Of a picture; the pages have few, and the rest are shades at the edges of letters."""

BEGINNING = """# Gallery

Pages made from the [example logs](../../example_logs/README.md), each a file that loads nothing from anywhere: download
one and open it. With each stands the page's own first sentence. `python -m docs.make_gallery` makes all of this.
"""


@dataclass(frozen=True)
class Shot:
    """A picture of a page's beginning."""

    name: str
    width: int = 1280
    height: int = 1000
    dark: bool = False


@dataclass(frozen=True)
class Example:
    """A page of the gallery."""

    name: str
    title: str
    words: tuple[str, ...]
    """What follows `lossreport report`, run where the project is."""
    shots: tuple[Shot, ...]

    @property
    def command(self) -> str:
        """The command as one types it."""
        return " ".join(["lossreport", "report", *(w if w else "''" for w in self.words)])


def _example(name: str, title: str, *words: str, shots: tuple[Shot, ...] = ()) -> Example:
    return Example(name, title, words, (Shot(name), *shots))


EXAMPLES = (
    _example(
        "deliveries", "One region makes the squared error",
        "example_logs/deliveries.parquet",
        shots=(Shot("deliveries_dark", dark=True), Shot("deliveries_mobile", 390, 844)),
    ),
    _example(
        "models", "Three models, compared day by day",
        "example_logs/deliveries.parquet", "--compare", "model", "--time", "time",
    ),
    _example(
        "foodwaste", "Predictions that are too high",
        "example_logs/foodwaste.csv",
    ),
    _example(
        "polls", "Polls of five kinds of election, compared like models",
        "example_logs/polls.csv", "--actual", "margin_actual", "--predicted", "margin_poll",
        "--compare", "type_simple",
    ),
    _example(
        "ton_fee", "No groups, a few spikes",
        "example_logs/ton_fee.csv", "--by", "",
    ),
    _example(
        "apples", "Three rows: L1 and L2 by hand",
        "example_logs/apples.csv", "--unit", "g",
    ),
    _example(
        "nothing_scored", "A log of which no row can be scored",
        "example_logs/nothing_scored.csv",
    ),
    _example(
        "house_style", "Templates of one's own",
        "example_logs/foodwaste.csv", "--templates", "docs/house_style",
    ),
)  # fmt: skip


def main() -> None:
    """Make all pages and pictures anew."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        for example in EXAMPLES:
            (folder / f"{example.name}.html").write_text(page_of(example), "utf-8")
        _take_pictures(folder)
        (folder / "README.md").write_text(readme(folder), "utf-8")
        shutil.rmtree(GALLERY, ignore_errors=True)
        shutil.copytree(folder, GALLERY)
    shutil.copy(GALLERY / f"{EXAMPLES[0].name}.png", COVER)
    for file in sorted(GALLERY.iterdir()):
        print(f"{file.relative_to(ROOT)} {file.stat().st_size / 1000:.0f} KB")


def page_of(example: Example) -> str:
    """Return the page that the example's command writes."""
    with TemporaryDirectory() as made, chdir(ROOT):
        path = Path(made) / "page.html"
        command: Any = typer.main.get_command(app)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
            code = command(["report", *example.words, "--html", str(path)], standalone_mode=False)
        if not path.exists():
            sys.exit(f"{example.command} ended with {code}: {said.getvalue()}")
        return path.read_text("utf-8")


def readme(folder: Path) -> str:
    """Return the text that shows the gallery's pages, each with its first sentence."""
    parts = [BEGINNING]
    for example in EXAMPLES:
        page = (folder / f"{example.name}.html").read_text("utf-8")
        pictures = " ".join(
            f'<img src="{s.name}.png" width="{min(s.width, 640) if s.width > 400 else 195}" '
            f'alt="{_alt(example, s)}">'
            for s in example.shots
        )
        parts.append(
            f"## {example.title}\n\n    {example.command}\n\n"
            f"[{example.name}.html]({example.name}.html): {first_sentence(page)}\n\n{pictures}\n"
        )
    return "\n".join(parts)


def _alt(example: Example, shot: Shot) -> str:
    how = ", in the dark" if shot.dark else ", on a phone" if shot.width < 600 else ""
    return f"The beginning of {example.name}.html{how}"


def first_sentence(page: str) -> str:
    """Return the sentence that a page opens with, escaped as Markdown needs it."""
    (said,) = re.findall(r'<meta name="description" content="(.*?)">', page)
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", html.unescape(said))


def _take_pictures(folder: Path) -> None:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("Chromium is not installed: no pictures can be taken.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        for example in EXAMPLES:
            page_file = folder / f"{example.name}.html"
            for shot in example.shots:
                opened = browser.new_page(
                    viewport={"width": shot.width, "height": shot.height},
                    color_scheme="dark" if shot.dark else "light",
                )
                opened.goto(page_file.as_uri())
                _save(opened.screenshot(), folder / f"{shot.name}.png", hash_of(page_file))
                opened.close()
        browser.close()


def hash_of(page: Path) -> str:
    """Return the hash of a page."""
    return hashlib.sha256(page.read_bytes()).hexdigest()


def _save(taken: bytes, path: Path, shows: str) -> None:
    """Write a picture small, and in it which page it shows."""
    note = PngImagePlugin.PngInfo()
    note.add_text(SHOWS, shows)
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    counted: Any = picture.getcolors(picture.width * picture.height)
    most = sorted(counted, key=lambda c: (-c[0], c[1]))[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for _, colour in most for value in colour])
    few = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    few.save(path, optimize=True, pnginfo=note)


if __name__ == "__main__":
    main()
