"""A crowd of clients on raw sockets, of whom many do not behave."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from servers.client import HOST, PATIENCE, Connection, Incomplete, connect

CLIENTS = 40
WEIGHTS = {
    "plain": 59,
    "stream": 6,
    "raise": 3,
    "upload": 5,
    "upload half": 2,
    "linger": 5,
    "parts": 6,
    "head": 4,
    "missing": 4,
    "cancel": 2,
    "leave": 2,
    "slow": 2,
}
LEAVING = {"raise", "upload half", "cancel", "leave"}
"""After these the client is gone; the others leave now and then."""
EXPECTED = {"raise": (500, 0), "missing": (404, 0), "head": (200, 0), "stream": (200, 3)}
"""The status, and how often the visitor is to find all that is his."""
BODY = 20_000
LINES = 4096
"""Of the big answer."""
SMALL_WINDOW, SMALL_SEGMENT = 8 * 1024, 536
"""Bytes; with both of them the server's socket takes little at once, and the rest waits in the server."""
_NAMES = re.compile(rb"[ust]-[0-9a-f]{16}")


@dataclass
class Outcome:
    """What the clients saw."""

    kinds: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Client:
    """One of the crowd: asks one request after the other, each as somebody else."""

    def __init__(self, port: int, prefix: str, choose: random.Random, outcome: Outcome) -> None:
        self.port, self.prefix, self.random, self.outcome = port, prefix, choose, outcome
        self.connection: Connection | None = None

    async def visit(self) -> None:
        (kind,) = self.random.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))
        self.outcome.kinds[kind] += 1
        if kind == "slow" or self.random.random() < 0.05:
            await self.leave(abruptly=self.random.random() < 0.3)
        if self.connection is None:
            self.connection = await (connect_slowly if kind == "slow" else connect)(self.port)
        own = tuple(f"{letter}-{self.random.getrandbits(64):016x}" for letter in "ust")
        self._ask(self.connection, kind, own)
        async with asyncio.timeout(PATIENCE):
            await self._await_answer(self.connection, kind, own)
        if kind in LEAVING or kind == "slow":
            await self.leave(abruptly=kind != "raise" and self.random.random() < 0.5)

    def _ask(self, connection: Connection, kind: str, own: tuple[str, ...]) -> None:
        query = dict(zip(("user", "secret", "tenant"), own, strict=True))
        query |= {"size": str(self.random.randint(400, 9000)), "pause": str(self.random.choice([0, 0, 0, 0.01, 0.03]))}
        view = {"head": "plain", "upload half": "upload"}.get(kind, kind)
        path = f"{self.prefix}/visit/{view}" if kind != "missing" else f"/nowhere/{own[0]}"
        url = f"{path}?{urlencode(query)}"
        match kind:
            case "upload":
                connection.send("POST", url, body=bytes(BODY))
            case "upload half":
                connection.send("POST", url, [("Content-Length", str(BODY))], bytes(BODY // 2))
            case _:
                connection.send("HEAD" if kind == "head" else "GET", url)

    async def _await_answer(self, connection: Connection, kind: str, own: tuple[str, ...]) -> None:
        if kind in {"cancel", "upload half"}:
            await asyncio.sleep(self.random.choice([0, 0.005, 0.02]))
            return
        response = await connection.head()
        seen = [response.head]
        if kind == "slow":
            await asyncio.sleep(self.random.choice([0.1, 0.2, 0.3]))
        async for piece in connection.body(response, "HEAD" if kind == "head" else "GET"):
            seen.append(piece)
            if kind == "leave":
                break
        status, accounts = EXPECTED.get(kind, (200, 1))
        self._check(kind, own, b"".join(seen), response.status == status, accounts)
        if response.headers.get("connection", "").lower() == "close":
            await self.leave()

    def _check(self, kind: str, own: tuple[str, ...], seen: bytes, as_expected: bool, accounts: int) -> None:
        found = Counter(name.decode() for name in _NAMES.findall(seen))
        foreign = found.keys() - set(own)
        if foreign:
            self.outcome.foreign.append(f"{kind}: {sorted(foreign)} for {own}")
        expected = {own[0]: LINES, own[2]: LINES} if kind == "slow" else {own[0]: 11 * accounts, own[1]: 11 * accounts}
        if not as_expected or any(found[name] < times for name, times in expected.items()):
            self.outcome.wrong.append(f"{kind}: {found} for {own}: {seen[:300]!r}")

    async def leave(self, *, abruptly: bool = False) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            if abruptly:
                connection.reset()
            await connection.close()


async def connect_slowly(port: int) -> Connection:
    """Open the connection of a client that takes little at once."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SMALL_SEGMENT)
    async with asyncio.timeout(PATIENCE):
        await asyncio.get_running_loop().sock_connect(sock, (HOST, port))
        return Connection(*await asyncio.open_connection(sock=sock, limit=1 << 14))


async def crowd(
    port: int,
    prefix: str,
    requests: int,
    choose: random.Random,
    progress: Callable[[int], object] = lambda _done: None,
) -> Outcome:
    """Send `requests` requests, some dozens at a time, and return what was seen."""
    outcome = Outcome()
    numbers = itertools.count()

    async def keep_busy(client: Client) -> None:
        try:
            while (number := next(numbers)) < requests:
                progress(number)
                try:
                    await client.visit()
                except (Incomplete, TimeoutError, OSError) as error:
                    outcome.wrong.append(repr(error))
                    await client.leave()
        finally:
            await client.leave()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(CLIENTS, requests)):
            group.create_task(keep_busy(Client(port, prefix, random.Random(choose.getrandbits(64)), outcome)))
    return outcome
