"""Logs in an object store: folders and patterns of thousands of objects, faults, bytes fetched."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.object_stores import expanded, store_at
from tests.faulty_store import Proxy, no_fault, proxy
from tests.places import s3_server

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=someone/20261127/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
MANY = 1_100
"""More than a page of a listing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with s3_server(tmp_path_factory.mktemp("s3") / "server.log") as settings:
        yield settings


@pytest.fixture(scope="module")
def before_it(server: dict[str, str]) -> Iterator[Proxy]:
    """One for all tests: Polars keeps the stores that it has opened."""
    with proxy(server["AWS_ENDPOINT_URL"]) as made:
        yield made


@pytest.fixture
def store(
    server: dict[str, str], before_it: Proxy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """The bucket s3://nights behind a proxy."""
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", before_it.address)
    yield before_it
    before_it.fault = no_fault


def put(server: dict[str, str], objects: dict[str, bytes]) -> None:
    """Write objects, past the proxy."""
    address = urlsplit(server["AWS_ENDPOINT_URL"])

    def one(item: tuple[str, bytes]) -> None:
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        connection.request("PUT", f"/nights/{item[0]}", body=item[1], headers=SIGNED)
        assert connection.getresponse().status == 200
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, objects.items()))


def parquet(frame: pl.DataFrame, **how: int) -> bytes:
    file = BytesIO()
    frame.write_parquet(file, **how)  # type: ignore[arg-type]
    return file.getvalue()


def log_of(rows: int, error: float = 1.0) -> pl.DataFrame:
    return pl.DataFrame({"actual": np.zeros(rows), "predicted": np.full(rows, error)})


def test_a_folder_is_listed_page_by_page(server: dict[str, str], store: Proxy) -> None:
    few = parquet(pl.DataFrame({"actual": [0.0, 0.0, 0.0], "predicted": [1.0, -2.0, 0.5]}))
    put(server, {f"many/{i // 100}/{i:05}.parquet": few for i in range(MANY)})
    put(server, {"many/_log/x.parquet": b"no", "many/.x.parquet": b"no", "many/_SUCCESS": b"-",
                 "many/notes.txt": b"no", "manyother/1.parquet": b"no"})  # fmt: skip
    assert len(expanded(["s3://nights/many/"])) == len(expanded(["s3://nights/many"])) == MANY
    made = lossreport.profile("s3://nights/many/[39]/", by="")
    assert (made.rows, len(made.sources)) == (600, 200)
    assert [s.path for s in made.sources] == sorted(s.path for s in made.sources)
    assert len(expanded(["s3://nights/many/**/*7.parquet"])) == MANY // 10
    assert len(expanded(["s3://nights/many/*/0000?.parquet"])) == 10


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("s3://nights/empty/", "There are no logs in s3://nights/empty/"),
        ("s3://nights/a/*.parquet", "No file matches"),
        ("s3://nowhere/x/", "s3://nowhere/x cannot be used: NoSuchBucket"),
    ],
)
def test_where_nothing_is_it_is_said(store: Proxy, path: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        lossreport.profile(path)


def test_a_store_that_stumbles_is_asked_again(server: dict[str, str], store: Proxy) -> None:
    put(server, {f"stumbles/{i}.parquet": parquet(log_of(50, i)) for i in range(4)})
    store.fault = lambda _, number: (503, 500, 0.3, None)[number % 4]
    made = lossreport.profile("s3://nights/stumbles/", by="")
    assert made.rows == 200
    assert lossreport.report(made).predictions[0].overall.mae == 1.5


@pytest.mark.parametrize(("status", "code"), [(403, "(AccessDenied|Forbidden|403)"), (404, "is not there")])  # fmt: skip
def test_a_refusal_is_said_in_a_line(
    server: dict[str, str], store: Proxy, status: int, code: str
) -> None:
    put(server, {f"refused/{i}.parquet": parquet(log_of(5)) for i in range(3)})
    store.fault = lambda path, _: status if path.endswith("1.parquet") else None
    with pytest.raises(UnreadableLogError, match=rf"refused/1\.parquet .*{code}") as caught:
        lossreport.profile("s3://nights/refused/", by="")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    made = lossreport.profile("s3://nights/refused/", by="", on_bad_file="skip")
    assert made.rows == 10
    assert [s.path for s in made.sources if s.skipped] == ["s3://nights/refused/1.parquet"]


def test_an_object_that_vanishes_after_it_was_listed(server: dict[str, str], store: Proxy) -> None:
    put(server, {f"vanishes/{i}.parquet": parquet(log_of(400_000)) for i in range(2)})
    seen: set[str] = set()

    def fault(path: str, number: int) -> int | None:
        seen.add(path)
        return 404 if path.endswith("1.parquet") and number >= 4 else None

    store.fault = fault
    with pytest.raises(UnreadableLogError, match=r"vanishes/1\.parquet .*vanished"):
        lossreport.profile("s3://nights/vanishes/", by="")


def test_only_the_columns_that_are_needed_are_fetched(server: dict[str, str], store: Proxy) -> None:
    rng = np.random.default_rng(3)
    wide = log_of(100_000).with_columns(
        pl.Series(f"feature_{i}", rng.random(100_000)) for i in range(20)
    )
    wide = wide.with_columns(predicted=pl.Series(rng.random(100_000)))
    content = parquet(wide, row_group_size=20_000)
    put(server, {"wide/1.parquet": content})
    made = lossreport.profile("s3://nights/wide/1.parquet", actual="actual", predicted="predicted", by="")  # fmt: skip
    assert made.rows == 100_000
    fetched = store.sent["/nights/wide/1.parquet"]
    needed = 8 * 100_000
    assert needed * 0.5 < fetched < len(content) / 3, f"{fetched:,} of {len(content):,} bytes"


def test_without_keys_it_is_said(store: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    store.fault = lambda *_: 403
    with pytest.raises(UsageError, match=r"s3://nights/any cannot be used: AccessDenied\. .*AWS_"):
        lossreport.profile("s3://nights/any/")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("lossreport.logs.object_stores.PATIENCE", timedelta(seconds=1))
    with pytest.raises(UsageError, match="cannot be used"):
        lossreport.profile("s3://nights/any/")
    assert store_at("s3://nights/any") is not None
