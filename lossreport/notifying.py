"""Posts a message to a webhook, whose address is a secret: it is never shown whole."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from lossreport.errors import LossReportError, UsageError
from lossreport.formats import count, visible

TIMEOUT = 10.0
"""Seconds that an attempt may wait for the other side."""
WAITS = (1.0, 3.0)
"""Seconds before the second and the third attempt."""
LONGEST_WAIT = 30.0
"""Seconds that the other side may ask to wait."""
AGAIN = (408, 425, 429)
"""Answers below 500 after which another attempt may succeed."""


class NotNotifiedError(LossReportError):
    """A message could not be delivered."""


class _NoRedirect(HTTPRedirectHandler):
    """A message posted elsewhere, or turned into a question, would be lost unseen."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        del req, fp, code, msg, headers, newurl


def check_url(url: str) -> None:
    """Raise UsageError if no message can be posted there; what is said does not show it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError("--notify asks for a URL of a webhook, http or https; it is not shown.")
    if "@" in parts.netloc:
        raise UsageError("The URL of --notify has a user name, which a webhook does not take.")
    if not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise UsageError("The URL of --notify has characters that must be written as %XX.")


def shown(url: str) -> str:
    """Return an address without what may be a secret: path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{visible(parts.hostname or '', 100)}/\u2026"


def notify(
    url: str,
    body: str,
    *,
    timeout: float = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Post JSON to a webhook; where it may help, again after a while.

    Parameters
    ----------
    body
        JSON.
    timeout
        Seconds that each attempt may wait.

    Raises
    ------
    NotNotifiedError
        No attempt succeeded: with the reason of the last.
    """
    attempts = 0
    for wait in (*WAITS, None):
        attempts += 1
        problem, asked = _post(url, body, timeout)
        if problem is None:
            return
        if wait is None or asked is None:
            break
        sleep(max(wait, asked))
    raise NotNotifiedError(
        f"{shown(url)} was not notified after {count(attempts, 'attempt')}: {problem}. "
        "All files are written."
    )


def _post(url: str, body: str, timeout: float) -> tuple[str | None, float | None]:
    """Return what went wrong, and how long to wait before another attempt (None: not to)."""
    headers = {"Content-Type": "application/json", "User-Agent": "lossreport"}
    request = Request(url, body.encode(), headers, method="POST")  # noqa: S310 - `check_url`
    try:
        with build_opener(_NoRedirect).open(request, timeout=timeout):
            return None, None
    except HTTPError as error:
        with error:
            asked = error.headers.get("Retry-After", "")
        again = error.code >= 500 or error.code in AGAIN
        wait = min(float(asked), LONGEST_WAIT) if asked.isdecimal() else 0.0
        return f"it answered with status {error.code}", wait if again else None
    except (URLError, OSError, HTTPException) as error:
        # The text of an exception may hold the address: only known kinds are told.
        return _reason(error), 0.0


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    kinds = (
        (TimeoutError, "it did not answer in time"),
        (ConnectionRefusedError, "it refused the connection"),
        (socket.gaierror, "there is no such host"),
        (ConnectionError, "the connection broke off"),
    )
    for kind, said in kinds:
        if isinstance(reason, kind):
            return said
    return f"no connection ({type(reason).__name__})"
