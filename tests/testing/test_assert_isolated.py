"""assert_isolated finds the faults that were planted, and nothing in applications without one."""

import dataclasses
import enum
import itertools
import pathlib
import uuid

import pytest
from flask import request

from poolware import BadOption, RequestContext, field
from poolware.testing import assert_isolated

from . import faulty_apps as apps


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    """A new list, which the collector knows: what was there before the tests is hidden from it."""
    monkeypatch.setattr(apps, "kept", [])
    yield
    apps.shared_by_all.clear()


@pytest.mark.parametrize("make", [apps.starlette, apps.flask])
@pytest.mark.parametrize("paths", [["/"], ["/", "/stream", "/fail", "/missing"]], ids=["plain", "mixed"])
def test_an_application_without_fault(make, paths):
    """Every ending that its clients choose; contexts are reused, and every request got one."""
    report = assert_isolated(make(), paths, requests=300)
    assert report.requests == report.arrivals == 300
    assert report.contexts < 60
    assert report.answers["200"] >= 70


@pytest.mark.parametrize("make", [apps.starlette, apps.flask])
@pytest.mark.parametrize(
    ("context", "dirty"),
    [(apps.SharedFactory, "SharedFactory.settings"), (apps.ForgetfulReset, "ForgetfulReset.cart")],
    ids=["factory gives the same object to all", "reset forgets an attribute"],
)
def test_a_context_that_arrives_dirty(make, context, dirty):
    """H01, H03: the user's own factory and reset are what poolware must believe; this is what checks them."""

    async def view(request):
        return apps.PlainTextResponse(str(id(request.ctx)))

    with pytest.raises(AssertionError, match=f"contexts arrived dirty:\n{dirty} arrived with what another request"):
        assert_isolated(make(context, view if make is apps.starlette else None), requests=100)


def test_a_context_that_escapes():
    """H06: who holds it is named."""
    with pytest.raises(AssertionError, match=r"escaped: Good of GET / \(request left by") as error:
        assert_isolated(apps.starlette(view=apps.keeps_the_context), requests=20)
    assert "is still held after its release" in str(error.value)
    assert "held by a list" in str(error.value)


def test_a_use_after_the_end_is_found_although_the_application_swallows_it():
    with pytest.raises(AssertionError, match="used after release: this Good was released after GET /") as error:
        assert_isolated(apps.starlette(view=apps.uses_it_in_a_task), requests=100)
    assert "in later" in str(error.value)


def test_an_application_without_poolware():
    app = apps.Flask("bare")
    with pytest.raises(AssertionError, match="none of 5 requests got a context: is poolware's middleware installed"):
        assert_isolated(app, requests=5)


async def test_inside_of_a_running_loop():
    assert assert_isolated(apps.starlette(), requests=20).arrivals == 20


@pytest.fixture
def anyio_backend():
    return "asyncio"


pytestmark = pytest.mark.anyio


def test_headers_and_methods_reach_the_application():
    seen = []

    async def view(request):
        seen.append((request.method, request.url.path, request.query_params["a"], request.headers["x-tenant"]))
        return apps.PlainTextResponse("seen")

    assert_isolated(apps.starlette(view=view), ["POST /?a=1"], requests=4, headers={"X-Tenant": "acme"})
    assert set(seen) == {("POST", "/", "1", "acme")}


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_the_host_is_that_of_test_clients(interface):
    """Frameworks that answer only names which they know, such as Django, know this one in tests."""
    seen = set()

    async def view(asked):
        seen.add(asked.headers["host"])
        return apps.PlainTextResponse("seen")

    def answer():
        seen.add(request.host)
        return "seen"

    app = apps.starlette(view=view) if interface == "asgi" else apps.flask(view=answer)
    assert_isolated(app, requests=4)
    assert seen == {"testserver"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": "/"}, r"paths='/': it takes a list of at least one path"),
        ({"paths": []}, r"paths=\[\]: it takes a list"),
        ({"paths": ["orders"]}, "'orders': it takes a path that begins with /"),
        ({"requests": 0}, "requests"),
        ({"concurrency": True}, "concurrency"),
        ({"interface": "cgi"}, "interface='cgi': it takes 'asgi', 'wsgi', or None"),
    ],
)
def test_bad_arguments(arguments, message):
    """H40."""
    with pytest.raises(BadOption, match=message):
        assert_isolated(apps.flask(), **arguments)


def test_an_application_that_fails_to_start():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="the application failed at startup: no database"):
        assert_isolated(app, requests=1)


class Plan(enum.Enum):
    FREE = "free"


@dataclasses.dataclass(frozen=True)
class Limits:
    rate: int = 1


class Shared(RequestContext):
    plan: Plan = Plan.FREE
    limits: Limits = Limits()
    root: pathlib.PurePath = pathlib.PurePath("/srv")
    key: uuid.UUID | None = None


def test_what_cannot_be_changed_is_left_as_it_is():
    """Its attributes belong to everybody; writing to them behind its back would be the fault."""
    before = repr((Plan.FREE, Limits(), Shared.describe()))

    def view():
        request.ctx.key = uuid.UUID(int=0)
        return "fine"

    assert assert_isolated(apps.flask(Shared, view), requests=50).answers == {"200": 50}
    assert repr((Plan.FREE, Limits(), Shared.describe())) == before


class Refusing(dict):
    def __setitem__(self, key, value):
        raise TypeError("immutable")


def test_a_field_that_refuses_or_is_gone():
    def view():
        request.ctx.params = Refusing()
        del request.ctx.user
        return "fine"

    assert assert_isolated(apps.flask(view=view), requests=50).answers == {"200": 50}


class Account:
    def __init__(self):
        self.is_admin = False

    def clear(self):
        """Forget nothing."""


class Forgetful(RequestContext):
    account: Account = field(factory=Account, reset=Account.clear)


def test_a_reset_that_forgets_a_number():
    """H01."""
    with pytest.raises(AssertionError, match=r"contexts arrived dirty:\nForgetful\.account"):
        assert_isolated(apps.flask(Forgetful, lambda: "fine"), requests=50)


def test_a_stream_without_end(monkeypatch):
    """The clients leave after a while."""
    monkeypatch.setattr("poolware.testing.drivers._PATIENCE", 0.05)
    app = apps.flask(view=lambda: itertools.repeat("more"))
    assert assert_isolated(app, requests=8).answers == {"200": 8}
