"""Coverage-guided fuzzing of how text files are understood; run by continuous integration.

    python tests/fuzz_dialect.py -max_total_time=30

Any bytes give a dialect, within a second, or an error in words; and a file of these bytes gives
frames of the columns that were promised, or an error in words.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lossreport.logs"]):
    from lossreport.errors import LossReportError
    from lossreport.logs.dialect import TextOptions, find_dialect
    from lossreport.logs.text import open_text
    from lossreport.logs.values import MISSING_TOKENS

FILE = Path(tempfile.mkdtemp()) / "a.csv"
SEEDS = (
    b"actual,predicted\n1,2\n3,4\n",
    'aktüll;vorhergesagt\r\n1,5;2,5\r\n"3\r\n";4\r\n'.encode("cp1252"),
    "actual\tpredicted\n1\t2\n".encode("utf-16"),
    b"# title\nactual|predicted\n1.234,5|'1'\nactual|predicted\n1|2|3\n",
    b"sep=;\n\xef\xbb\xbfa, b\r1, 2\r",
    b"a;b;c\n1,234%;1 234;1.234\n-2,5 %;1'234'567,8;+0.123\n",
)


def understand(data: bytes) -> None:
    """Find the dialect, then read the file."""
    started = time.monotonic()
    with contextlib.suppress(LossReportError):
        find_dialect(data, TextOptions(), "a.csv", whole=True, missing=MISSING_TOKENS)
    assert time.monotonic() - started < 20
    FILE.write_bytes(data)
    try:
        part = open_text(str(FILE), len(data), TextOptions())
        for frame in part.frames(part.schema.names()):
            read = frame.collect()
            assert set(part.schema.names()) <= set(read.columns)
    except LossReportError:
        pass


def main() -> None:
    """Fuzz, beginning with files of every kind."""
    corpus = Path(tempfile.mkdtemp())
    for i, seed in enumerate(SEEDS):
        (corpus / f"seed-{i}").write_bytes(seed)
    atheris.Setup(
        [sys.argv[0], "-max_len=400", "-timeout=20", *sys.argv[1:], str(corpus)], understand
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
