"""Coverage-guided fuzzing of how text files and JSON are read; run by continuous integration.

    python tests/fuzz_reading.py csv -max_total_time=30
    python tests/fuzz_reading.py json -max_total_time=30

Any bytes give a dialect, within 20 seconds, or an error in words; and a file of these bytes gives
frames of the columns that were promised, or an error in words, never a panic of its reader.
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
    from lossreport.logs.opening import open_files
    from lossreport.logs.patience import reading
    from lossreport.logs.values import MISSING_TOKENS

SEEDS = {
    "csv": (
        b"actual,predicted\n1,2\n3,4\n",
        'aktüll;vorhergesagt\r\n1,5;2,5\r\n"3\r\n";4\r\n'.encode("cp1252"),
        "actual\tpredicted\n1\t2\n".encode("utf-16"),
        b"# title\nactual|predicted\n1.234,5|'1'\nactual|predicted\n1|2|3\n",
        b"sep=;\n\xef\xbb\xbfa, b\r1, 2\r",
        b"a;b;c\n1,234%;1 234;1.234\n-2,5 %;1'234'567,8;+0.123\n",
    ),
    "json": (
        b'{"actual": 1, "predicted": 2}\n{"actual": null, "predicted": "3"}\n',
        b'[{"actual": 1, "predicted": 2.5, "group": "a"}, {"actual": 12345678901234567890}]',
        b'{"data": [{"a": {"*": 1, "b": {"c": NaN}}, "predicted": [1, 2]}]}',
        b'\xef\xbb\xbf{"a": 1e400}\r\n{"a": -Infinity, "^a$": true}\n',
        '{"a": "\\u00e4", "b": "ä"}\n'.encode("utf-16"),
    ),
}
KIND = sys.argv.pop(1)
FILE = Path(tempfile.mkdtemp()) / f"log.{KIND}"


def find(data: bytes) -> None:
    """Find the dialect of a text file's bytes."""
    started = time.monotonic()
    with contextlib.suppress(LossReportError):
        find_dialect(data, TextOptions(), FILE.name, whole=True, missing=MISSING_TOKENS)
    assert time.monotonic() - started < 20


def read(data: bytes) -> None:
    """Read a file of these bytes."""
    if KIND == "csv":
        find(data)
    FILE.write_bytes(data)
    try:
        (part,) = open_files([str(FILE)]).parts
        with reading(part.path):
            for frame in part.frames(part.schema.names()):
                assert set(part.schema.names()) <= set(frame.collect().columns)
    except LossReportError as error:
        if "broke its reader" in str(error):
            raise


def main() -> None:
    """Fuzz, beginning with files of every kind."""
    corpus = Path(tempfile.mkdtemp())
    for i, seed in enumerate(SEEDS[KIND]):
        (corpus / f"seed-{i}").write_bytes(seed)
    atheris.Setup([sys.argv[0], "-max_len=400", "-timeout=20", *sys.argv[1:], str(corpus)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
