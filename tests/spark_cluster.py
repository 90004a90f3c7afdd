"""A real Spark on this machine: a master with two workers, and a Spark Connect server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

PATIENCE = 300
QUIET = "org.apache.spark.deploy"


def java() -> str:
    """Return Java's path; skip the test without it, or fail where nothing may be skipped."""
    path = shutil.which("java")
    if path is None:
        if os.environ.get("LOSSREPORT_NO_SKIP"):
            pytest.fail("Java is not installed, and no test may be skipped here")
        pytest.skip("Java is not installed")
    return path


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """Return what Spark's processes are told: where it is, which Python, one thread for a task."""
    import pyspark

    return {
        **os.environ,
        "SPARK_HOME": next(iter(pyspark.__path__)),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "POLARS_MAX_THREADS": "1",
        "JAVA_TOOL_OPTIONS": "-Xshare:auto -XX:TieredStopAtLevel=1",
    }


@dataclass
class Cluster:
    """A master and its workers."""

    folder: Path
    port: int
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    def kill_a_worker(self) -> None:
        """Kill a worker, and whatever it has started, at once."""
        os.killpg(self.workers.pop().pid, signal.SIGKILL)


@contextmanager
def _running(
    log: Path, words: list[str], ready: Callable[[], bool]
) -> Iterator[subprocess.Popen[bytes]]:
    home = environment()["SPARK_HOME"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [f"{home}/bin/{words[0]}", *words[1:]], stdout=out, stderr=subprocess.STDOUT,
            env=environment(), cwd=log.parent, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + PATIENCE
        while not ready():
            assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
            assert time.monotonic() < until, log.read_text("utf-8", "replace")[-2000:]
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _registered(log: Path) -> bool:
    return "Successfully registered with master" in log.read_text("utf-8", "replace")


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """Start a master and workers with a core each, and end them."""
    java()
    made = Cluster(folder, free_port())
    here = ["--host", "127.0.0.1", "--webui-port", "0"]
    with ExitStack() as stack:
        log = folder / "master.log"
        words = ["spark-class", f"{QUIET}.master.Master", *here, "--port", str(made.port)]
        stack.enter_context(_running(log, words, lambda: _listens(made.port)))
        for i in range(workers):
            mine = folder / f"worker{i}.log"
            words = ["spark-class", f"{QUIET}.worker.Worker", *here, "--cores", "1",
                     "--memory", "1g", "--work-dir", str(folder / f"worker{i}"), made.url]  # fmt: skip
            started = stack.enter_context(_running(mine, words, partial(_registered, mine)))
            made.workers.append(started)
        yield made


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """Start a Spark Connect server of its own, and end it; gives its address."""
    java()
    port = free_port()
    words = ["spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
             "--master", "local[2]", "--conf", f"spark.connect.grpc.binding.port={port}",
             "--conf", "spark.connect.grpc.binding.address=127.0.0.1",
             "--conf", "spark.sql.files.maxPartitionBytes=300000",
             "--conf", "spark.sql.files.openCostInBytes=0",
             "--conf", "spark.ui.enabled=false", "spark-internal"]  # fmt: skip
    with _running(folder / "connect.log", words, lambda: _listens(port)):
        yield f"sc://127.0.0.1:{port}"
