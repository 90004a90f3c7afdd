"""Files that no reader likes: a clear message and the documented exit code, never a wrong page."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import lossreport
from lossreport.cli import app
from lossreport.logs import arrow_stream, patience
from lossreport.logs.log import Log
from lossreport.logs.part import Part
from lossreport.render import drawing
from tests.bad_files import a_log, bad_files, write_bad_files
from tests.conftest import BLANK, ROOT, Ran

Run = Callable[..., Ran]
HUNG_SECONDS = 300


@dataclass(frozen=True)
class Ended:
    """How `lossreport report FILE` ended, with all that came to the standard error stream."""

    code: int
    err: str
    gigabytes: float
    page: bool


def _report(path: Path) -> Ended:
    page = path.with_name(path.name + ".html")
    faulthandler.dump_traceback_later(HUNG_SECONDS, exit=True)
    kept = os.dup(2)
    with tempfile.TemporaryFile() as err:
        os.dup2(err.fileno(), 2)  # what libraries write there themselves counts too
        try:
            app(["report", str(path), "--html", str(page), "--quiet"])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stderr.flush()
        os.dup2(kept, 2)
        err.seek(0)
        text = err.read().decode()
    os.close(kept)
    faulthandler.cancel_dump_traceback_later()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Ended(code, text, most, page.exists())


def _leave_charts_blank() -> None:
    drawing.drawn = lambda _height, _plot: BLANK


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ended]]:
    folder = tmp_path_factory.mktemp("bad")
    files = write_bad_files(folder)
    # In other processes: a reader may take its process with it, and then all of these tests fail.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=_leave_charts_blank) as pool:
        yield dict(zip((f.name for f in files), pool.map(_report, files), strict=True))


@pytest.mark.parametrize("name", bad_files())
def test_a_bad_file_ends_in_words(ended: dict[str, Ended], name: str) -> None:
    end = ended[name]
    # Two columns of one name: which is meant is for the command to say.
    assert end.code in ((2,) if name == "names-twice.csv" else (0, 4, 5)), end.err
    assert "Traceback" not in end.err
    assert len(end.err.strip().splitlines()) <= 5
    assert (end.code == 0) == (not end.err)
    assert end.page == (end.code in (0, 5))
    assert end.code != 4 or name in end.err
    assert end.gigabytes < 2


@pytest.mark.parametrize("name", [n for n in bad_files() if n.startswith("truncated")])
def test_a_truncated_file_is_never_a_whole_one(ended: dict[str, Ended], name: str) -> None:
    # Text may end at any byte; its last line then goes to the ledger.
    assert ended[name].code in ((0, 4, 5) if name.endswith(".csv") else (4,))


@pytest.mark.parametrize("name", ["encrypted.parquet", "encrypted.csv.zip"])
def test_an_encrypted_file_is_said_to_be_one(ended: dict[str, Ended], name: str) -> None:
    assert ended[name].code == 4
    assert "encrypted" in ended[name].err


def test_a_log_without_rows_still_has_a_page(ended: dict[str, Ended]) -> None:
    assert ended["only-a-header.csv"].code == 5


def _broken_late(path: Path) -> None:
    """Write a Parquet file whose first rows can be read, but not its last row group."""
    buffer = BytesIO()
    pl.concat([a_log()] * 100).write_parquet(buffer, row_group_size=10_000)
    data = bytearray(buffer.getvalue())
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")  # where the footer begins
    at = int(0.97 * end)
    data[at:end] = bytes(end - at)
    path.write_bytes(bytes(data))
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_parquet(path)
    assert pl.scan_parquet(path).head(200_000).collect().height == 200_000


def test_skipping_leaves_a_bad_file_out_whole(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    a_log().write_parquet(log / "good.parquet")
    _broken_late(log / "late.parquet")
    (log / "no-log.parquet").write_bytes(b"PAR1")
    stopped = run(log)
    assert stopped.code == 4
    assert "late.parquet cannot be read" in stopped.err or "no-log.parquet" in stopped.err
    skipped = run(log, "--on-bad-file", "skip")
    found, page = skipped.json, skipped.html
    alone = run(log / "good.parquet").json
    assert skipped.code == 0
    assert found["rows"] == alone["rows"]
    assert found["predictions"][0]["overall"] == alone["predictions"][0]["overall"]
    reasons = {Path(s["path"]).name: s["skipped"] for s in found["sources"]}
    assert reasons["good.parquet"] is None
    assert "late.parquet cannot be read" in reasons["late.parquet"]
    assert "no-log.parquet" in reasons["no-log.parquet"]
    (finding,) = (f for f in found["findings"] if f["code"] == "LR040")
    assert (finding["status"], finding["severity"], finding["count"]) == ("issue", "error", 2)
    assert finding["message"].startswith("2 of 3 files skipped")
    assert "late.parquet" in page


def test_nothing_is_skipped_in_a_good_log(run: Run) -> None:
    found = run(ROOT / "example_logs/apples.csv", "--on-bad-file", "skip").json
    (finding,) = (f for f in found["findings"] if f["code"] == "LR040")
    assert finding["status"] == "passed"
    assert found["rows"] == {"read": 3, "scored": 3, "left_out": {}}


def test_when_all_files_are_bad_there_is_no_page(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    (log / "a.parquet").write_bytes(b"PAR1")
    _broken_late(log / "b.parquet")
    ended = run(log, "--on-bad-file", "skip", "--by", "")
    assert ended.code == 4
    assert "None of the log's files (2) could be read" in ended.err
    assert not (ended.folder / "out.html").exists()


def test_an_unknown_way_to_meet_bad_files_is_refused() -> None:
    with pytest.raises(lossreport.UsageError, match="stop or skip"):
        lossreport.profile("example_logs/apples.csv", on_bad_file="ignore")


def _part(frames: Callable[[Sequence[str]], Iterator[pl.LazyFrame]]) -> Part:
    return Part("slow.db", "frame", None, None, pl.Schema({"y": pl.Float64}), frames)


def test_a_reader_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.2)

    def frames(columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
        time.sleep(2)
        yield pl.LazyFrame({"y": [1.0]})

    with pytest.raises(
        lossreport.UnreadableLogError, match=r"slow\.db gave no rows for 0.2 seconds"
    ):
        Log((_part(frames),)).sample()


def test_a_reader_that_panics_is_an_error_of_its_file() -> None:
    def frames(columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
        raise pl.exceptions.PanicException("index out of bounds")
        yield

    with pytest.raises(lossreport.UnreadableLogError, match=r"broke its reader .index out"):
        Log((_part(frames),)).sample()


def test_items_made_ahead_come_in_order_and_errors_in_their_turn() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("gone")

    made = patience.ahead("x", items())
    assert [next(made) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(OSError, match="gone"):
        next(made)


def _stream(batch_rows: int) -> bytes:
    table = a_log().with_columns(pl.col("region").cast(pl.Categorical)).to_arrow()
    buffer = BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        for batch in table.to_batches(batch_rows):
            writer.write_batch(batch)
    return buffer.getvalue()


def test_a_stream_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_stream, "BLOCK_BYTES", 20_000)
    path = tmp_path / "log.arrows"
    path.write_bytes(_stream(100))
    frames = list(arrow_stream.batches(str(path)))
    assert len(frames) > 3
    assert pl.concat(frames).with_columns(pl.col("region").cast(pl.String)).equals(a_log())
    only = pl.concat(arrow_stream.batches(str(path), ["predicted"]))
    assert only.equals(a_log().select("predicted"))


def test_a_stream_that_ends_before_its_file_is_not_a_shorter_log(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.arrows"
    whole = _stream(100)
    second = whole.index(b"\xff\xff\xff\xff", len(whole) // 2)
    path.write_bytes(whole[:second] + bytes(3000) + whole[second + 3000 :])
    assert 0 < pl.read_ipc_stream(path).height < a_log().height
    ended = run(path)
    assert ended.code == 4
    assert "damaged" in ended.err
    path.write_bytes(whole[:second] + arrow_stream.END + whole[second:])
    ended = run(path)
    assert ended.code == 4
    assert "bytes follow" in ended.err


def test_skipping_changes_nothing_in_good_files_large_and_small(tmp_path: Path) -> None:
    for name, times in (("a.parquet", 1), ("b.parquet", 150), ("c.parquet", 101), ("d.parquet", 1)):
        pl.concat([a_log()] * times).write_parquet(tmp_path / name)
    stopped, skipped = (
        lossreport.profile(tmp_path, by="region", on_bad_file=how) for how in ("stop", "skip")
    )
    assert sorted(skipped.sources, key=lambda s: s.path) == list(stopped.sources)
    assert skipped.worst.equals(stopped.worst)
    exact, close = ("prediction", "key_0", "n"), ("sum_error", "sum_sq_error", "sum_fourth_error")
    for one, other in zip(stopped.tables, skipped.tables, strict=True):
        assert one.moments.select(exact).equals(other.moments.select(exact))
        assert_frame_equal(one.moments.select(close), other.moments.select(close), rel_tol=1e-12)


def test_skipping_keeps_what_else_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("actual,predicted\n1,2\nnix,3\n")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    made = lossreport.report(tmp_path, by="", on_bad_file="skip", missing="nix")
    assert made.rows.left_out == (("actual_missing", 1),)


def _readers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "lossreport-read"]


def _ended_readers() -> bool:
    until = time.monotonic() + 10
    while _readers() and time.monotonic() < until:
        time.sleep(0.02)
    return not _readers()


def test_no_reader_is_left_of_a_log_that_broke(tmp_path: Path) -> None:
    long = pl.select(actual=pl.int_range(600_000) * 1.37).with_columns(predicted="actual")
    long.head(300_000).write_parquet(tmp_path / "a.parquet", row_group_size=50_000)
    long.write_parquet(tmp_path / "b.parquet", row_group_size=50_000)
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    at = len(data) * 4 // 5
    data[at : at + len(data) // 10] = bytes(len(data) // 10)
    (tmp_path / "a.parquet").write_bytes(data)
    assert _ended_readers()
    with pytest.raises(lossreport.UnreadableLogError, match=r"a\.parquet") as raised:
        lossreport.report(tmp_path)
    assert _ended_readers()
    assert raised.value.exit_code == 4


def test_a_reader_whose_items_nobody_wants_ends() -> None:
    closed = []

    def items() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    made = patience.ahead("x", items())
    del made
    assert _ended_readers()
    assert closed == [True]
    asked = patience.ahead("x", items())
    assert next(asked) == 0
    asked.close()
    assert list(asked) == []
    assert _ended_readers()
