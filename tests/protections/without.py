"""A pytest plugin that takes one protection out of poolware: ``WITHOUT=seal pytest -p without …``.

It changes the plain twin, so it is run with ``POOLWARE_CORE=python``; native.py changes the compiled one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from poolware import Lifecycle
from poolware._core import cycle, memory_file, memory_store
from poolware._core.memory_store import MemoryStore
from poolware.context import ambient, secret
from poolware.pools import forks, kinds
from poolware.pools.hooks import Hooks
from poolware.web import body, ending, wsgi


class Whatever:
    """A count of references that is always the expected one."""

    __hash__: Any = None

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    def __sub__(self, _other: object) -> int:
        return 0


def change_parts(**changes: list[str]) -> None:
    """Generate contexts' functions with other lines in them."""
    original = cycle._context_parts
    cycle._context_parts = lambda *args: {**original(*args), **changes}


def without_pristine_check() -> None:
    change_parts(pristine=["True"])


def without_reset() -> None:
    change_parts(pristine=["True"], prepare=[], reset=["give_back(obj)"])


def without_proof() -> None:
    cycle.getrefcount = lambda _obj: Whatever()


def without_seal() -> None:
    cycle.set_class = kinds.set_class = lambda *_: None


def without_exactly_once() -> None:
    original = kinds.ContextKind.generate

    def generate(self: Any, names: dict[str, Any]) -> None:
        lent = self.lent

        class Forgiving(set[Any]):
            remove = set.discard

        self.lent = Forgiving(lent)
        original(self, names)

    kinds.ContextKind.generate = generate


def without_second_reset() -> None:
    cycle._PLAIN_CYCLE = cycle._PLAIN_CYCLE.replace("            {again}\n", "")


def without_look_at_parts() -> None:
    original = Hooks.keep_part
    Hooks.keep_part = lambda self, _sole, *rest: original(self, True, *rest)


def without_wiping_fields() -> None:
    kinds.scrub = lambda _value: None


def without_wiping_secrets() -> None:
    secret.wipe = lambda *_: None


def without_wiping_buffers() -> None:
    memory_store.wipe = lambda *_: None


def without_quarantine_of_views() -> None:
    original = MemoryStore._put_back
    MemoryStore._put_back = lambda self, memory, used, *_holders: original(self, memory, used)
    memory_store.getrefcount = lambda _storage: memory_store.SOLE


def without_quarantine_of_writes() -> None:
    memory_file.held_elsewhere = lambda _box: False


def without_eye_on_the_collector() -> None:
    memory_store.collecting = lambda: False


def without_finish() -> None:
    make = Lifecycle.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        self.finish = lambda _carrier: None

    Lifecycle.__init__ = init


def without_emptying_variables() -> None:
    ambient.Box.release = lambda *_: None


def without_turns() -> None:
    wsgi.in_turns = lambda app: app


def without_inner_close() -> None:
    original = ending.Ending.__init__
    ending.Ending.__init__ = lambda self, finish, carrier, _inner=None: original(self, finish, carrier)


def without_net() -> None:
    del ending.Ending.__del__


def without_file_wrapper() -> None:
    wsgi._keep_type = lambda *_: None


def without_body_limit() -> None:
    body._append = lambda into, chunk, _limit: into.write(chunk)


def without_restart_after_fork() -> None:
    class Nobody(WeakValueDictionary[int, Any]):
        def __setitem__(self, _number: int, _pool: object) -> None:
            """Forget it."""

    forks._pools = Nobody()


REMOVALS: dict[str, Callable[[], None]] = {
    name.removeprefix("without_").replace("_", " "): function
    for name, function in list(globals().items())
    if name.startswith("without_")
}


def pytest_configure() -> None:
    """Take it out before any test is imported."""
    REMOVALS[os.environ["WITHOUT"]]()
