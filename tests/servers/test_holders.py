"""Whoever keeps a request's state, or a part of it, beyond its end: nobody else ever sees what is done to it."""

import asyncio

import pytest

from .client import connection, get
from .guests import Guest, visit, visits
from .serving import serve
from .settled import report, wait_until
from .targets import COLUMNS, Target

LATE_WRITES = {
    "request": "ContextMissing",
    "context": "ContextReleased",
    "params": "written",
    "roles": "written",
    "secret": "SecretReleased",
    "vouched": "written",
    "buffer": "BufferReleased",
    "view": "written",
    "borrowed": "written",
}
"""What comes of a write through each part, once the request has ended."""


def visit_once(target, kind, **query):
    guest = Guest.new()
    response = get(target.port, guest.url(target, kind, **query))
    assert response.status == 200
    guest.recognise(response.body)
    return guest


def in_quarantine(target):
    seen = report(target.running)
    return {pool: seen[pool]["quarantined"] for pool in ("contexts", "buffers", "objects") if seen[pool]["quarantined"]}


# --- work behind the answer -------------------------------------------------------------------------------------------


def test_background_task(target):
    """H06, H19: what the framework runs behind the answer still has the context."""
    guest = visit_once(target, "behind")
    wait_until(lambda: report(target.running)["events"])
    assert target.events() == [f"background: {guest.tenant}"]


def test_background_task_that_raises(target):
    """H16, H19: the context comes back all the same."""
    guest = visit_once(target, "behind", fail=1)
    wait_until(lambda: report(target.running)["events"])
    assert target.events() == [f"background: {guest.tenant}"]


@pytest.mark.needs("tasks")
def test_task_left_behind(target):
    """H06: a task that nobody waits for finds the context released."""
    visit_once(target, "forget")
    wait_until(lambda: in_quarantine(target) == {"contexts": 1})
    asyncio.run(visits(target, 5))
    target.control("wake")
    wait_until(lambda: report(target.running)["events"])
    assert target.events() == ["task: ContextReleased"]
    target.control("let-go")


def test_thread_that_writes_on(target):
    """H06: a thread writes to the context without end; from the end of its request on every write is refused."""
    assert writing_on(target) > 0


def writing_on(target):
    """Have threads write to contexts while others come; return how many of their writes were refused."""
    for _ in range(3):
        visit_once(target, "write-on")
        asyncio.run(visits(target, 5, pause=0.005))
    outcomes = target.control("stop-writing")
    assert outcomes.keys() <= {"written", "ContextReleased", "SecretReleased"}
    return outcomes.get("ContextReleased", 0)


# --- parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", LATE_WRITES)
def test_part_kept(target, part):
    """H04, H06, H07, H09, H43: written to after the end, while the next requests run, and before it is let go of."""
    visit_once(target, "keep", part=part)
    asyncio.run(visits(target))
    wait_until(lambda: report(target.running)["contexts"]["in_use"] == 0)
    assert target.control("write-late") == [LATE_WRITES[part]]
    if part == "borrowed":  # a pool looks at an object when its turn has come
        wait_until(lambda: asyncio.run(everything_in_use(target)) or in_quarantine(target))
    else:
        asyncio.run(visits(target))
    held = {"context": {"contexts": 1}, "view": {"buffers": 1}, "borrowed": {"objects": 1}}
    wait_until(lambda: in_quarantine(target) == held.get(part, {}))
    assert target.control("write-late") == [LATE_WRITES[part]]
    target.control("let-go")


async def everything_in_use(target):
    """Come together with enough others to need all that rests in the pool of borrowed objects, and one more."""
    resting = (await asyncio.to_thread(report, target.running))["objects"]["idle"]
    async with asyncio.TaskGroup() as group:
        for _ in range(resting + 1 if target.has("concurrency") else 1):
            group.create_task(visits(target, 1, pause=0.05))


def test_context_variable(target):
    """H10: kept in a context variable, which may last as long as a connection or a thread does."""

    async def in_a_row():
        async with connection(target.port) as client:
            for _ in range(4):
                response = await visit(client, target, "ambient")
                if response.headers.get("connection", "").lower() == "close":
                    break
        await visits(target)

    asyncio.run(in_a_row())
    target.control("let-go")
    assert set(target.events()) <= {"the variable: empty", "the variable: ContextReleased"}


# --- without the protections ------------------------------------------------------------------------------------------


def without(protection, harm):
    """Run a column without a protection, do `harm`, and return what the app or the test found wrong."""
    column = COLUMNS["starlette-uvicorn-uvloop"]
    with serve(column.server, column.app, SABOTAGE=protection) as running:
        target = Target(column, running)
        try:
            harm(target)
        except AssertionError as error:
            return [str(error)]
        return report(running)["problems"]


def keep_and_write(part):
    def harm(target):
        visit_once(target, "keep", part=part)
        target.control("write-late")
        asyncio.run(visits(target))

    return harm


@pytest.mark.parametrize(
    "harm", [writing_on, keep_and_write("vouched"), keep_and_write("borrowed")], ids=["context", "vouched", "borrowed"]
)
@pytest.mark.one_core
def test_without_the_proof_others_see_what_is_written_late(harm):
    """H06, H43: the tests above can see an object that is handed out although somebody holds it."""
    assert without("proof", harm)
    assert not without("", harm)


@pytest.mark.one_core
def test_without_the_seal_nobody_is_told():
    """H06: the tests above can see a context that can be written to after its request."""
    assert without("seal", test_thread_that_writes_on)
    assert not without("", test_thread_that_writes_on)


@pytest.mark.one_core
def test_without_the_quarantine_others_see_what_a_view_is_written():
    """H07: the same for memory."""
    assert without("quarantine", keep_and_write("view"))
    assert not without("", keep_and_write("view"))


@pytest.mark.one_core
def test_without_wiping_secrets_stay():
    """H14: the fixture can see a secret that is still in its memory."""
    column = COLUMNS["starlette-uvicorn-uvloop"]
    with serve(column.server, column.app, SABOTAGE="secrets") as running:
        asyncio.run(visits(Target(column, running)))
        assert report(running)["unwiped"] == 3
