"""What finish() does, whoever holds on and whatever a pool raises."""

import logging

import pytest

from poolware import AlreadyReleased, ContextReleased, Lifecycle, ObjectPool, RequestContext, SecretField, field, secret
from poolware.web.asgi import PoolwareMiddleware as ASGIMiddleware
from poolware.web.wsgi import PoolwareMiddleware as WSGIMiddleware


class AppContext(RequestContext):
    tenant: str = ""
    card: bytearray = field(factory=bytearray, sensitive=True)
    token: SecretField = secret()


class Recorder:
    """A pool that notes what comes back."""

    def __init__(self, name="", error=None):
        self.name, self.error = name, error
        self.returned = []

    def acquire(self):
        return object()

    def release(self, obj):
        self.returned.append(obj)
        if self.error is not None:
            raise self.error


def test_what_was_borrowed_goes_back_the_last_first():
    order = []
    lifecycle = Lifecycle(AppContext)
    pools = [ObjectPool(dict, reset=lambda _obj, n=number: order.append(n)) for number in range(3)]
    scope: dict[str, object] = {}
    ctx = lifecycle.begin(scope)
    for pool in pools:
        ctx.borrow(pool)
    del ctx
    lifecycle.finish(scope)
    assert order == [2, 1, 0]
    assert [pool.get_stats().in_use for pool in pools] == [0, 0, 0]


def test_a_pool_that_fails_to_take_back_does_not_keep_the_others_from_theirs(caplog):
    """Invariant 5; H29: logged, and the context goes back too."""
    lifecycle = Lifecycle(AppContext)
    first, failing, last = Recorder(), Recorder(error=OSError("connection reset")), Recorder()
    scope: dict[str, object] = {}
    ctx = lifecycle.begin(scope)
    for pool in (first, failing, last):
        ctx.borrow(pool)
    del ctx

    lifecycle.finish(scope)

    assert [len(pool.returned) for pool in (first, failing, last)] == [1, 1, 1]
    assert [(record.levelname, "did not take back" in record.message) for record in caplog.records] == [("ERROR", True)]
    assert lifecycle.pool.get_stats().idle == 1


@pytest.mark.anyio
async def test_a_failing_give_back_never_fails_an_asgi_response(serve):
    """Invariant 5."""
    failing = Recorder(error=OSError("connection reset"))

    async def app(scope, receive, send):
        AppContext.of(scope).borrow(failing)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"spam"})

    sent = await serve(ASGIMiddleware(app, context=AppContext))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert len(failing.returned) == 1


def test_a_failing_give_back_never_fails_a_wsgi_response(call):
    """Invariant 5."""
    failing = Recorder(error=OSError("connection reset"))

    def app(environ, start_response):
        AppContext.of(environ).borrow(failing)
        start_response("200 OK", [])
        return [b"spam"]

    assert call(WSGIMiddleware(app, context=AppContext)).read_and_close() == b"spam"
    assert len(failing.returned) == 1


def test_what_was_given_back_by_hand_is_not_an_error_at_the_end(caplog):
    lifecycle = Lifecycle(AppContext)
    pool = ObjectPool(dict, reset=dict.clear)
    scope: dict[str, object] = {}
    ctx = lifecycle.begin(scope)
    pool.release(ctx.borrow(pool))
    ctx.buffer(10).release()
    del ctx
    with caplog.at_level(logging.INFO, "poolware"):
        lifecycle.finish(scope)
    assert caplog.messages == []
    assert pool.get_stats().released == 1


@pytest.mark.parametrize("held", [False, True])
def test_an_interrupt_while_giving_back_loses_nothing(held):
    """H18: gevent's Timeout and KeyboardInterrupt are no Exception; the rest goes back, secrets are wiped."""
    lifecycle = Lifecycle(AppContext)
    first, interrupted = Recorder(), Recorder(error=KeyboardInterrupt())
    scope: dict[str, object] = {}
    ctx = lifecycle.begin(scope)
    ctx.token = "swordfish"
    memory, card = ctx.token._memory, ctx.card
    card += b"4111"
    ctx.borrow(first)
    ctx.borrow(interrupted)
    holder = ctx if held else None
    del ctx

    with pytest.raises(KeyboardInterrupt):
        lifecycle.finish(scope)

    assert len(first.returned) == 1
    assert set(memory) == {0}
    assert set(card) == {0}
    assert ("released" in repr(holder)) == held


def test_a_held_context_is_sealed_and_names_its_request():
    """H06: a background task keeps the context."""
    lifecycle = Lifecycle(AppContext)
    scope = {"type": "http", "method": "POST", "path": "/orders/17", "headers": [(b"x-request-id", b"r-1")]}
    held = lifecycle.begin(scope)
    assert held.request_id == "r-1"
    held.tenant = "acme"
    lifecycle.finish(scope)

    uses = (
        lambda: held.tenant,
        lambda: held.request_id,
        lambda: held.buffer(10),
        lambda: setattr(held, "tenant", "x"),
        lambda: AppContext.of({"poolware.ctx": held}).tenant,
    )
    for use in uses:
        with pytest.raises(ContextReleased, match=r"released after POST /orders/17 \(request r-1\).*ctx\.detach\(\)"):
            use()
    assert repr(held) == "<AppContext released after POST /orders/17 (request r-1)>"


def test_a_held_context_is_never_handed_out_and_comes_back_when_let_go():
    """H06: quarantine."""
    lifecycle = Lifecycle(AppContext)
    scope: dict[str, object] = {}
    held = lifecycle.begin(scope)
    lifecycle.finish(scope)
    assert lifecycle.pool.get_stats().quarantined == 1

    assert lifecycle.begin(scope) is not held
    lifecycle.finish(scope)
    number = id(held)
    del held

    stats = lifecycle.pool.get_stats()
    assert (stats.quarantined, stats.idle) == (0, 2)
    carriers = [{}, {}]
    assert number in {id(lifecycle.begin(carrier)) for carrier in carriers}
    for carrier in carriers:
        assert AppContext.of(carrier).tenant == ""
        lifecycle.finish(carrier)


def test_a_held_part_is_not_shared_with_the_next_request():
    """H06: somebody keeps ctx.params; H04: and what the next request writes is not seen there."""
    lifecycle = Lifecycle(AppContext)
    scope: dict[str, object] = {}
    ctx = lifecycle.begin(scope)
    params = ctx.params
    params["id"] = "17"
    del ctx
    lifecycle.finish(scope)
    following = lifecycle.begin(scope)
    assert following.params == {}
    assert following.params is not params
    del following
    lifecycle.finish(scope)


def test_a_context_released_by_hand_is_reported_at_the_end(everything_comes_back):
    """H12: the pool is unharmed, and the context is in use once at most."""
    lifecycle = Lifecycle(AppContext)
    everything_comes_back.remove(lifecycle)
    scope: dict[str, object] = {}
    lifecycle.pool.release(lifecycle.begin(scope))
    with pytest.raises(AlreadyReleased, match="'AppContext': this object has already been released"):
        lifecycle.finish(scope)
    stats = lifecycle.pool.get_stats()
    assert (stats.refused, stats.in_use, stats.idle) == (1, 0, 1)
