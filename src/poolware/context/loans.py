"""What a context has borrowed: taken from pools of any kind, and given back when its request ends.

Loans are rows on the context: ``[obj, pool]`` of a pool that acquires and releases by itself, ``[obj, Loan]`` of a peer
from `poolware.pools.adapters`, and ``[None, LoopLoans]`` for each event loop that has lent something.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from poolware._core.log import logger
from poolware._core.loops import current_loop, is_awaitable, shielded, spawn, time_limit
from poolware._core.plan import ValueSlot
from poolware.context.carrier import FAILED, KEY, LOANS, request_line
from poolware.errors import BadOption, ContextReleased, LoopMissing, ReleaseError
from poolware.pools.adapters.outcome import LoanCounts, Outcome, label_of
from poolware.pools.adapters.recognise import ACQUIRING, peer_of
from poolware.pools.adapters.steps import run, run_async

if TYPE_CHECKING:
    from collections.abc import Iterator

    from poolware.context.carrier import Carrier
    from poolware.pools.adapters.peer import Peer

__all__ = ["aborrow", "borrow", "give_back", "give_back_async"]

_LIMIT_S = 10.0
"""Seconds that an async pool may take to take one thing back; then it is interrupted, and the next one's turn."""

_current: dict[int, Loan] = {}
"""Whose an object is: what the application gave back by hand may serve another request by now (H12)."""


class Loan:
    """What a peer has lent."""

    __slots__ = ("_since", "peer", "pool")

    def __init__(self, pool: Any, peer: Peer, obj: object) -> None:
        self.pool: Any = pool
        self.peer: Peer = peer
        self._since = peer.in_use_since(pool, obj)
        _current[id(obj)] = self

    def give_back(self, box: list[Any], outcome: Outcome) -> None:
        """Return the object in `box`, which holds poolware's only reference to it."""
        if self._still_counts(box):
            run(self.peer.take_back(self.pool, box, outcome))

    async def give_back_async(self, box: list[Any], outcome: Outcome) -> None:
        """Do the same on the event loop that lent it."""
        if self._still_counts(box):
            async with time_limit(_LIMIT_S):
                await run_async(self.peer.take_back(self.pool, box, outcome))

    def _still_counts(self, box: list[Any]) -> bool:
        known = _current.get(id(box[0])) is self and _current.pop(id(box[0]), None) is self
        return known and self.peer.in_use_since(self.pool, box[0]) == self._since


class LoopLoans:
    """What one event loop has lent to one request."""

    __slots__ = ("_loop", "_over", "rows")

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._over = False
        self.rows: list[list[Any]] = []

    def belong_to(self, loop: Any) -> bool:
        """Whether they are `loop`'s, and have not gone back."""
        return self._loop is loop and not self._over

    def have_gone_back(self) -> bool:
        """Whether nothing is left to be done about them."""
        return self._over and not self.rows

    def keep(self, obj: Any, loan: Loan) -> bool:
        """Note a loan; return False if the request has ended meanwhile."""
        if not self._over:
            self.rows.append([obj, loan])
        return not self._over

    async def give_back(self, outcome: Outcome) -> None:
        """Return everything, the last first. An error of one pool does not keep the others from theirs."""
        self._over = True
        try:
            while self.rows:
                row = self.rows.pop()
                loan = row.pop()
                try:
                    await loan.give_back_async(row, outcome)
                except Exception as error:
                    _survive(loan.pool, error)
        finally:
            if self.rows:  # the loop is being shut down, which cancels every task
                await self.give_back(outcome)

    def give_back_soon(self, outcome: Outcome) -> None:
        """Have the loop return everything: for whoever is in another thread, or cannot wait."""
        self._over = True
        if not self.rows:
            return
        try:
            spawn(self._loop, partial(self.give_back, outcome))
        except RuntimeError as error:
            for obj, loan in self.rows:
                _current.pop(id(obj), None)
                _survive(loan.pool, error)


def borrow(ctx: Any, pool: Any) -> Any:
    """Take something from a sync pool until the request of `ctx` ends."""
    _belongs(ctx)
    peer = peer_of(pool)
    if peer is not None and peer.asynchronous:
        raise _waits(pool)
    if peer is None:
        obj, lender = (pool.acquire if hasattr(pool, "acquire") else pool.aacquire)(), pool
        if is_awaitable(obj):
            getattr(obj, "close", bool)()
            raise _waits(pool)
    else:
        with _in_our_terms(peer, pool):
            obj = peer.lend(pool)
        lender = Loan(pool, peer, obj)
    box = [obj]
    del obj
    return _kept(ctx, lender, box)


async def aborrow(ctx: Any, pool: Any) -> Any:
    """Take something from an async pool until the request of `ctx` ends."""
    _belongs(ctx)
    peer = peer_of(pool)
    if hasattr(pool, "aacquire") and not (peer and peer.asynchronous):  # whose release() does not wait
        box = [await pool.aacquire()]
        return _kept(ctx, pool if peer is None else Loan(pool, peer, box[0]), box)
    peer = peer or ACQUIRING
    if not peer.asynchronous:
        raise _blocks(pool)
    loans = _loans_here(ctx)
    with _in_our_terms(peer, pool):
        box = [peer.lend(pool)]
        waits = is_awaitable(box[0])
        if waits:
            box[0] = await box[0]
    if peer is ACQUIRING and not waits:
        pool.release(box.pop())
        raise _blocks(pool)
    loan = Loan(pool, peer, box[0])
    if not loans.keep(box[0], loan):
        await shielded(partial(loan.give_back_async, box, _outcome_of(ctx)))
        msg = f"the response ended before {label_of(pool)} lent anything; what it lent then has gone back"
        raise ContextReleased(msg)
    return box[0]


def give_back(ctx: Any) -> None:
    """Return what `ctx` has borrowed, the last first. An error of one pool does not keep the others from theirs."""
    slot = type(ctx).__poolware_plan__.members["_lent"]  # reaches into a sealed object too
    lent = slot.__get__(ctx) or []
    try:
        while lent:
            row = lent.pop()
            lender = row.pop()
            try:
                if type(lender) is Loan:
                    _empty_fields(ctx, [row])
                    lender.give_back(row, _outcome_of(ctx))
                elif type(lender) is LoopLoans:
                    if not lender.have_gone_back():  # most often the loop has seen to them
                        _empty_fields(ctx, lender.rows)
                        lender.give_back_soon(_outcome_of(ctx))
                else:
                    lender.release(row.pop())  # held by nothing here: the pool sees who else holds it
            except Exception as error:
                _survive(lender, error)
    finally:
        if lent:  # an interrupt, such as gevent's Timeout: the rest goes back before it passes on (H18)
            give_back(ctx)
        slot.__set__(ctx, None)


async def give_back_async(carrier: Carrier) -> None:
    """Return what the running event loop has lent to the request of `carrier`, whose context is still in place.

    The caller's task may be cancelled meanwhile: it learns of that when everything is back.
    """
    ctx, loop = carrier.get(KEY), current_loop()
    for loans in carrier.pop(LOANS, ()):
        if ctx is not None and loans.belong_to(loop):
            _empty_fields(ctx, loans.rows)
            outcome = _outcome_of(ctx)
            del ctx  # nothing of this frame may hold it when it is finished
            await shielded(partial(loans.give_back, outcome))
            return


# --- helpers ----------------------------------------------------------------------------------------------------------


def _kept(ctx: Any, lender: Any, box: list[Any]) -> Any:
    """Note a loan and return its object."""
    try:
        ctx._keep_until_end(lender, box[0])
    except BaseException:  # the response ended meanwhile
        if type(lender) is Loan:
            lender.give_back(box, _outcome_of(ctx))
        else:
            lender.release(box.pop())
        raise
    return box[0]


def _belongs(ctx: Any) -> None:
    if ctx._home is None:
        raise ctx._detached()


def _loans_here(ctx: Any) -> LoopLoans:
    """Return the loans of `ctx` from the loop that runs now."""
    carrier = ctx._carrier
    if carrier is not None and "REQUEST_METHOD" in carrier:
        msg = "aborrow() under WSGI: the view's event loop ends before the response does; use ctx.borrow() or ASGI"
        raise LoopMissing(msg)
    loop = current_loop()
    for row in tuple(ctx._lent or ()):
        for lender in row[1:]:
            if type(lender) is LoopLoans and lender.belong_to(loop):
                return lender
    loans = LoopLoans(loop)
    ctx._keep_until_end(loans, None)
    if carrier is not None:
        carrier.setdefault(LOANS, []).append(loans)
    return loans


def _empty_fields(ctx: Any, rows: list[list[Any]]) -> None:
    """Let go of what the fields of `ctx` hold of `rows`: they are about to be reset, and no foreign holders."""
    plan = type(ctx).__poolware_plan__
    lent = {id(row[0]) for row in rows}
    for slot in plan.slots:
        member = plan.members[slot.name]
        if isinstance(slot, ValueSlot) and id(_value(member, ctx)) in lent:
            member.__set__(ctx, slot.default)


def _value(member: Any, ctx: Any) -> Any:
    try:
        return member.__get__(ctx)
    except AttributeError:  # the application has deleted it
        return None


def _outcome_of(ctx: Any) -> Outcome:
    members = type(ctx).__poolware_plan__.members
    carrier = members["_carrier"].__get__(ctx) or {}
    counts = getattr(members["_home"].__get__(ctx), "loan_counts", None) or LoanCounts()
    if isinstance(carrier, str):  # the request has ended already
        return Outcome(carrier, counts, failed=sys.exception() is not None)
    return Outcome(request_line(carrier), counts, failed=sys.exception() is not None or FAILED in carrier)


def _survive(lender: Any, error: Exception) -> None:
    pool = lender.pool if isinstance(lender, Loan) else lender
    if isinstance(error, ReleaseError):
        logger.debug("%s was given something by hand before the response ended", label_of(pool))
    else:
        logger.error("%s did not take back what a request had borrowed", label_of(pool), exc_info=error)


def _waits(pool: object) -> BadOption:
    return BadOption(f"borrow({label_of(pool)}): it is an async pool; use await ctx.aborrow(pool)")


def _blocks(pool: object) -> BadOption:
    return BadOption(f"aborrow({label_of(pool)}): it is a sync pool; use ctx.borrow(pool), in a thread if it may block")


@contextmanager
def _in_our_terms(peer: Peer, pool: object) -> Iterator[None]:
    """Raise a peer's error for having nothing to lend as poolware's own."""
    try:
        yield
    except Exception as error:
        meaning = peer.meaning(pool, error)
        if meaning is None:
            raise
        msg = f"{label_of(pool)} has nothing to lend: {type(error).__name__} {error}".rstrip()
        raise meaning(msg) from error
