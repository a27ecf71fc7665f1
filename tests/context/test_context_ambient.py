"""``current``: the context of the request that a task or thread serves, for code that was not given it."""

import contextvars
import threading

import pytest

from poolware import (
    BadOption,
    Context,
    ContextDetached,
    ContextMissing,
    Lifecycle,
    ObjectPool,
    RequestContext,
    WrongContext,
    current,
)
from poolware.context.ambient import RequestVariable


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


class Job(Context):
    pass


@pytest.fixture
def lifecycle(everything_comes_back):
    return Lifecycle(AppContext, ambient=True)


def request(path="/"):
    return {"type": "http", "method": "GET", "path": path, "headers": []}


def found():
    """Whether anything is found."""
    try:
        current(RequestContext)
    except ContextMissing:
        return False
    return True


def test_from_its_begin_to_its_end(lifecycle):
    scope = request()
    assert not found()
    assert lifecycle.begin(scope) is current(AppContext) is current(RequestContext)
    lifecycle.finish(scope)
    assert not found()


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_in_every_mode(monkeypatch, mode):
    monkeypatch.setenv("POOLWARE_MODE", mode)
    test_from_its_begin_to_its_end(Lifecycle(AppContext, ambient=True))


def test_it_is_switched_on(everything_comes_back):
    """Without, the begin and end of a request are the pool's own."""
    lifecycle = Lifecycle(AppContext)
    cycle = lifecycle.pool._kind.cycle
    assert (lifecycle.begin, lifecycle.finish) == (cycle.begin, cycle.finish)
    scope = request()
    lifecycle.begin(scope)
    with pytest.raises(ContextMissing, match=r"current\(AppContext\) found no request.* no ambient=True, or the resp"):
        current(AppContext)
    lifecycle.finish(scope)


def test_another_class_is_an_error_that_names_both(lifecycle):
    scope = request("/orders")
    lifecycle.begin(scope)
    with pytest.raises(WrongContext, match="GET /orders carries AppContext, not OtherContext"):
        current(OtherContext)
    lifecycle.finish(scope)


@pytest.mark.parametrize("what", ["AppContext", None, dict, Job, RequestContext()])
def test_what_is_no_context_class(what):
    """H40: whether a request is served or not."""
    with pytest.raises(BadOption, match=r"^current\(.*it takes a class derived from poolware.RequestContext"):
        current(what)


def test_what_outlives_its_request_finds_no_other_in_its_place(lifecycle):
    """H10: not even where a server has used its scope again."""
    scope = request()
    lifecycle.begin(scope).tenant = "acme"
    late = contextvars.copy_context()
    assert late.run(current, AppContext).tenant == "acme"
    lifecycle.finish(scope)
    lifecycle.begin(scope).tenant = "emca"
    with pytest.raises(ContextMissing):
        late.run(current, AppContext)
    assert current(AppContext).tenant == "emca"
    lifecycle.finish(scope)


def test_context_variables_do_not_disturb_the_proof(lifecycle):
    """H10: copies that are kept refer to no context, so that it is used again."""
    copies = []
    for _ in range(3):
        scope = request()
        lifecycle.begin(scope)
        copies.append(contextvars.copy_context())
        lifecycle.finish(scope)
    stats = lifecycle.pool.get_stats()
    assert (stats.created, stats.escaped) == (1, 0)


def test_a_request_within_another(lifecycle):
    """H23: as an application's own client makes them. What the inner one leaves behind does not find the outer."""
    outer, inner = request("/outer"), request("/inner")
    lifecycle.begin(outer)
    lifecycle.begin(inner)
    assert current(AppContext) is AppContext.of(inner)
    late = contextvars.copy_context()
    lifecycle.finish(inner)
    assert current(AppContext) is AppContext.of(outer)
    assert not late.run(found)
    lifecycle.finish(outer)


def test_a_request_that_ends_before_one_that_began_later(lifecycle):
    first, second = request("/first"), request("/second")
    lifecycle.begin(first)
    lifecycle.begin(second)
    lifecycle.finish(first)
    assert current(AppContext) is AppContext.of(second)
    lifecycle.finish(second)
    assert not found()


def test_an_end_in_another_thread(lifecycle):
    """H10: no token has to be given back where it came from."""
    scope = request()
    lifecycle.begin(scope)
    thread = threading.Thread(target=lifecycle.finish, args=[scope])
    thread.start()
    thread.join()
    assert not found()


def test_contexts_of_leases_end_what_was_set_for_each():
    """H10: they have no request, by which one could be told from another."""
    pool, variable, seen = ObjectPool(AppContext), RequestVariable(), []
    for _ in range(2):
        with pool.lease() as one:
            variable.set(one, "one")
            with pool.lease() as two:
                variable.set(two, "two")
                seen.append(variable.get())
            seen.append(variable.get())
        seen.append(variable.get())
    assert seen == ["two", "one", None] * 2


def test_what_one_of_them_sets_is_not_what_another_is_asked_for(lifecycle):
    variable, scope = RequestVariable(), request()
    variable.set(lifecycle.begin(scope), "value")
    assert (current(AppContext), variable.get(), RequestVariable().get()) == (AppContext.of(scope), "value", None)
    lifecycle.finish(scope)
    assert (found(), variable.get()) == (False, None)


def test_a_copy_that_belongs_to_no_request():
    """H10: nothing would end what was set for it."""
    with pytest.raises(ContextDetached):
        RequestVariable().set(AppContext(), "value")
