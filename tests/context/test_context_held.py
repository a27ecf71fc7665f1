"""A context that somebody still holds at its end: sealed, set aside, and back when it is let go."""

import copy
import gc
import pickle
from typing import Any

import pytest
from requests_sample import AppContext, http_scope

from poolware import ContextReleased, ObjectPool, RequestContext


@pytest.fixture
def pool():
    return ObjectPool(AppContext)


def begun(pool, scope):
    ctx = pool._kind.cycle.begin(scope)
    ctx.tenant, ctx.email, ctx.token = "acme", "geheim@x", "geheim"
    return ctx


ACCESSES = {
    "read": lambda ctx: ctx.tenant,
    "read of a container": lambda ctx: ctx.params,
    "read of a secret": lambda ctx: ctx.token,
    "read of an undeclared name": lambda ctx: ctx.nothing,
    "read of a slot": lambda ctx: ctx._home,
    "write": lambda ctx: setattr(ctx, "tenant", "x"),
    "write of a secret": lambda ctx: setattr(ctx, "token", "x"),
    "delete": lambda ctx: delattr(ctx, "tenant"),
    "method": lambda ctx: ctx.detach(),
    "borrow": lambda ctx: ctx.borrow(ObjectPool(list, reset=None)),
    "buffer": lambda ctx: ctx.buffer(1),
    "property": lambda ctx: ctx.request_id,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
}


@pytest.mark.parametrize("access", ACCESSES)
def test_every_access_raises_and_names_the_request(pool, access):
    """H06: with method and path, and what to use instead; H15: without the query and the values."""
    scope = http_scope()
    ctx = begun(pool, scope)
    request_id = ctx.request_id
    pool._kind.cycle.finish(scope)
    with pytest.raises(
        ContextReleased, match=rf"AppContext was released after GET /orders/17 \(request {request_id}\)"
    ):
        ACCESSES[access](ctx)
    with pytest.raises(ContextReleased, match=r"ctx\.detach\(\)") as raised:
        ACCESSES[access](ctx)
    assert "geheim" not in str(raised.value) + repr(ctx)


def test_wsgi_request_is_named_too(pool):
    """H06."""
    environ = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/shop", "PATH_INFO": "/orders", "QUERY_STRING": "geheim"}
    ctx = begun(pool, environ)
    pool._kind.cycle.finish(environ)
    assert repr(ctx) == "<AppContext released after POST /shop/orders>"
    with pytest.raises(ContextReleased, match="after POST /shop/orders"):
        _ = ctx.user


def test_path_cannot_break_the_message(pool):
    """H15: an ASGI path is decoded, so a client can put line breaks into it, and the message ends up in logs."""
    scope = http_scope("/a\r\nERROR forged")
    ctx = begun(pool, scope)
    pool._kind.cycle.finish(scope)
    with pytest.raises(ContextReleased) as raised:
        _ = ctx.user
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("held", [False, True])
def test_released_by_the_caller_who_keeps_it(pool, held):
    """H06: the variable that gave it back is a holder as well."""
    ctx = pool.acquire()
    others = [ctx] if held else []
    pool.release(ctx)
    assert repr(ctx) == "<AppContext released to its pool>"
    with pytest.raises(ContextReleased, match="AppContext was released to its pool"):
        ctx.tenant = "x"
    assert pool.acquire() is not ctx
    others.clear()


def test_sealed_context_can_be_inspected(pool):
    """isinstance() is asked by formatters of tracebacks, by asyncio and by poolware itself."""
    ctx = pool.acquire()
    pool.release(ctx)
    assert isinstance(ctx, AppContext)
    assert not isinstance(ctx, str)
    assert (ctx in [1, ctx], ctx != 1, bool(ctx)) == (True, True, True)
    assert {ctx: 1}[ctx] == 1


def test_message_never_shows_the_request_itself(pool):
    """H15: also to whoever looks while the context is being wiped."""

    class Looks:
        def __del__(self):
            try:
                _ = holders[0].tenant
            except ContextReleased as error:
                seen.append(str(error))

    seen: list[str] = []
    scope = http_scope("/orders/17", (b"cookie", b"geheim"))
    holders = [begun(pool, scope)]
    holders[0].user = Looks()
    pool._kind.cycle.finish(scope)
    assert len(seen) == 1
    assert "after GET /orders/17" in seen[0]
    assert "geheim" not in seen[0]


def hold_in_frame(ctx):
    def generate():
        frame_local = ctx
        yield frame_local

    generator = generate()
    next(generator)
    return generator


def hold_in_cycle(ctx):
    cycle = [ctx]
    cycle.append(cycle)
    return cycle


def hold_traceback(ctx):
    try:
        raise ValueError
    except ValueError as error:
        return error


HOLDERS: dict[str, Any] = {
    "list": lambda ctx: [ctx],
    "closure": lambda ctx: lambda: ctx,
    "bound method": lambda ctx: ctx.detach,
    "generator frame": hold_in_frame,
    "traceback": hold_traceback,
    "cycle": hold_in_cycle,
    "another context": lambda ctx: RequestContext(user=ctx),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_held_context_waits_and_comes_back(pool, kind):
    """H06: whoever holds it, the next request gets another object; the first is back once it is let go."""
    scope = http_scope()
    begun(pool, scope)
    ctx = scope["poolware.ctx"]
    identity, holder = id(ctx), [HOLDERS[kind](ctx)]
    del ctx
    pool._kind.cycle.finish(scope)
    assert pool.get_stats().quarantined == 1
    other = pool.acquire()
    assert id(other) != identity
    holder.clear()
    gc.collect()
    assert pool.get_stats().quarantined == 0
    back = pool.acquire()
    assert id(back) == identity
    assert (back.tenant, back.email, back.token.reveal()) == ("", None, b"")


def test_held_context_is_wiped_at_once(pool):
    """Not only when it comes back: invariant 2."""
    ctx = pool.acquire()
    ctx.token = "geheim"
    ctx.grants["geheim"] = True
    holder, memory, grants = [ctx], ctx.token._memory.obj, ctx.grants
    pool.release(ctx)
    assert bytes(memory) == bytes(len(memory))
    assert pool._kind.plan.members["grants"].__get__(ctx) is None
    assert (grants, holder) == ({"geheim": True}, [ctx])
