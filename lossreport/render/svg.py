"""Makes matplotlib's SVG small, repeatable, named, theme-aware and free of inline style.

Content-security policies such as Jenkins' block `style="..."` attributes, which turns a plain
matplotlib chart black; presentation attributes (`fill="..."`) are allowed everywhere. Known colours
also get a class that the page's CSS maps to its light or dark palette.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from html import escape

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
INK, MUTED, GRID, GREY, BLUE, ORANGE, BACKGROUND = (
    "#1b1f24", "#57606a", "#d8dee4", "#7f8791", "#0072b2", "#c44e00", "#fefefe",
)  # fmt: skip
CLASSES = {
    INK: "ink", MUTED: "muted", GRID: "grid", GREY: "grey", BLUE: "blue", ORANGE: "orange",
    BACKGROUND: "background",
}  # fmt: skip
FONT_SIZE = "9.5px"
"""The usual one, said once for a whole chart."""
DROPPED = {
    "stroke-linejoin", "stroke-linecap", "font-style", "font-variant", "font-stretch",
    "font-family",
}  # fmt: skip


def clean(text: str, name: str, title: str, description: str) -> str:
    """Return matplotlib's SVG text as an inline element called `name`."""
    # The text is matplotlib's own output, made from a figure of ours a moment ago.
    root = ET.fromstring(text)  # noqa: S314
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{SVG}metadata", f"{SVG}style") or child.tag.startswith(
                "{http://www.w3.org/1999/02"
            ):
                parent.remove(child)
    used = [v[1:] for e in root.iter() if (v := e.get(HREF))]
    used += [
        m for e in root.iter() for v in e.attrib.values() for m in re.findall(r"url\(#(.+?)\)", v)
    ]
    ids = {old: f"{name}-{i}" for i, old in enumerate(dict.fromkeys(used))}
    _style_once(root)
    width, height = (root.get("viewBox") or "0 0 100 100").split()[2:]
    body = "".join(_element(e, ids) for e in root)
    return (
        f'<svg class="chart muted-fill" fill="{MUTED}" id="{name}" '
        f'viewBox="0 0 {_rounded(width)} {_rounded(height)}" role="img" '
        f'aria-labelledby="{name}-title {name}-description" font-family="sans-serif" '
        f'font-size="{FONT_SIZE}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>{body}</svg>'
    )


def _style_once(root: ET.Element) -> None:
    """Give a marker the style of its uses, where they all have the same."""
    markers = {f"#{e.get('id')}": e for e in root.iter() if e.get("id")}
    uses: dict[str, list[ET.Element]] = {}
    for use in root.iter(f"{SVG}use"):
        uses.setdefault(use.get(HREF, ""), []).append(use)
    for link, each in uses.items():
        styles = {use.get("style") for use in each}
        if link in markers and len(styles) == 1 and (style := styles.pop()):
            markers[link].set("style", f"{markers[link].get('style', '')}; {style}")
            for use in each:
                del use.attrib["style"]


def _element(element: ET.Element, ids: Mapping[str, str]) -> str:
    """Return one element and its children as markup."""
    tag = element.tag.removeprefix(SVG)
    if tag == "text":
        _join_spans(element)
    inner = escape(element.text or "", quote=False) if tag in ("text", "tspan") else ""
    inner += "".join(_element(e, ids) for e in element)
    if tag in ("g", "defs") and not inner:
        return ""
    attributes = _attributes(element, ids)
    if tag == "path" and attributes.get("fill") == "none" and "stroke" not in attributes:
        return ""  # the background of figure and axes
    if tag == "g" and not attributes:
        return inner
    listed = "".join(f' {k}="{escape(v)}"' for k, v in attributes.items())
    return f"<{tag}{listed}>{inner}</{tag}>" if inner else f"<{tag}{listed}/>"


def _join_spans(element: ET.Element) -> None:
    """Keep only the text of a text element."""
    element.text = "".join(element.itertext()).strip()
    for child in list(element):
        element.remove(child)


def _attributes(element: ET.Element, ids: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in element.attrib.items():
        if key == "style":
            found |= _presentation(value)
        elif key == HREF:
            found["href"] = f"#{ids[value[1:]]}"
        elif key == "id":
            if value in ids:
                found["id"] = ids[value]
        elif not key.startswith("{"):
            found[key] = value
    _drop_what_is_usual(element.tag, found)
    refer = re.compile(r"url\(#(.+?)\)")
    return _coloured({k: refer.sub(lambda m: f"url(#{ids[m[1]]})", v) for k, v in found.items()})


def _drop_what_is_usual(tag: str, found: dict[str, str]) -> None:
    """Drop what says nothing, or what the whole chart says once."""
    if found.get("transform", "").startswith(("rotate(0 ", "rotate(-0 ")):
        del found["transform"]
    if found.get("stroke-dashoffset") == "0":
        del found["stroke-dashoffset"]
    usual = {"font-size": FONT_SIZE, "fill": MUTED} if tag == f"{SVG}text" else {}
    for key, value in usual.items():  # the whole chart's
        if found.get(key) == value:
            del found[key]


def _coloured(found: dict[str, str]) -> dict[str, str]:
    """Return attributes with shorter numbers, and a class for each colour of the palette."""
    for key in ("d", "transform", "x", "y", "width", "height", "points"):
        if key in found:
            found[key] = _rounded(found[key])
    if "d" in found:
        found["d"] = _lines_joined(found["d"])
    classes = [
        f"{CLASSES[found[k].lower()]}-{k}"
        for k in ("fill", "stroke")
        if found.get(k, "").lower() in CLASSES
    ]
    if classes:
        found["class"] = " ".join(classes)
    return found


def _lines_joined(path: str) -> str:
    """Return a path without the letters of lines that follow a move or a line: they are implied."""
    kept: list[str] = []
    last = ""
    for part in path.split():
        if part.isalpha():
            if part == "L" and last in ("M", "L"):
                continue
            last = part
        kept.append(part)
    return " ".join(kept)


def _presentation(style: str) -> dict[str, str]:
    """Return a style attribute's declarations as presentation attributes."""
    pairs = (d.split(":", 1) for d in style.split(";") if ":" in d)
    found = {k.strip(): v.strip() for k, v in pairs}
    font = found.pop("font", None)
    if font:
        size = re.search(r"([\d.]+)px", font)
        found["font-size"] = size[1] if size else FONT_SIZE
        if re.match(r"\s*(bold|[6-9]00)", font):
            found["font-weight"] = "bold"
    return {
        k: _rounded(v) if k == "stroke-dasharray" else v
        for k, v in found.items()
        if k not in DROPPED
    }


def _rounded(text: str) -> str:
    """Return text with every number rounded to one decimal and white space joined."""
    shorter = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), text)
    return " ".join(shorter.replace("-0 ", "0 ").split())
