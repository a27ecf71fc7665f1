"""Every block of docs/recipes.md, against the real thing."""

from __future__ import annotations

import asyncio
import re
import socketserver
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from docs.pages import ROOT, python

from poolware import PoolTimeout, ResourcePool, TooManyWaiting

BLOCKS: dict[str, list[str]] = {}
for block in python(ROOT / "docs" / "recipes.md"):
    BLOCKS.setdefault(block.section, []).append(block.code)

Recipe = Callable[..., Any]


@pytest.fixture
def recipe() -> Iterator[Recipe]:
    """Run a block of the page; its pools are closed after the test."""
    made: list[dict[str, Any]] = []

    def run(title: str, number: int = 0) -> Any:
        namespace: dict[str, Any] = {}
        exec(compile(BLOCKS[title][number], f"docs/recipes.md, {title}", "exec"), namespace)
        made.append(namespace)
        return SimpleNamespace(**namespace)

    yield run
    for namespace in made:
        for pool in namespace.values():
            if isinstance(pool, ResourcePool) and not pool.is_async:
                pool.close(timeout=5)


def created(pool: ResourcePool[Any]) -> int:
    return pool.get_stats().created


def test_page_has_no_block_that_no_test_runs():
    """The tests below name them all."""
    named = re.findall(r'recipe\("(.*?)"(?:, (\d))?\)', Path(__file__).read_text())
    assert {(title, int(number or 0)) for title, number in named} == {
        (title, number) for title, blocks in BLOCKS.items() for number in range(len(blocks))
    }


def test_compressor(recipe):
    zstandard = pytest.importorskip("zstandard")
    ours = recipe("A compressor")
    with ThreadPoolExecutor(8) as threads:
        frames = list(threads.map(ours.compressed, [b"%d" % number * 1000 for number in range(50)]))
    assert [zstandard.decompress(frame) for frame in frames] == [b"%d" % number * 1000 for number in range(50)]
    assert created(ours.compressors) <= 4


def test_xml_parser(recipe):
    etree = pytest.importorskip("lxml.etree")
    ours = recipe("An XML parser")
    assert [ours.order_id(b'<order id="%d"/>' % number) for number in range(3)] == [0, 1, 2]
    assert created(ours.parsers) == 1
    for wrong in (
        b"<order",
        b"<order id='x'/>",
        b"<!DOCTYPE o [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><order>&e;</order>",
    ):
        with pytest.raises(etree.XMLSyntaxError):
            ours.order_id(wrong)
    assert ours.order_id(b'<order id="3"/>') == 3
    assert ours.parsers.get_stats().destroyed == {"failed": 3}


class Billing(BaseHTTPRequestHandler):
    """Gives a cookie to everybody, and repeats what came."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[Any]] = set()

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        content = f"{self.headers['Authorization']} {self.headers['Cookie']}".encode()
        self.send_response(200)
        self.send_header("Set-Cookie", f"user={self.headers['Authorization'][-3:]}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture
def billing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Billing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_http_session_keeps_its_connection_and_no_cookie(recipe, billing):
    pytest.importorskip("requests")
    ours = recipe("An HTTP session")
    assert [ours.fetch(billing, token) for token in ("ann", "bob")] == ["Bearer ann None", "Bearer bob None"]
    assert len(Billing.connections) == 1


def test_sqlite(recipe, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE", f"{tmp_path}/shop.sqlite3")
    ours = recipe("SQLite")
    with ours.writer.lease() as connection:
        connection.execute("create table orders (title)")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ours.add_order, map(str, range(40))))
    assert sorted(map(int, ours.orders())) == list(range(40))
    with ours.writer.lease() as connection:
        connection.execute("insert into orders values ('never committed')")
    ours.add_order("committed")
    assert "never committed" not in ours.orders()
    with pytest.raises(sqlite3.OperationalError), ours.readers.lease() as connection:
        connection.execute("delete from orders")


def test_postgresql(recipe, postgres, monkeypatch):
    psycopg = pytest.importorskip("psycopg")
    monkeypatch.setenv("DATABASE_URL", postgres)
    ours = recipe("PostgreSQL")
    assert [ours.stock("tea"), ours.stock("coffee")] == [3, 6]
    with ours.database.lease() as connection:
        connection.execute("create temporary table left_open (n int)")
    with ours.database.lease() as connection:  # the same
        assert connection.execute("select to_regclass('left_open')").fetchone() == (None,)
        pid = connection.info.backend_pid
    ours.database.clear()
    with ours.database.lease() as connection:
        assert connection.info.backend_pid != pid
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("select 1 / 0")
    assert ours.stock("cocoa") == 5  # on the same, whose transaction had failed


def test_postgresql_from_tasks(recipe, postgres, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres)
    ours = recipe("PostgreSQL", 1)

    async def ask() -> list[int]:
        async with ours.database:
            return await asyncio.gather(*(ours.stock("x" * number) for number in range(30)))

    assert asyncio.run(ask()) == list(range(30))
    assert created(ours.database) <= 10


def test_postgresql_as_new(recipe, postgres):
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres) as connection:
        connection.execute("create temporary table kept (n int)")
        connection.execute("set search_path to pg_catalog")
        connection.commit()
        recipe("PostgreSQL", 2).as_new(connection)
        assert connection.execute("select to_regclass('pg_temp.kept')").fetchone() == (None,)
        assert connection.execute("show search_path").fetchone() == ('"$user", public',)


def test_redis(recipe, redis_socket, monkeypatch):
    pytest.importorskip("redis")
    monkeypatch.setenv("REDIS_SOCKET", redis_socket)
    ours = recipe("Redis")
    with ours.clients.lease() as client:
        client.set("tickets", 100)
    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(ours.take_one, ["tickets"] * 100)) == list(range(100))
    assert created(ours.clients) <= 10


class Prices(socketserver.StreamRequestHandler):
    """Answers line by line until it is told to hang up."""

    def handle(self) -> None:
        for line in self.rfile:
            if line == b"PRICE nothing\n":
                return
            self.wfile.write(b"PONG\n" if line == b"PING\n" else b"%d\n" % len(line))


def test_raw_socket(recipe, monkeypatch):
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Prices) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PRICES_PORT", str(server.server_address[1]))
        ours = recipe("A raw socket")
        assert [ours.price("tea"), ours.price("milk")] == [10, 11]
        with ours.prices.lease() as connection:
            ours.ping(connection)
            connection.sendall(b"PRICE unread\n")
            assert connection.recv(1)  # the rest of the answer stays
        assert ours.price("tea") == 10
        with pytest.raises(ValueError, match="invalid literal"):
            ours.price("nothing")
        assert ours.price("tea") == 10
        server.shutdown()
    stats = ours.prices.get_stats()
    assert stats.validation_failures == 2
    assert stats.in_use == stats.timeouts == 0


def test_long_work_does_not_keep_quick_work_waiting(recipe):
    """H33: separate pools, and messages that name the pool and its numbers."""
    ours = recipe("Quick work and long work")
    over = threading.Event()

    def report() -> None:
        with ours.reports.lease():
            over.wait(30)

    reports = [threading.Thread(target=report) for _ in range(2 + 10)]
    for thread in reports:
        thread.start()
    while (stats := ours.reports.get_stats()).in_use < 2 or stats.waiting < 10:  # two wait for what is being made
        over.wait(0.01)
    with pytest.raises(TooManyWaiting, match=r"pool 'reports': 10 wait already \(max_waiting\); 2 of 2 in use"):
        ours.reports.acquire()
    with ours.pages.lease() as connection:
        assert connection.execute("select 42").fetchone() == (42,)
    held = [ours.pages.acquire() for _ in range(8)]
    with pytest.raises(PoolTimeout, match=r"pool 'pages': nothing came free within 0.5 s; 8 of 8 in use, the longest"):
        ours.pages.acquire()
    for connection in held:
        ours.pages.release(connection)
    over.set()
    for thread in reports:
        thread.join()


def test_events_hold_nothing_while_they_are_sent(recipe):
    ours = recipe("Quick work and long work", 1)

    async def listen() -> list[bytes]:
        seen = []
        async for event in ours.events():
            assert ours.database.get_stats().in_use == 0
            seen.append(event)
        return seen

    assert asyncio.run(listen()) == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


def test_throttle(recipe):
    ours = recipe("A throttle")
    under_way, seen = set(), []

    def call() -> None:
        under_way.add(threading.get_ident())
        seen.append(len(under_way))
        threading.Event().wait(0.002)
        under_way.discard(threading.get_ident())

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(ours.call_upstream, [call] * 40))
    assert max(seen) <= 3
    assert len(seen) == 40
