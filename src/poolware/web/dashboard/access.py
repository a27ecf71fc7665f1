"""Who may look if the application does not say: this machine, and nobody through a proxy or another site's script."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["from_this_machine"]

_FORWARDING = re.compile(r"forwarded|via|x-forwarded-.*|.*-(?:client|connecting|real)-ip")
"""Names of headers by which a proxy tells that the client is somebody else; who invents them gains nothing."""

_HOST = re.compile(r"(?:\[(?P<six>[^]]+)\]|(?P<name>[^:]+))(?::\d*)?")


def from_this_machine(request: Mapping[str, Any]) -> bool:
    """Whether an ASGI scope or a WSGI environ is of a client on this machine that asks for this machine.

    The name it asks for is looked at as well: otherwise any web site could have a name of its own lead here, and read
    the answer in the browser of somebody who works on this machine (DNS rebinding).
    """
    client, headers = _asgi(request) if "headers" in request else _wsgi(request)
    hosts = headers.get("host", [])
    return (
        _is_loopback(client)
        and len(hosts) == 1
        and _is_local_name(hosts[0])
        and not any(map(_FORWARDING.fullmatch, headers))
    )


def _asgi(scope: Mapping[str, Any]) -> tuple[str, dict[str, list[str]]]:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    client = scope.get("client")
    return str(client[0]) if client else "", headers


def _wsgi(environ: Mapping[str, Any]) -> tuple[str, dict[str, list[str]]]:
    headers = {name[5:].replace("_", "-").lower(): [value] for name, value in environ.items() if name[:5] == "HTTP_"}
    return environ.get("REMOTE_ADDR", ""), headers


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


def _is_local_name(host: str) -> bool:
    found = _HOST.fullmatch(host)
    name = (found["six"] or found["name"]).lower() if found else ""
    return name.removesuffix(".") == "localhost" or _is_loopback(name)
