"""A proxy before the S3 server of the tests: fails, waits and refuses as told, and counts bytes."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Fault = Callable[[str, int], int | float | None]
"""Given a request's path and its number (from 0) among those to this path: the status to answer
with, how many seconds to wait first (a float), or None."""
CODES = {403: "AccessDenied", 404: "NoSuchKey", 500: "InternalError", 503: "SlowDown"}


def no_fault(_path: str, _number: int) -> None:
    """Let everything through."""


@dataclass
class Proxy:
    """What goes through."""

    address: str
    behind: str
    fault: Fault = no_fault
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes of objects that were sent, by path."""
    asked: Counter[str] = field(default_factory=Counter)
    """Requests, by path."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    """Answers for the `through` of its class."""

    protocol_version = "HTTP/1.1"
    through: Proxy

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        with self.through.lock:
            number = self.through.asked[path]
            self.through.asked[path] += 1
        fault = self.through.fault(path, number)
        if isinstance(fault, int):
            self.refuse(fault)
            return
        time.sleep(fault or 0)
        sent = self.pass_on()
        with self.through.lock:
            self.through.sent[path] += sent

    def refuse(self, status: int) -> None:
        text = f"<Error><Code>{CODES[status]}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def pass_on(self) -> int:
        """Have it answered behind, and return how many bytes that were."""
        at = urlsplit(self.through.behind)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
        kept = {k: v for k, v in self.headers.items() if k.lower() != "host"}
        connection.request(self.command, self.path, headers=kept)
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()
        return len(body)


@contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    """Run a proxy before the server of this address, until the end."""
    made = Proxy("", behind)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Mine", (Handler,), {"through": made}))
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    serve = partial(server.serve_forever, poll_interval=0.05)
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
