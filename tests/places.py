"""Places for histories in tests: folders, and buckets of an S3 server on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lossreport
from lossreport.profiles.profile import Profile

BUCKET = "nights"


@contextmanager
def s3_server(log: Path) -> Iterator[dict[str, str]]:
    """Run moto's server until the end; yields the environment in which it is s3://nights."""
    words = [sys.executable, "-u", "-c", "import moto.server as s; s.main(['-p', '0'])"]
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out)
    try:
        port = None
        while port is None:
            assert process.poll() is None, log.read_text()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
            port = found and found[1]
        address = f"http://127.0.0.1:{port}"
        request = urllib.request.Request(f"{address}/{BUCKET}", method="PUT")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
        yield {
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }
    finally:
        process.terminate()
        process.wait()


def log_of_night(folder: Path, name: str, day: int, rows: int) -> Path:
    """Write a log of `rows` rows on 2026-11-`day`, each with an error of `rows`."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.csv"
    row = f"2026-11-{day:02}T01:00:00,0.0,{rows:.1f}\n"
    path.write_text("time,actual,predicted\n" + row * rows)
    return path


def profile_of_night(folder: Path, name: str, day: int, rows: int) -> Profile:
    """Return the profile of such a log."""
    return lossreport.profile(log_of_night(folder, name, day, rows), by="", worst=1)


def environment(more: dict[str, str]) -> dict[str, str]:
    """Return this process' environment and more."""
    return {**os.environ, **more}
