"""Everything that can be done with a resource pool, in any order, by callers of all kinds, while its hooks fail."""

import gc
import itertools
import threading
from collections import Counter
from contextlib import suppress
from functools import partial

import anyio
import pytest
from callers import KINDS, callers_of
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from resource_samples import PATIENCE, agree, grow_older, wait_until

from poolware import AlreadyReleased, ForeignObject, PoolClosed, PoolTimeout, ResourcePool
from poolware._core.log import logger
from poolware._core.proof import REUSE_REFUSED

ON_EACH_RUN = settings(
    max_examples=8,
    stateful_step_count=30,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # other threads take part: a failure does not repeat itself exactly
    suppress_health_check=list(HealthCheck),
)
AT_LENGTH = settings(ON_EACH_RUN, max_examples=400, stateful_step_count=60, derandomize=False)
LIMIT = 0.02
"""Seconds that `validate` and `keepalive` may take."""
MOST = 3
MOST_WAITING = 15
HOOKS = ("factory", "destroy", "reset", "validate", "keepalive")
numbers = st.integers(0, 11)


class Failure(Exception):
    pass


class Thing:
    """A resource that can neither be compared nor hashed."""

    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        raise AssertionError

    __hash__ = None


class Hooks:
    """What the pool calls: fails as it was told to, and counts."""

    def __init__(self):
        self.made = Counter()
        self.destroyed = Counter()
        self.gone = Counter()
        self.most = MOST
        self.wrong = []
        self.over = threading.Event()
        self._numbers = itertools.count()
        self._faults = {hook: [] for hook in HOOKS}

    def expect(self, hook, fault):
        """Have the next call of `hook` go wrong."""
        self._faults[hook].append(fault)

    def forget(self):
        for faults in self._faults.values():
            faults.clear()

    def factory(self):
        self._fault("factory")
        if self.exist() >= self.most:
            self.wrong.append(f"{self.exist()} exist, and one more is made")
        thing = Thing(next(self._numbers))
        self.made[thing.number] += 1
        return thing

    def exist(self):
        return self.made.total() - self.gone.total()

    def destroy(self, thing):
        self.destroyed[thing.number] += 1
        try:
            self._fault("destroy")
        finally:
            self.gone[thing.number] += 1

    def reset(self, thing):
        self._must_exist(thing)
        self._fault("reset")

    def validate(self, thing):
        self._must_exist(thing)
        return self._check("validate")

    def keepalive(self, thing):
        self._must_exist(thing)
        return self._check("keepalive")

    def _check(self, hook):
        fault = self._fault(hook)
        if fault == "hang":
            self.over.wait(PATIENCE)
        return fault is None

    def _fault(self, hook):
        try:
            fault = self._faults[hook].pop()
        except IndexError:
            return None
        if fault == "raise":
            raise Failure
        return fault

    def _must_exist(self, thing):
        if self.destroyed[thing.number]:
            self.wrong.append(f"{thing.number} is used after it was destroyed")


class AsyncHooks(Hooks):
    """The same, on the loop that a resource belongs to."""

    async def factory(self):
        await anyio.lowlevel.checkpoint()
        return super().factory()

    async def destroy(self, thing):
        await anyio.lowlevel.checkpoint()
        super().destroy(thing)

    async def reset(self, thing):
        await anyio.lowlevel.checkpoint()
        super().reset(thing)

    async def _check(self, hook):
        fault = self._fault(hook)
        await (anyio.sleep_forever() if fault == "hang" else anyio.lowlevel.checkpoint())
        return fault is None

    async def validate(self, thing):
        return await super().validate(thing)

    async def keepalive(self, thing):
        return await super().keepalive(thing)


class PoolMachine(RuleBasedStateMachine):
    """`held` is the model: who has what. `waiting` have asked, and are to be served some time."""

    hooks_class = Hooks
    kinds = KINDS
    options = {}  # noqa: RUF012 - never changed

    def __init__(self):
        super().__init__()
        self.hooks = self.hooks_class()
        self.pool = ResourcePool(
            **{hook: getattr(self.hooks, hook) for hook in HOOKS},
            **{"min_size": 0, "max_size": MOST, "timeout": PATIENCE, "validate_timeout": LIMIT} | self.options,
            max_backoff=0.001,
            name="db",
        )
        self._callers = callers_of(self.pool, threads=30)
        self.callers = self._callers.__enter__()
        self.pool._settings.destroyed_within = PATIENCE
        self.waiting, self.held = [], []
        self.open = True

    # --- what callers do ----------------------------------------------------------------------------------------------

    @rule(kind=numbers, priority=st.sampled_from(["critical", "high", "normal", "low"]))
    def acquire(self, kind, priority):
        if len(self.waiting) < MOST_WAITING:
            self.waiting.append(self.callers.start(self.kind(kind), priority=priority))

    @rule(kind=numbers, timeout=st.sampled_from([0, 0.002]))
    def acquire_in_a_hurry(self, kind, timeout):
        with suppress(PoolTimeout, PoolClosed):
            self.held.append(self.callers.start(self.kind(kind), timeout=timeout).result(PATIENCE))

    @rule(kind=numbers, fails=st.booleans())
    def lease(self, kind, fails):
        def use(thing):
            self.check_hands([*self.held, thing])
            if fails:
                raise Failure

        with suppress(PoolTimeout, PoolClosed, Failure):
            self.callers.start(self.kind(kind), use, timeout=0.002).result(PATIENCE)

    @rule(place=numbers)
    def cancel(self, place):
        for waiting in self.waiting[place : place + 1]:
            if waiting.cancel():
                self.waiting.remove(waiting)

    @rule(place=numbers, kind=numbers, failed=st.booleans())
    def release(self, place, kind, failed):
        """From anywhere, not only from where it was acquired."""
        for thing in self.take(place):
            self.callers.call(KINDS[kind % 3], partial(self.pool.release, thing, failed=failed)).result(PATIENCE)

    @rule(place=numbers)
    def release_twice(self, place):
        for thing in self.take(place) if not self.waiting else ():
            self.pool.release(thing)
            with pytest.raises((AlreadyReleased, ForeignObject)):
                self.pool.release(thing)

    @rule()
    def release_what_is_not_from_here(self):
        with pytest.raises(ForeignObject):
            self.pool.release(Thing(-1))

    @precondition(lambda _self: REUSE_REFUSED is None)
    @rule(place=numbers)
    def lose(self, place):
        lost = self.pool.get_stats().lost + len(self.take(place))
        gc.collect()  # the traceback of a block that failed
        wait_until(lambda: self.pool._look_after() or self.pool.get_stats().lost == lost)

    # --- what happens to the pool -------------------------------------------------------------------------------------

    @rule(hook=st.sampled_from(HOOKS), fault=st.sampled_from(["raise", "refuse", "hang"]))
    def fault(self, hook, fault):
        self.hooks.expect(hook, fault)

    @rule(seconds=st.sampled_from([1, 70, 400, 4000]))
    def time_goes_by(self, seconds):
        with self.pool._stock.lock:
            grow_older(self.pool, seconds)
        self.pool._look_after()

    @rule()
    def clear(self):
        self.pool.clear()

    @rule(most=st.integers(1, 5), least=st.integers(0, 1))
    def resize(self, most, least):
        most = max(most, 1 + sum(self.options.get("reserved", {}).values()))
        self.hooks.most = max(most, self.hooks.exist())
        self.pool.resize(min_size=least, max_size=most)

    @rule(chance=numbers, kind=numbers)
    def shut(self, chance, kind):
        """Now and then: nothing is lent after that."""
        if chance > 0 or not self.open:
            return
        self.open = False
        shut = self.pool.drain if KINDS[kind % 3] == "thread" else self.pool.adrain
        with suppress(PoolTimeout):
            self.callers.call(KINDS[kind % 3], shut, 0).result(PATIENCE)

    # --- what holds ---------------------------------------------------------------------------------------------------

    @invariant()
    def everything_is_as_it_should(self):
        wait_until(self.quiet)
        done = [waiting for waiting in self.waiting if waiting.done()]
        self.waiting = [waiting for waiting in self.waiting if waiting not in done]
        for waiting in done:
            if self.open or waiting.exception() is None:
                self.held.append(waiting.result())
            else:
                assert isinstance(waiting.exception(), PoolClosed)
        self.check_hands(self.held)
        stats = agree(self.pool)
        assert stats.in_use == len(self.held)
        assert stats.idle + stats.in_use <= max(stats.max_size, stats.in_use)
        assert self.hooks.wrong == []

    def quiet(self):
        """Whether nothing happens any more: then nobody may wait whom anything could serve."""
        stock = self.pool._stock
        stats = self.pool.get_stats()
        with stock.lock:
            served = stock.queue.first(stock.in_use_by_class(), stock.max_size - len(stock.lent)) is None
        waiting = sum(not waiting.done() for waiting in self.waiting)
        return served and stats.busy == stats.creating == 0 and waiting == stats.waiting

    def check_hands(self, things):
        made = [thing.number for thing in things]
        assert len(set(made)) == len(made), "one of them is in two hands"
        assert not any(self.hooks.destroyed[number] for number in made)

    def teardown(self):
        try:
            self.end()
        finally:
            self.hooks.over.set()
            for waiting in self.waiting:
                waiting.cancel()
            self.pool.close(timeout=0)
            self._callers.__exit__(None, None, None)

    def end(self):
        """No slot is lost: as many as may exist can be had. Then each is destroyed, once."""
        self.hooks.forget()
        while self.held or self.waiting:
            if self.held:
                self.pool.release(self.held.pop())
            self.everything_is_as_it_should()
        if self.open:
            most = self.pool.get_stats().max_size
            for number in range(most):
                self.waiting.append(self.callers.start(self.kind(number), priority="critical"))
                self.everything_is_as_it_should()
            while self.held:
                self.pool.release(self.held.pop())
        self.callers.call("asyncio", self.pool.aclose).result(PATIENCE)
        wait_until(lambda: self.hooks.destroyed.total() >= self.hooks.made.total())
        assert self.hooks.destroyed == self.hooks.made

    def kind(self, number):
        return self.kinds[number % len(self.kinds)]

    def take(self, place):
        """What is to be given back: nothing if nothing is held."""
        return [self.held.pop(place % len(self.held))] if self.held else []


class ValidatingMachine(PoolMachine):
    options = {"validate_on": ["acquire", "release", "idle"], "validate_after": 0, "order": "fifo"}  # noqa: RUF012


class SharesMachine(PoolMachine):
    options = {"reserved": {"critical": 1, "high": 1}}  # noqa: RUF012


class AsyncMachine(PoolMachine):
    hooks_class = AsyncHooks
    kinds = KINDS[1:]


MACHINES = [PoolMachine, ValidatingMachine, SharesMachine, AsyncMachine]


@pytest.fixture(autouse=True)
def silence(monkeypatch):
    """A captured log would hold the tracebacks, and they what is lost."""
    monkeypatch.setattr(logger, "disabled", True)


@pytest.mark.parametrize("machine", MACHINES)
def test_any_order_of_events(machine):
    """H12, H13, H18, H28, H29, H33: no resource in two hands, no slot lost, nobody forgotten."""
    run_state_machine_as_test(machine, settings=ON_EACH_RUN)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("machine", MACHINES)
def test_any_order_of_events_at_length(machine):
    """The same, other orders each time."""
    run_state_machine_as_test(machine, settings=AT_LENGTH)
