"""The dialect of a text file, found from its first bytes and from what was given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.formats import count
from lossreport.logs.encoding import decoded_start, find_encoding, known_encoding, label
from lossreport.logs.heading import Heading, find_heading
from lossreport.logs.records import Layout, read_records
from lossreport.logs.separators import find_layout

COMMENTS = (b"#", b"//")
NAMED_SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
EXAMINED_RECORDS = 300
EXAMINED_CHARACTERS = 2**16
MOST_CONTROLS = 0.3
"""Data of which more are control characters is no text."""


@dataclass(frozen=True)
class TextOptions:
    """What was given about how text files are written; None and False mean "find it".

    Raises
    ------
    UsageError
        A value cannot be meant.
    """

    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    no_header: bool = False
    skip_lines: int | None = None
    missing: tuple[str, ...] = ()
    """Texts, made lower case, that stand for no value, beside the known ones."""

    def __post_init__(self) -> None:
        if self.separator is not None:
            separator = NAMED_SEPARATORS.get(self.separator.lower(), self.separator)
            if not separator or set(separator) & set("\r\n\x00\"'"):
                raise UsageError(f"{self.separator!r} cannot be a separator: give , ; tab or |.")
            object.__setattr__(self, "separator", separator)
        if self.encoding is not None:
            object.__setattr__(self, "encoding", known_encoding(self.encoding))
        if self.decimal not in (None, ".", ","):
            raise UsageError(f"The decimal mark is {self.decimal!r}; it can be . or ,")
        tokens = tuple(t.strip().lower() for t in self.missing)
        object.__setattr__(self, "missing", tokens)
        if self.skip_lines is not None and self.skip_lines < 0:
            raise UsageError(f"{self.skip_lines} lines cannot be skipped.")


@dataclass(frozen=True)
class Dialect:
    """How a text file is written."""

    encoding: str
    layout: Layout
    names: tuple[str, ...]
    """The columns', each once."""
    header: tuple[str, ...] | None
    """The names as they are written; None if there are none."""
    data_start: int
    """Where the first row begins, in bytes of the text in UTF-8, without byte-order mark."""
    bytes_per_row: int
    assumed: tuple[str, ...]
    """What is not the plain case, in words."""


def find_dialect(
    start: bytes,
    given: TextOptions,
    name: str,
    *,
    whole: bool,
    missing: Collection[str] = (),
) -> Dialect:
    """Return the dialect of a text file.

    Parameters
    ----------
    start
        Its first bytes, decompressed: about a megabyte.
    name
        Of the file, for messages.
    whole
        Whether `start` is all of it.
    missing
        Texts, lower case, that stand for no value, and so tell nothing about a header.

    Raises
    ------
    UnreadableLogError
        It is no text, is not of one encoding, or its first line does not end within `start`.
    """
    encoding = given.encoding or find_encoding(start, name)
    text = decoded_start(start, encoding, name, whole=whole)
    _check_is_text(text, name)
    returns = "\r" in text and "\n" not in text
    data = (text.replace("\r", "\n") if returns else text).encode()
    begin, comments, last_comment = _skipped(data, given.skip_lines)
    layout = find_layout(data[begin:], given.separator, carriage_return=returns)
    records = list(islice(read_records(data, layout, begin, final=whole), EXAMINED_RECORDS))
    if not records and len(data) > begin:
        raise UnreadableLogError(
            f"The first record of {name} does not end within {len(data):,} bytes: it is no "
            "separated text, or a quote is not closed."
        )
    heading = find_heading(
        records,
        layout,
        begin,
        missing=missing,
        no_header=given.no_header,
        titles=given.skip_lines is None,
        comment=last_comment,
    )
    length = records[-1][1] - heading.data_start if records else 0
    return Dialect(
        encoding,
        layout,
        heading.names,
        heading.header,
        heading.data_start,
        max(1, length // max(1, heading.rows)),
        (*_said_of(encoding, layout), *_said_of_lines(given.skip_lines, comments, heading)),
    )


def _check_is_text(text: str, name: str) -> None:
    text = text[:EXAMINED_CHARACTERS]
    controls = sum(text.count(chr(i)) for i in range(32) if chr(i) not in "\t\n\r\x1f")
    if controls > MOST_CONTROLS * len(text):
        raise UnreadableLogError(
            f"{name} is no text: {controls / len(text):.0%} of its beginning are control "
            "characters. If it is text in an uncommon encoding, give --encoding."
        )


def _skipped(data: bytes, lines: int | None) -> tuple[int, int, bytes]:
    """Return where the records begin, how many comment lines are before, and the last of them."""
    begin = 0
    if lines is not None:
        for _ in range(lines):
            begin = data.find(b"\n", begin) + 1 or len(data)
        return begin, 0, b""
    comments, last = 0, b""
    while begin < len(data):
        end = data.find(b"\n", begin) + 1 or len(data)
        line = data[begin:end].strip()
        mark = next((m for m in COMMENTS if line.startswith(m)), None)
        if mark is None and line:
            return begin, comments, last
        if mark is not None:
            comments, last = comments + 1, line.removeprefix(mark)
        begin = end
    return 0, 0, b""  # nothing but comments: they are the data


def _said_of(encoding: str, layout: Layout) -> list[str]:
    said = [] if encoding == "utf-8" else [label(encoding)]
    if layout.separator != ",":
        shown = {"\t": "tab", " ": "blank"}.get(layout.separator, layout.separator)
        said.append(f"separator {shown}")
    if layout.blanks:
        said.append("blanks after separators left out")
    if layout.quote != '"':
        said.append(f"quote {layout.quote}")
    return said


def _said_of_lines(given: int | None, comments: int, heading: Heading) -> list[str]:
    skipped = []
    if given:
        skipped.append(f"first {count(given, 'line')}")
    if comments:
        skipped.append(count(comments, "comment line"))
    if heading.titles:
        skipped.append(f"{count(heading.titles, 'line')} before the header")
    said = [f"{' and '.join(skipped)} skipped"] if skipped else []
    if heading.header is None and heading.names:
        said.append(f"no header, columns c1 to c{len(heading.names)}")
    return [*said, *heading.renamed]
