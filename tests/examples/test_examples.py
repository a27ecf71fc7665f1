"""What the examples answer, the same for each, asked through the test clients of their frameworks.

Each application runs in an interpreter of its own: Django's settings can be configured only once in a process.
"""

import asyncio
import csv
import functools
import gc
import hashlib
import importlib
import io
import json
import multiprocessing
import os
import re
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zstandard

ROOT = str(Path(__file__).parents[2])
MIB = 1 << 20


@dataclass(frozen=True)
class Question:
    """One request."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The content, decoded; only where it says that it is JSON."""
        assert self.headers["content-type"].partition(";")[0] == "application/json"
        return json.loads(self.content)


Client = Callable[[Question], Answer]


def of_starlette(app: Any) -> Client:
    from starlette.testclient import TestClient

    client = TestClient(app)

    def ask(question: Question) -> Answer:
        response = client.request(
            question.method, question.path, content=question.body or None, headers=question.headers
        )
        return Answer(response.status_code, dict(response.headers), response.content)

    return ask


def of_werkzeug(app: Any) -> Client:
    from werkzeug.test import Client as TestClient

    client = TestClient(app)

    def ask(question: Question) -> Answer:
        response = client.open(
            question.path,
            method=question.method,
            data=question.body,
            buffered=True,  # and closed, as a server does
            headers={"Content-Type": "application/octet-stream", **question.headers},
        )
        headers = {name.lower(): value for name, value in response.headers}
        return Answer(response.status_code, headers, response.data)

    return ask


def of_django(_: Any) -> Client:
    from django.test import Client as TestClient

    client = TestClient()

    def ask(question: Question) -> Answer:
        response = client.generic(question.method, question.path, question.body, headers=question.headers)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.getvalue())

    return ask


def of_async_django(_: Any) -> Client:
    from django.test import AsyncClient

    client = AsyncClient()

    async def respond(question: Question) -> Answer:
        response = await client.generic(question.method, question.path, question.body, headers=question.headers)
        headers = {name.lower(): value for name, value in response.headers.items()}
        content = b"".join([part async for part in response]) if response.streaming else response.content
        return Answer(response.status_code, headers, content)

    return lambda question: asyncio.run(respond(question))


APPS: dict[str, tuple[str, str, Callable[[Any], Client]]] = {
    "starlette": ("examples.starlette_app", "app", of_starlette),
    "fastapi": ("examples.fastapi_app", "app", of_starlette),
    "flask": ("examples.flask_app", "app", of_werkzeug),
    "django-wsgi": ("examples.django_app", "wsgi", of_werkzeug),
    "django-asgi": ("examples.django_app", "app", of_starlette),
    "django-client": ("examples.django_app", "wsgi", of_django),
    "django-async-client": ("examples.django_app", "app", of_async_django),
}


# --- inside of an application's interpreter ---------------------------------------------------------------------------


def prepare() -> None:
    os.environ["POOLWARE_MODE"] = "on"
    sys.path.insert(0, ROOT)
    warnings.simplefilter("error")


@functools.cache
def client_of(name: str) -> Client:
    module, attribute, make = APPS[name]
    return make(getattr(importlib.import_module(module), attribute))


def answer(name: str, question: Question) -> Answer:
    return client_of(name)(question)


def usage(name: str) -> dict[str, Any]:
    """Return the statistics of the pools that the application has."""
    module = importlib.import_module(APPS[name][0])
    if name.startswith("django"):
        import django_poolware

        lifecycle = django_poolware.lifecycle()
    elif name == "flask":
        lifecycle = module.app.extensions["poolware"]
    else:
        lifecycle = module.app.state.poolware
    gc.collect()  # an exception's traceback may hold the context of a refused request
    pools = {"contexts": lifecycle.pool, "buffers": lifecycle.buffers, "compressors": module.compressors}
    return {pool: pools[pool].get_stats() for pool in pools}


# --- outside ----------------------------------------------------------------------------------------------------------


class App:
    """One of the applications, to be asked."""

    def __init__(self, name: str, interpreter: ProcessPoolExecutor) -> None:
        self.name = name
        self.interpreter = interpreter

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.interpreter.submit(answer, self.name, Question(method, path, body, named)).result()

    def usage(self) -> dict[str, Any]:
        return self.interpreter.submit(usage, self.name).result()


@pytest.fixture(scope="module")
def interpreters() -> Iterator[Callable[[str], ProcessPoolExecutor]]:
    started: dict[str, ProcessPoolExecutor] = {}

    def interpreter(module: str) -> ProcessPoolExecutor:
        if module not in started:
            spawn = multiprocessing.get_context("spawn")
            started[module] = ProcessPoolExecutor(1, mp_context=spawn, initializer=prepare)
        return started[module]

    yield interpreter
    for executor in started.values():
        executor.shutdown()


@pytest.fixture(params=APPS)
def app(request, interpreters) -> Iterator[App]:
    """Each application; after each test nothing that its requests borrowed is still out."""
    app = App(request.param, interpreters(APPS[request.param][0]))
    yield app
    for pool, stats in app.usage().items():
        assert stats.in_use == 0, pool
        assert stats.quarantined == 0, pool
        assert stats.refused == 0, pool


def test_profile_is_read_back_from_the_context(app):
    answer = app.ask("GET", "/profile?user=ada", X_Request_ID="one-2", Authorization="Bearer s3cret")
    assert answer.status == 200
    assert answer.json == {"user": "ada", "tenant": "acme", "roles": ["reader"], "request_id": "one-2"}


def test_profile_without_anything_is_nobodys(app):
    app.ask("GET", "/profile?user=ada", X_Request_ID="one-3", Authorization="Bearer s3cret")
    profile = app.ask("GET", "/profile").json
    assert re.fullmatch("[0-9a-f]{32}", profile.pop("request_id"))
    assert profile == {"user": "", "tenant": "acme", "roles": ["reader"]}


def test_each_request_has_an_id_of_its_own(app):
    assert len({app.ask("GET", "/profile?user=ada").json["request_id"] for _ in range(5)}) == 5


@pytest.mark.parametrize("rows", [1, 200, 5000])
def test_report_is_csv_with_as_many_rows_as_asked_for(app, rows):
    answer = app.ask("GET", f"/report?rows={rows}")
    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == "text/csv"
    head, *lines = csv.reader(io.StringIO(answer.content.decode(), newline=""))
    assert head == ["id", "name", "amount"]
    assert lines == [[str(n), f"name {n}", f"{n * 7919 % 100_000 / 100:.2f}"] for n in range(1, rows + 1)]


def test_report_ends_its_lines_as_csv_does(app):
    assert app.ask("GET", "/report?rows=2").content == b"id,name,amount\r\n1,name 1,79.19\r\n2,name 2,158.38\r\n"


@pytest.mark.parametrize("query", ["", "?rows=", "?rows=0", "?rows=-1", "?rows=5001", "?rows=many"])
def test_report_of_any_other_length_is_refused(app, query):
    assert app.ask("GET", f"/report{query}").status == 400


@pytest.mark.parametrize("size", [0, 1, 4096, MIB])
def test_transform_answers_the_checksum_of_as_much_text_in_upper_case(app, size):
    answer = app.ask("GET", f"/transform/{size}")
    assert answer.status == 200
    text = b"THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG. " * (size // 45 + 1)
    assert answer.content == f"{zlib.crc32(text[:size]):08x}".encode()


def test_transform_refuses_more_than_a_mebibyte(app):
    assert app.ask("GET", f"/transform/{MIB + 1}").status == 400


def test_feed_is_compressed_json(app):
    answer = app.ask("GET", "/feed", Accept_Encoding="zstd")
    assert answer.status == 200
    assert answer.headers["content-encoding"] == "zstd"
    items = json.loads(unpacked(answer))["items"]
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert len(items) == 30
    assert items[9] == {"id": 10, "title": "Item number 10", "author": "user3", "score": 67}


def unpacked(answer: Answer) -> bytes:
    """The feed's JSON; a client that knows zstd has unpacked it."""
    if answer.content.startswith(b"{"):
        return answer.content
    return zstandard.ZstdDecompressor().decompressobj().decompress(answer.content)


@pytest.mark.parametrize("size", [0, 1, 256 << 10, 2 * MIB + 1, 8 * MIB])
def test_upload_answers_size_and_digest_of_the_body(app, size):
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    answer = app.ask("POST", "/upload", body)
    assert answer.status == 200
    assert answer.json == {"size": size, "sha256": hashlib.sha256(body).hexdigest()}


def test_upload_refuses_more_than_eight_mebibytes(app):
    assert app.ask("POST", "/upload", bytes(8 * MIB + 1)).status == 413


@pytest.mark.parametrize(("method", "path"), [("POST", "/feed"), ("GET", "/upload"), ("POST", "/transform/1")])
def test_other_methods_are_refused(app, method, path):
    assert app.ask(method, path).status == 405


def test_requests_one_after_the_other_share_what_they_borrow(app):
    before = app.usage()
    for _ in range(5):
        app.ask("GET", "/profile?user=ada")
        app.ask("GET", "/transform/4")
        app.ask("GET", "/feed")
    after = app.usage()
    for pool in before:
        assert after[pool].acquired > before[pool].acquired
        assert after[pool].created - before[pool].created <= 1
