"""Makes files that no reader likes: truncated, flipped, misnamed, empty, huge, deep."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

ROWS = 3000


def a_log() -> pl.DataFrame:
    rng = random.Random(7)
    actual = [rng.gauss(100, 10) for _ in range(ROWS)]
    return pl.DataFrame(
        {
            "id": list(range(ROWS)),
            "region": [rng.choice(["emea", "apac", "amer"]) for _ in range(ROWS)],
            "actual": actual,
            "predicted": [a + rng.gauss(0, 2) for a in actual],
        }
    )


def _whole() -> dict[str, bytes]:
    """Return one good log in each format, by ending."""
    frame = a_log()
    csv = frame.write_csv().encode()
    made: dict[str, bytes] = {"csv": csv, "ndjson": frame.write_ndjson().encode()}
    for ending, write in (
        ("parquet", lambda f: frame.write_parquet(f, row_group_size=500)),
        ("arrow", lambda f: frame.write_ipc(f, record_batch_size=500)),
        ("arrows", lambda f: frame.write_ipc_stream(f)),
    ):
        buffer = io.BytesIO()
        write(buffer)
        made[ending] = buffer.getvalue()
    made["json"] = json.dumps(frame.to_dicts()).encode()
    made["csv.gz"] = gzip.compress(csv, mtime=0)
    made["csv.bz2"] = bz2.compress(csv)
    made["csv.xz"] = lzma.compress(csv)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("log.csv"), csv)
    made["csv.zip"] = archive.getvalue()
    return made


def _damaged(whole: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for ending, data in whole.items():
        size = len(data)
        for place, length in (("start", 11), ("middle", size // 2), ("end", size - 9)):
            yield f"truncated-{place}.{ending}", data[:length]
        for place, at in (("head", 6), ("middle", size // 2), ("tail", size - 6)):
            flipped = bytearray(data)
            flipped[at] ^= 0xFF
            flipped[at + 1] ^= 0x55
            yield f"flipped-{place}.{ending}", bytes(flipped)
        yield (
            f"zeros-in-the-middle.{ending}",
            (data[: size // 3] + bytes(size // 3) + data[2 * (size // 3) :]),
        )


def _misnamed(whole: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for ending, other in (
        ("csv", "parquet"), ("parquet", "csv"), ("ndjson", "csv"), ("csv", "ndjson"),
        ("arrow", "parquet"), ("parquet", "arrow"), ("json", "csv"), ("csv.gz", "csv"),
        ("csv", "csv.gz"), ("csv.gz", "parquet"), ("csv.zip", "csv.gz"), ("csv.bz2", "csv.xz"),
        ("arrows", "arrow"), ("arrow", "arrows"),
    ):  # fmt: skip
        yield f"is-{other.replace('.', '-')}.{ending}", whole[other]


def _odd(whole: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    csv = whole["csv"]
    lines = csv.split(b"\n")
    for ending in ("csv", "parquet", "ndjson", "arrow", "json", "csv.gz", "csv.zip"):
        yield f"empty.{ending}", b""
    yield "only-a-header.csv", lines[0] + b"\n"
    yield "only-a-header-without-end.csv", lines[0]
    yield "only-blank-lines.csv", b"\n\n\r\n   \n"
    yield "only-a-bom.csv", b"\xef\xbb\xbf"
    yield "only-nul.csv", bytes(5000)
    yield "random.csv", random.Random(1).randbytes(20_000)
    yield "random.ndjson", random.Random(2).randbytes(20_000)
    yield "open-quote.csv", lines[0] + b'\n1,"emea,1,2\n' + b"\n".join(lines[1:])
    yield "quotes-inside.csv", b"\n".join([lines[0], b'1,em"ea,1,2', *lines[1:]])
    yield "ragged.csv", b"\n".join([*lines[:100], b"1,2", b"1,2,3,4,5,6", *lines[100:]])
    yield "nul-bytes.csv", csv.replace(b"emea", b"em\x00a")
    yield "half-utf-8.csv", csv.replace(b"emea", b"em\xc3a", 5)
    yield "huge-cell.csv", b"\n".join([*lines[:5], b"1," + b"x" * 30_000_000 + b",1,2", *lines[5:]])
    yield "huge-header.csv", b"actual,predicted," + b"h" * 5_000_000 + b"\n1,2,3\n"
    yield (
        "many-columns.csv",
        (
            b",".join([b"actual", b"predicted", *(b"c%d" % i for i in range(20_000))])
            + b"\n"
            + b",".join([b"1"] * 20_002)
            + b"\n"
        ),
    )
    yield "names-twice.csv", b"actual,actual,predicted\n1,2,3\n"
    yield "deep.ndjson", b'{"actual": 1, "predicted": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    yield "deep.json", b"[" * 100_000 + b"]" * 100_000
    yield "deep-objects.json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    yield "a-line-is-no-object.ndjson", whole["ndjson"] + b"[1, 2]\n3\n"
    yield "a-broken-line.ndjson", whole["ndjson"] + b'{"actual": 1, "predic\n'
    yield "huge-number.ndjson", b'{"actual": 1' + b"0" * 400 + b', "predicted": 1e999}\n'
    yield "one-number.json", b"42"
    yield "bomb.csv.gz", gzip.compress(b"actual,predicted\n" + b"1,1\n" * 10_000_000, 9, mtime=0)
    yield "trailing.csv.gz", whole["csv.gz"] + b"and then something else"
    yield "two-streams.csv.gz", whole["csv.gz"] + gzip.compress(b"\n".join(lines[1:]), mtime=0)
    yield "pickle.pkl", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94."
    two = io.BytesIO()
    with zipfile.ZipFile(two, "w") as file:
        file.writestr("a.csv", csv)
        file.writestr("b.csv", csv)
    yield "two-members.csv.zip", two.getvalue()
    marked = bytearray(whole["csv.zip"])
    marked[6] |= 1  # says that the member is encrypted, here ...
    marked[marked.rindex(b"PK\x01\x02") + 8] |= 1  # ... and in the directory
    yield "encrypted.csv.zip", bytes(marked)
    yield "encrypted.parquet", b"PARE" + bytes(500) + b"PARE"
    yield "log.xlsx", b"PK\x03\x04" + bytes(200)
    yield "log.sas7bdat", bytes(300)
    yield "log.dta", b"\x73" + bytes(100)
    yield "log.sav", b"$FL2" + bytes(100)


def bad_files() -> dict[str, bytes]:
    """Return each file's content by its name."""
    whole = _whole()
    made: dict[str, bytes] = {}
    for some in (_damaged(whole), _misnamed(whole), _odd(whole)):
        made |= dict(some)
    return made


def write_bad_files(folder: Path) -> list[Path]:
    """Write them all into a folder."""
    written = []
    for name, data in bad_files().items():
        (folder / name).write_bytes(data)
        written.append(folder / name)
    return written
