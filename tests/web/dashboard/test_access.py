"""Who is let in when the application does not say (H38)."""

import pytest

from poolware.web.dashboard import from_this_machine

LOCAL = {"Host": "localhost:8000"}
ALLOWED = {
    "by name": ("127.0.0.1", LOCAL),
    "with other headers": ("127.0.0.1", LOCAL | {"Accept": "*/*", "X-Requested-With": "fetch", "Viable": "yes"}),
    "by address": ("127.0.0.1", {"Host": "127.0.0.1:8000"}),
    "another loopback address": ("127.8.8.8", {"Host": "LOCALHOST."}),
    "IPv6": ("::1", {"Host": "[::1]:8000"}),
    "IPv4 in IPv6": ("::ffff:127.0.0.1", LOCAL),
}
REFUSED = {
    "from elsewhere": ("192.0.2.7", LOCAL),
    "from the same network": ("10.0.0.7", LOCAL),
    "from a unix socket": ("", LOCAL),
    "no address": ("testclient", LOCAL),
    "a name that somebody lets lead here": ("127.0.0.1", {"Host": "evil.example:8000"}),
    "a name that begins like ours": ("127.0.0.1", {"Host": "localhost.evil.example"}),
    "an address that begins like ours": ("127.0.0.1", {"Host": "127.0.0.1.evil.example"}),
    "no host": ("127.0.0.1", {}),
    "an empty host": ("127.0.0.1", {"Host": ""}),
    "an open bracket": ("127.0.0.1", {"Host": "[::1"}),
    **{
        f"through a proxy that says {header}": ("127.0.0.1", LOCAL | {header: "127.0.0.1"})
        for header in (
            *("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "X-Client-IP"),
            *("X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP"),
        )
    },
}


def scope(client, headers):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (client, 1234) if client else None, "headers": raw}


def environ(client, headers):
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {"REMOTE_ADDR": client, **named}


@pytest.mark.parametrize("interface", [scope, environ])
@pytest.mark.parametrize("case", ALLOWED)
def test_this_machine_is_let_in(interface, case):
    assert from_this_machine(interface(*ALLOWED[case]))


@pytest.mark.parametrize("interface", [scope, environ])
@pytest.mark.parametrize("case", REFUSED)
def test_others_are_not(interface, case):
    assert not from_this_machine(interface(*REFUSED[case]))


def test_two_hosts_are_none():
    """Which of them a cache, a server or a browser goes by is anybody's guess."""
    both = scope("127.0.0.1", LOCAL)
    both["headers"].append((b"host", b"evil.example"))
    assert not from_this_machine(both)
