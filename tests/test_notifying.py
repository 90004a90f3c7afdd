"""The webhook: retries, time-outs, and an address that is never shown whole."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lossreport import notifying
from lossreport.errors import UsageError
from lossreport.notifying import NotNotifiedError, check_url, notify, shown
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]
LOG = EXAMPLES / "apples.csv"
SECRET = "T0K3N"


class Webhook:
    """A server that answers with the statuses it is given, and keeps what it was sent."""

    def __init__(self, *answers: int, headers: dict[str, str] | None = None) -> None:
        self.answers = list(answers)
        self.headers = headers or {}
        self.bodies: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.let_go = threading.Event()
        self.url = ""


@contextmanager
def serving(webhook: Webhook) -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            webhook.asked.append(self.headers["Content-Type"])
            webhook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status = webhook.answers.pop(0) if len(webhook.answers) > 1 else webhook.answers[0]
            if not status:  # answers nothing for as long as the test lasts
                webhook.let_go.wait(30)
                return
            self.send_response(status)
            for name, value in webhook.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            webhook.asked.append("GET")
            self.send_error(200)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,)).start()
    webhook.url = f"http://127.0.0.1:{server.server_address[1]}/hook/{SECRET}?k={SECRET}"
    try:
        yield webhook
    finally:
        webhook.let_go.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "WAITS", (0.0, 0.0))


def refused() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/{SECRET}"


def test_a_message_is_posted_once_where_it_is_taken() -> None:
    for status in (200, 202, 204):
        with serving(Webhook(status)) as hook:
            notify(hook.url, '{"text": "hello"}')
        assert hook.bodies == [{"text": "hello"}]
        assert hook.asked == ["application/json"]


def test_500_then_200_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "WAITS", (1.0, 3.0))
    slept: list[float] = []
    with serving(Webhook(500, 429, 200)) as hook:
        notify(hook.url, '{"text": "x"}', sleep=slept.append)
    assert len(hook.bodies) == 3
    assert slept == [1.0, 3.0]
    with serving(Webhook(503, 200, headers={"Retry-After": "9999"})) as hook:
        notify(hook.url, '{"text": "x"}', sleep=slept.append)
    assert slept[2:] == [notifying.LONGEST_WAIT]


@pytest.mark.parametrize(
    ("answers", "attempts", "says"),
    [
        ((500,), 3, "after 3 attempts: it answered with status 500"),
        ((404,), 1, "after 1 attempt: it answered with status 404"),
        ((302,), 1, "after 1 attempt: it answered with status 302"),
        ((0,), 3, "after 3 attempts: it did not answer in time"),
    ],
)
def test_what_fails_is_said_without_the_address(
    answers: tuple[int, ...], attempts: int, says: str
) -> None:
    with serving(Webhook(*answers, headers={"Location": "/elsewhere"})) as hook:
        with pytest.raises(NotNotifiedError) as error:
            notify(hook.url, '{"text": "x"}', timeout=0.3)
        assert len(hook.asked) == attempts
        assert "GET" not in hook.asked
    assert says in str(error.value)
    assert "http://127.0.0.1/\u2026" in str(error.value)
    assert SECRET not in str(error.value)


def test_nobody_listening_is_said() -> None:
    with pytest.raises(NotNotifiedError, match="refused the connection") as error:
        notify(refused(), "{}")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["", "T0K3N", "ftp://h/T0K3N", "https://user:T0K3N@h/", "file:///etc/T0K3N", "https:///T0K3N", "https://h:port/T0K3N",
     "https://[h/T0K3N", "https://h/T0K3N x", "https://h/T0K3N\r\nX: y", "https://h/T0K3N\u00e9"],
)  # fmt: skip
def test_what_is_no_webhook_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(UsageError) as error:
        check_url(url)
    assert SECRET not in str(error.value)


def test_only_scheme_and_host_are_shown() -> None:
    assert (
        shown(f"https://a:{SECRET}@Hooks.example:8443/{SECRET}#{SECRET}")
        == "https://hooks.example/\u2026"
    )


def test_the_command_notifies_after_writing(run: Run) -> None:
    with serving(Webhook(200)) as hook:
        ran = run(LOG, "--notify", hook.url)
    assert ran.code == 0
    (body,) = hook.bodies
    assert body["text"].startswith("apples.csv\n")
    assert "MAE 6.67" in body["text"]
    everything = ran.out + ran.err + ran.html + json.dumps(ran.json)
    assert SECRET not in everything


def test_a_failed_message_loses_nothing_and_fails_only_if_required(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSREPORT_NOTIFY", refused())
    for options, code in (((), 0), (("--notify-required",), 2)):
        ran = run(LOG, *options)
        assert ran.code == code
        assert "was not notified after 3 attempts: it refused the connection" in ran.err
        assert SECRET not in ran.err + ran.out
        assert ran.json["rows"]["read"] == 3
    (tmp_path / "c.toml").write_text("[[gates]]\nfigure = 'mae'\nmax = 1\n")
    ran = run(LOG, "--notify-required", "--config", tmp_path / "c.toml")
    assert ran.code == 3


def test_wrong_use_is_refused_before_the_log_is_read(run: Run) -> None:
    for options in (("--notify-required",), ("--notify", f"gopher://{SECRET}")):
        ran = run("no-such-log.csv", *options)
        assert ran.code == 2
        assert "--notify" in ran.err
        assert SECRET not in ran.err
