"""Clients with names of their own: what they get back holds these names and nobody else's."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .client import Connection, Response, ask
from .targets import Target

NAMES = re.compile(rb"[ust]-[0-9a-f]{16}")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Guest:
    """Somebody; the secret is not sent, the apps make the same one of the user."""

    user: str
    tenant: str
    secret: str

    @classmethod
    def new(cls) -> Guest:
        number = next(_numbers)
        user = f"u-{number:016x}"
        return cls(user, f"t-{number:016x}", f"s-{hashlib.sha256(user.encode()).hexdigest()[:16]}")

    def url(self, target: Target, kind: str = "plain", branch: str = "", **query: Any) -> str:
        names = {"user": self.user, "tenant": self.tenant, **query}
        return f"{branch}{target.column.prefix}/visit/{kind}?{urlencode(names)}"

    def recognise(self, body: bytes) -> None:
        """Check that these are the guest's own names, all of them, and only they."""
        found = {name.decode() for name in NAMES.findall(body)}
        assert found == {self.user, self.tenant, self.secret}, body[:300]

    def recognise_some(self, body: bytes) -> None:
        """Check that nobody else's names are there: what a broken answer may have lost is the server's affair."""
        found = {name.decode() for name in NAMES.findall(body)}
        assert found <= {self.user, self.tenant, self.secret}, body[:300]


async def visit(
    connection: Connection, target: Target, kind: str = "plain", branch: str = "", **query: Any
) -> Response:
    """Come as somebody new, and recognise the answer."""
    guest = Guest.new()
    response = await connection.ask("GET", guest.url(target, kind, branch, **query))
    assert response.status == 200, response
    guest.recognise(response.body)
    return response


async def visits(target: Target, count: int = 3, **query: Any) -> None:
    """Come several times, each on a connection of its own."""
    for _ in range(count):
        guest = Guest.new()
        response = await ask(target.port, "GET", guest.url(target, **query))
        assert response.status == 200, response
        guest.recognise(response.body)
