"""Many clients at once, of whom one in ten does not behave."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from dataclasses import dataclass, field

from .client import PATIENCE, Connection, Incomplete, connect

KINDS = ("raise", "cancel", "stream", "leave")
_NAMES = re.compile(rb"[ust]-[0-9a-f]{16}")


@dataclass
class Outcome:
    """What the clients saw."""

    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("plain", *KINDS), 0))
    foreign: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Client:
    """One of the crowd: asks one request after the other, each as somebody else."""

    def __init__(self, port: int, prefix: str, seed: str, outcome: Outcome) -> None:
        self.port, self.prefix, self.outcome = port, prefix, outcome
        self.random = random.Random(seed)
        self.connection: Connection | None = None

    async def visit(self) -> None:
        kind = self.random.choice(KINDS) if self.random.random() < 0.1 else "plain"
        self.outcome.kinds[kind] += 1
        user, secret, tenant = (f"{letter}-{self.random.getrandbits(64):016x}" for letter in "ust")
        size = self.random.randint(400, 9000)
        pause = 0.08 if kind == "cancel" else self.random.choice([0, 0.01, 0.03, 0.06])
        if self.connection is None:
            self.connection = await connect(self.port)
        self.connection.send(
            "GET", f"{self.prefix}/visit/{kind}?user={user}&secret={secret}&tenant={tenant}&size={size}&pause={pause}"
        )
        async with asyncio.timeout(PATIENCE):
            if kind == "cancel":
                await asyncio.sleep(self.random.choice([0, 0.005, 0.02]))
                seen = b""
            else:
                seen = await self._look(self.connection, kind)
        self._check(seen, {user, secret, tenant})
        if kind not in {"plain", "stream"}:
            await self.leave(abruptly=kind != "raise" and self.random.random() < 0.5)

    async def _look(self, connection: Connection, kind: str) -> bytes:
        response = await connection.head()
        seen = [response.head]
        async for piece in connection.body(response):
            seen.append(piece)
            if kind == "leave":
                break
        expected = 500 if kind == "raise" else 200
        pieces = {"plain": 1, "stream": 3, "leave": 1, "raise": 0}[kind]
        names = _NAMES.findall(b"".join(seen))
        if response.status != expected or len(names) < 23 * pieces:
            self.outcome.wrong.append(f"{kind}: {b''.join(seen)[:300]!r}")
        return b"".join(seen)

    def _check(self, seen: bytes, own: set[str]) -> None:
        foreign = {name.decode() for name in _NAMES.findall(seen)} - own
        if foreign:
            self.outcome.foreign.append(f"{sorted(foreign)} for {sorted(own)}")

    async def leave(self, *, abruptly: bool = False) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            if abruptly:
                connection.reset()
            await connection.close()


async def crowd(port: int, prefix: str, requests: int, seed: str, clients: int = 64) -> Outcome:
    """Send `requests` requests, `clients` at a time, and return what was seen."""
    outcome = Outcome()
    numbers = itertools.count()

    async def busy(client: Client) -> None:
        while next(numbers) < requests:
            try:
                await client.visit()
            except (Incomplete, TimeoutError, OSError) as error:
                outcome.wrong.append(repr(error))
                await client.leave()
        await client.leave()

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(busy(Client(port, prefix, f"{seed}/{number}", outcome)))
    return outcome
