"""PoolManager: an application's pools by name, each made once."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pkgutil import resolve_name
from typing import Any, ParamSpec, Protocol, Self, TypeVar, cast, get_origin

from poolware._core.options import known_options
from poolware.errors import BadOption, ConfigurationError, ImportPathError, PoolClosed, PoolMissing
from poolware.pools.buffers import BufferPool
from poolware.pools.forks import restart_in_child
from poolware.pools.objects import ObjectPool
from poolware.pools.resources import ResourcePool

__all__ = ["ManagedPool", "PoolManager"]


class ManagedPool(Protocol):
    """What a manager wants of a pool: statistics, and ``close()``, ``aclose()`` or ``clear()``."""

    def get_stats(self) -> Any:
        """Return what the pool has done and holds."""


KINDS: dict[str, Callable[..., ManagedPool]] = {
    "object": ObjectPool,
    "buffer": BufferPool,
    "resource": ResourcePool,
}
"""What ``kind`` may be in a configuration, unless a manager is given more."""
_FUNCTIONS = frozenset({"factory", "reset", "validate", "destroy", "keepalive", "eviction", "store"})
"""Options whose value may be a dotted path."""

P = ParamSpec("P")
M = TypeVar("M", bound=ManagedPool)


class PoolManager:
    """Makes pools, knows them by name, and closes them. An application has one of its own; there is no global one.

        >>> pools = PoolManager({"buffers": {"kind": "buffer", "max_idle": 16}})
        >>> pools.get("buffers", BufferPool).max_idle
        16
        >>> scratch = pools.get_or_create("scratch", ObjectPool, dict, reset=dict.clear)
        >>> scratch is pools.get("scratch")
        True
        >>> pools.close_all()

    Args:
        config: for each name a mapping: ``kind``, and the options of that kind of pool. Functions may be given by their
            dotted path. Every pool is made at once, so that a mistake shows at the start.
        kinds: functions that make other kinds of pools, by the name that a configuration uses. Each is called with
            ``name=`` and the options, and says in its signature which options those are.

    Raises:
        ConfigurationError: the configuration is wrong; the message names the pool and the option.
    """

    def __init__(
        self,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        kinds: Mapping[str, Callable[..., ManagedPool]] | None = None,
    ) -> None:
        self._kinds = KINDS | dict(kinds or {})
        self._pools: dict[str, ManagedPool] = {}
        self._closed = False
        self._lock = threading.RLock()  # making a pool may ask for another one
        restart_in_child(self)
        try:
            for name, options in (config or {}).items():
                self._configure(name, options)
        except BaseException:
            self.close_all()
            raise

    def get(self, name: str, kind: type[M] | None = None) -> M:
        """Return the pool of this name. ``pools.get("jobs", ObjectPool[Job])`` tells type checkers which it is.

        Raises:
            PoolMissing: there is none of this name.
            BadOption: it is of another class than `kind`.
            PoolClosed: the manager is closed.
        """
        pool = self._pools.get(name)
        if pool is None:
            self._refuse_if_closed()
            msg = f"there is no pool {name!r}; there are {', '.join(map(repr, sorted(self._pools))) or 'none'}"
            raise PoolMissing(msg)
        return cast("M", _checked(name, pool, kind))

    def get_or_create(self, name: str, kind: Callable[P, M], /, *args: P.args, **options: P.kwargs) -> M:
        """Return the pool of this name; make it as ``kind(*args, name=name, **options)`` if there is none.

        Whoever else asks for it at the same time gets the same one.

        Raises:
            BadOption: the pool of this name is of another class than `kind`.
            PoolClosed: the manager is closed.
        """
        pool = self._pools.get(name)
        if pool is None:
            with self._lock:
                self._refuse_if_closed()
                pool = self._pools.get(name)
                if pool is None:
                    made: Any = kind
                    pool = self._pools[name] = made(*args, **({"name": name} | options))
        checked = _checked(name, pool, kind if isinstance(kind, type) or get_origin(kind) else None)
        return cast("M", checked)

    def get_stats(self) -> dict[str, Any]:
        """Return the statistics of every pool, by name."""
        return {name: pool.get_stats() for name, pool in list(self._pools.items())}

    def close_all(self) -> None:
        """Close every pool, the last one first, also when one of them fails. The manager makes no others afterwards.

        Raises:
            ExceptionGroup: what the pools raised.
        """
        errors = []
        for pool in self._closing():
            try:
                _closer(pool, "close", "clear")()
            except Exception as error:
                errors.append(error)
        _raise_all(errors)

    async def aclose_all(self) -> None:
        """Do as `close_all`; pools that have an ``aclose()`` are closed by that."""
        errors = []
        for pool in self._closing():
            try:
                result = _closer(pool, "aclose", "close", "clear")()
                if inspect.isawaitable(result):
                    await result
            except Exception as error:
                errors.append(error)
        _raise_all(errors)

    def __contains__(self, name: object) -> bool:
        return name in self._pools

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._pools))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close_all()

    def _configure(self, name: str, config: Mapping[str, Any]) -> None:
        where = f"pool {name!r}"
        if not isinstance(config, Mapping):
            msg = f"{where}: {config!r}: it takes a mapping with 'kind' and the options of that kind"
            raise BadOption(msg)
        options = dict(config)
        kind = options.pop("kind", None)
        if not isinstance(kind, str) or kind not in self._kinds:
            msg = f"{where}: kind={kind!r}: it takes {', '.join(map(repr, sorted(self._kinds)))}"
            raise BadOption(msg)
        make = self._kinds[kind]
        _check_options(where, make, options)
        try:
            self.get_or_create(name, make, **{option: _resolved(option, value) for option, value in options.items()})
        except ConfigurationError as error:
            msg = f"{where}: {error}"
            raise type(error)(msg) from error

    def _closing(self) -> Iterator[ManagedPool]:
        with self._lock:
            self._closed = True
        while self._pools:
            with suppress(KeyError):  # another thread was faster
                yield self._pools.popitem()[1]

    def _refuse_if_closed(self) -> None:
        if self._closed:
            msg = "the pool manager is closed: it makes and returns no pools any more"
            raise PoolClosed(msg)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()


def _checked(name: str, pool: Any, kind: Any) -> Any:
    cls = get_origin(kind) or kind
    if cls is not None and not isinstance(pool, cls):
        msg = f"pool {name!r}: kind={cls.__name__}: it takes {type(pool).__name__}, the class of this pool"
        raise BadOption(msg)
    return pool


def _closer(pool: ManagedPool, *names: str) -> Callable[[], object]:
    first: Callable[[], object] = next(getattr(pool, name) for name in names if hasattr(pool, name))
    return first


def _raise_all(errors: list[Exception]) -> None:
    if errors:
        msg = "pools failed to close"
        raise ExceptionGroup(msg, errors)


def _check_options(where: str, make: Callable[..., Any], options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(make).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = {parameter.name: parameter for parameter in parameters if not parameter.name.startswith("_")}
    del known["name"]
    known_options(where, options, known)
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in options:
            msg = f"{where}: {name} is missing; a pool of this kind takes it"
            raise BadOption(msg)


def _resolved(option: str, value: Any) -> Any:
    if option not in _FUNCTIONS or not isinstance(value, str) or "." not in value:
        return value
    try:
        return resolve_name(value)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"{option}={value!r}: {error}; it takes the dotted path of a function"
        raise ImportPathError(msg) from error
