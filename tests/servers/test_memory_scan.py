"""The memory of a server, read from outside: nothing of what its requests held is left in it (H05, H09, H14).

The values cross the wire under a key that is used once, and the handlers open them in memory that they overwrite
themselves. Each holder is looked at with poolware as it is, where nothing may be found, and with the wiping of that
holder taken out, where the value must be found.
"""

import asyncio
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from .client import connection, get
from .scan import Canary, found, needles
from .serving import serve
from .settled import report, settled, wait_until

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="no /proc/<pid>/mem: one process cannot read another's memory here"
)

UVICORN = ("uvicorn-uvloop-httptools", "apps.scan_app:app")
GUNICORN = ("gunicorn-gthread", "apps.scan_app:wsgi")
SERVERS = {
    "uvicorn": (UVICORN, {"POOLWARE_MODE": "on"}),
    "gunicorn": (GUNICORN, {"POOLWARE_MODE": "on"}),
    "off": (UVICORN, {"POOLWARE_MODE": "off"}),
    "debug": (UVICORN, {"POOLWARE_MODE": "debug"}),
    "full": (UVICORN, {"POOLWARE_MODE": "on", "MAX_IDLE": "0"}),
}
"""Each mode, and a pool that has no room for what comes back."""
HOLDERS = {
    "secret_of_bytearray": "secret",
    "secret_of_bytes": "secret",
    "secret_of_str": "secret",
    "secret_of_a_secret": "secret",
    "secret_that_grew": "secret growth",
    "secret_replaced_by_a_shorter_one": "secret growth",
    "secret_outside_of_a_context": "secret",
    "secret_in_a_container": "secret",
    "secret_compared_with_bytes": "secret",
    "context_outside_of_a_request": "secret",
    "context_never_released": "field",
    "field_filled": "field",
    "field_assigned": "field",
    "buffer_that_grew": "buffer growth",
    "buffer_viewed": "buffer",
    "buffer_viewed_and_truncated": "buffer",
    "buffer_truncated": "buffer,truncate",
    "buffer_written_over": "buffer",
    "buffer_read_into": "buffer",
    "buffer_read_by_lines": "buffer",
    "buffer_released_early": "buffer",
    "buffer_never_released": "buffer",
}
"""Each way in which poolware comes to hold a value, and the protection that wipes it."""
TIMES = [1, 16, 128]
"""How often a value is repeated: up to 512 bytes come from Python's own allocator, 4 KiB from that of the system."""
PROTECTIONS = ["secret", "secret growth", "field", "buffer", "buffer growth"]
widths = pytest.mark.parametrize("width", [1, 2], ids=["ascii", "wide"])


class Scanned:
    """A server whose memory is looked at."""

    def __init__(self, running):
        self.running, self.port = running, running.port
        self.pid = report(running)["pid"]
        self.references = get(self.port, "/control/references").json

    def hold(self, holder, end="returned", width=1, times=TIMES[-1]):
        """Have `holder` take a fresh value in a request that ends so; return the value."""
        canary = Canary.fresh(width)
        path = "/hold?" + urlencode({"holder": holder, "end": end, "width": width, "times": times})
        if end == "left":
            asyncio.run(self._leave(path, canary.sealed()))
        else:
            answer = get(self.port, path, "POST", body=canary.sealed())
            assert answer.status == (500 if end == "raised" else 200)
            assert canary.text.encode() not in answer.head + answer.body
        return canary

    async def _leave(self, path, body):
        async with connection(self.port) as client:
            client.send("POST", path, body=body)
            assert await anext(client.body(await client.head()))
            client.reset()

    def settle(self):
        """Wait until everything has come back."""
        assert settled(self.running)["problems"] == []

    def wait_for_release(self):
        """Wait until everything was released, whoever may still keep it."""
        wait_until(lambda: not any(report(self.running)[pool]["in_use"] for pool in ("contexts", "buffers")))

    def unwiped(self, protections):
        get(self.port, "/control/unwiped?" + urlencode({"holders": protections}))

    def found(self, *canaries):
        return dict(found(self.pid, needles(canaries, self.references)))


@contextmanager
def scanned(name, **environment):
    """Start a server. One that binds functions when they are first called leaves vector registers on the stack then."""
    (server, app), settings = SERVERS[name]
    with serve(server, app, **settings, **environment, LD_BIND_NOW="1") as running:
        yield Scanned(running)


@pytest.fixture(scope="module")
def server(request):
    with scanned(request.param) as running:
        yield running


@pytest.fixture(scope="module")
def unwiped_server(request):
    with scanned(request.param, UNWIPED="1", POOLWARE_CORE="python") as running:
        yield running


on_each = pytest.mark.parametrize("server", SERVERS, indirect=True)
on_one = pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
on_both = pytest.mark.parametrize("server", ["uvicorn", "gunicorn"], indirect=True)


@on_both
@widths
def test_nothing_is_left_by_the_handlers_themselves(server, width):
    """They open the value in the same way and give it to nobody: what is found below is not theirs."""
    canaries = [server.hold("nothing", width=width, times=times) for times in TIMES]
    server.settle()
    assert server.found(*canaries) == {}


@on_each
@pytest.mark.parametrize(
    ("width", "forms"), [(1, {"utf-8", "utf-16", "references"}), (2, {"utf-16"})], ids=["ascii", "wide"]
)
def test_what_a_handler_keeps_is_found(server, width, forms):
    """In each form in which memory can have it; poolware as it is."""
    canary = server.hold("a_handler_that_keeps_it", width=width)
    server.settle()
    assert {where.split()[0] for where in server.found(canary)} == forms
    get(server.port, "/control/let-go")


@on_each
def test_what_a_handler_drops_is_found(server):
    """Memory that was freed is looked at too."""
    canary = server.hold("a_handler_that_drops_it")
    server.settle()
    assert server.found(canary)
    get(server.port, "/control/let-go")


@on_one
@pytest.mark.parametrize("holder", [*HOLDERS, "secret_compared_with_str"])
def test_nothing_is_left_by_a_holder(server, holder):
    """H05, H09, H14: nor by what it outgrew, cut off or copied on the way."""
    canaries = [server.hold(holder, times=times) for times in TIMES]
    server.settle()
    assert server.found(*canaries) == {}


@on_one
@pytest.mark.parametrize("holder", ["secret_of_str", "secret_compared_with_str"])
def test_nothing_is_left_of_text_that_is_not_ascii(server, holder):
    """H14: neither in UTF-8, which a secret stores, nor in the form in which a str has it."""
    canaries = [server.hold(holder, width=2, times=times) for times in TIMES]
    server.settle()
    assert server.found(*canaries) == {}


@pytest.mark.parametrize("unwiped_server", ["uvicorn"], indirect=True)
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.one_core
def test_without_wiping_the_holder_is_found(unwiped_server, holder):
    """What the tests above rest on can see each of them."""
    unwiped_server.unwiped(HOLDERS[holder])
    canary = unwiped_server.hold(holder)
    unwiped_server.settle()
    assert any(where.startswith("utf-8") for where in unwiped_server.found(canary))


@pytest.mark.parametrize("unwiped_server", ["uvicorn"], indirect=True)
@pytest.mark.one_core
def test_without_wiping_text_that_is_not_ascii_is_found(unwiped_server):
    unwiped_server.unwiped("secret")
    canary = unwiped_server.hold("secret_of_str", width=2)
    unwiped_server.settle()
    assert any(where.startswith("utf-8") for where in unwiped_server.found(canary))


@on_each
@pytest.mark.parametrize("end", ["returned", "raised", "left"])
def test_nothing_is_left_however_the_request_ended(server, end):
    """H14, H16, H17: in each mode, and where the pool has no room for what comes back."""
    canary = server.hold("everything", end)
    server.settle()
    assert server.found(canary) == {}


@on_each
def test_nothing_is_left_where_a_thread_keeps_the_context(server):
    """H06, H14: sealed and wiped while it is kept, and not when it is let go."""
    nothing_is_left_while_kept(server, "kept by a thread")


@pytest.mark.parametrize("server", [name for name in SERVERS if name != "gunicorn"], indirect=True)
def test_nothing_is_left_where_a_task_keeps_the_context(server):
    """H06, H14."""
    nothing_is_left_while_kept(server, "kept by a task")


def nothing_is_left_while_kept(server, end):
    get(server.port, "/control/forget")
    canary = server.hold("everything", end)
    server.wait_for_release()
    assert server.found(canary) == {}
    get(server.port, "/control/let-go")
    wait_until(lambda: len(report(server.running)["events"]) == 3)
    assert report(server.running)["events"] == ["ContextReleased", "SecretReleased", "BufferReleased"]
    server.settle()


@pytest.mark.parametrize("unwiped_server", SERVERS, indirect=True)
@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.one_core
def test_without_one_protection_everything_is_found(unwiped_server, protection):
    """What the test above rests on can see each part of everything, in each mode."""
    unwiped_server.unwiped(protection)
    canary = unwiped_server.hold("everything")
    unwiped_server.settle()
    assert unwiped_server.found(canary)


@on_each
def test_memory_that_somebody_views_is_wiped_when_the_view_goes(server):
    """H07: not before, as it may be on its way to the client; and not later."""
    canary = server.hold("buffer_view_held")
    server.wait_for_release()
    assert server.found(canary)
    get(server.port, "/control/let-go")
    server.settle()
    assert server.found(canary) == {}


@on_each
def test_field_that_somebody_views_is_wiped_all_the_same(server):
    """H14: its memory is nobody's transport."""
    canary = server.hold("field_exported")
    server.settle()
    assert server.found(canary) == {}
    get(server.port, "/control/let-go")
