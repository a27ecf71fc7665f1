"""The methods of a sealed object: every use raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from poolware._core.misuse import reported


class Variant:
    """The first base of a variant of a class, so that ``__init_subclass__``, which may keep a register, stays out."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        """Nothing."""


def sealed_namespace(name: str, because: Callable[[Any], str], error: type[Exception], advice: str) -> dict[str, Any]:
    """Return the namespace of a subclass without slots of a class called `name`.

    Args:
        name: the class's name, for messages.
        because: returns how the object's use ended, as text; who acquired and released it may follow in more lines.
        error: what any use raises.
        advice: what to do instead, for the message.
    """

    def refuse(self: Any, *_args: object, **_options: object) -> NoReturn:
        line, _, history = because(self).partition("\n")
        msg = f"this {name} was released {line}. {advice}" + (f"\n{history}" if history else "")
        raise reported(error(msg))

    def read(self: Any, attribute: str) -> Any:
        # isinstance() asks for it, in formatters of tracebacks, in asyncio and here.
        return type(self) if attribute == "__class__" else refuse(self)

    def describe(self: Any) -> str:
        return f"<{name} released {because(self).partition(chr(10))[0]}>"

    methods = dict.fromkeys(("__setattr__", "__delattr__", "__reduce_ex__"), refuse)
    return {"__slots__": (), "__getattribute__": read, "__repr__": describe, **methods}
