"""Files are written whole or not at all, and nobody else's file is replaced."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

import lossreport
from lossreport.errors import UsageError
from lossreport.writing import OWN_MARKS, check_writable, write_text, write_whole

LOG = pl.DataFrame({"y": [1.0, 2.0], "pred": [1.5, 1.0]})


@pytest.mark.parametrize(
    "error", [RuntimeError("bug"), KeyboardInterrupt(), OSError(28, "No space")]
)
@pytest.mark.parametrize("old", [b"old", None])
def test_a_writer_that_fails_midway_leaves_everything_as_it_was(tmp_path, error, old):
    path = tmp_path / "out.html"
    if old:
        path.write_bytes(old)

    def fails(file: Path) -> None:
        file.write_bytes(b"half")
        raise error

    with pytest.raises(UsageError if isinstance(error, OSError) else type(error)) as raised:
        write_whole(path, fails)
    assert [f.read_bytes() for f in tmp_path.iterdir()] == ([old] if old else [])
    if isinstance(error, OSError):
        assert "out.html cannot be written: No space" in str(raised.value)


def test_text_is_utf_8_with_plain_line_ends_whatever_characters_it_has(tmp_path):
    write_text(tmp_path / "a", "größe\n\ud800")
    assert (tmp_path / "a").read_bytes() == "größe\n\\ud800".encode()


def test_a_file_is_as_readable_as_any_other_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "content",
    [b"", b"mine", b"PAR1", b"PAR1junkPAR1", b"\x00" * 99, b"x" * 5000 + OWN_MARKS[0], None],
)
def test_a_foreign_file_is_only_replaced_by_force(tmp_path, content):
    path = tmp_path / "out[1].html"
    LOG.write_parquet(path) if content is None else path.write_bytes(content)
    with pytest.raises(UsageError, match=r"not written by lossreport.*--force"):
        check_writable(path, [], force=False)
    check_writable(path, [], force=True)


def test_own_files_of_every_kind_are_replaced(tmp_path):
    report = lossreport.report(LOG)
    write_text(tmp_path / "a.html", lossreport.render_page(report))
    write_text(tmp_path / "a.json", lossreport.to_json(report))
    made = lossreport.profile(LOG)
    write_whole(tmp_path / "a.parquet", lambda file: lossreport.save_profile(made, file))
    for path in tmp_path.iterdir():
        check_writable(path, ["s3://bucket/log.csv", "no such log"], force=False)


@pytest.mark.parametrize(
    "given", ["logs/a.csv", "logs/../logs/a.csv", "link.csv", "logs", "logs/*"]
)
def test_the_log_itself_is_not_even_overwritten_by_force(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    LOG.write_csv("logs/a.csv")
    Path("link.csv").symlink_to("logs/a.csv")
    with pytest.raises(UsageError, match="is the log itself"):
        check_writable(Path("logs/a.csv"), [given], force=True)


def test_a_place_that_cannot_be_written_to_is_named_before_anything_is_read(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=f"no folder {tmp_path / 'no'} .*create it"):
        check_writable(tmp_path / "no" / "out.html", [], force=True)
    with pytest.raises(UsageError, match="is a folder"):
        check_writable(tmp_path, [], force=True)
    check_writable(tmp_path / "out.html", [], force=False)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(UsageError, match=f"{tmp_path} is not writable: out.html"):
        check_writable(tmp_path / "out.html", [], force=True)
