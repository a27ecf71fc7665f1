"""What happens when a context class is defined: fields become slots, and everything unsafe is an error."""

from __future__ import annotations

import functools
import inspect
import keyword
import re
import sys
import types
from abc import ABCMeta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, get_origin

from poolware._core.core import Recyclable
from poolware._core.plan import Plan, RebuiltSlot, SecretSlot, Slot, ValueSlot
from poolware._core.sealed import Variant
from poolware.context.fields import SECRET_PREFIX, UNSET, FieldDescription, FieldSpec, check_immutable, is_immutable
from poolware.context.secret import SecretField
from poolware.context.variants import detached_namespace, sealed_of
from poolware.errors import FieldNameError, MissingDefault, NotAField, UnsupportedBase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

INTERNAL = ("_lent", "_carrier", "_request_id")
"""Slots of every context that no field declares; they rest at None."""
HOME = "_home"
"""The slot that names the pool or lifecycle an object belongs to; it stays."""

_STATEFUL = {
    "__init__": "give the fields defaults or factories; a recycled context is not initialised again",
    "__new__": "give the fields defaults or factories; a recycled context is not made again",
    "__del__": "borrow what must be given back with ctx.borrow(pool)",
    **dict.fromkeys(
        ("__getattr__", "__getattribute__", "__setattr__", "__delattr__"), "write a property or a method instead"
    ),
    **dict.fromkeys(("__eq__", "__hash__"), "compare the fields that matter; a pool tells its objects by identity"),
    **dict.fromkeys(("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__"), "use ctx.detach()"),
}
_DESCRIPTORS = (types.FunctionType, classmethod, staticmethod, property, functools.partialmethod, type)


# Derived from Protocol's metaclass so that a Protocol or ABC among the bases reaches our own error instead of Python's
# "metaclass conflict"; none of its behaviour is used.
if TYPE_CHECKING:
    _ProtocolMeta = type
else:
    _ProtocolMeta = type(Protocol)


class ContextMeta(_ProtocolMeta):
    """The metaclass of contexts."""

    __poolware_own__: dict[str, tuple[FieldSpec, str]]
    __poolware_fields__: dict[str, tuple[FieldSpec, str]]
    __poolware_open__: tuple[str, ...]
    __poolware_plan__: Plan | None
    __poolware_detached__: type
    _give_back: Callable[[Any], None]
    _label: Callable[[Any], str]

    def __new__(  # noqa: PYI034 - a metaclass, which ruff does not see through the base above
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        mixin: bool = False,
        variant: bool = False,
        **kwargs: Any,
    ) -> ContextMeta:
        if variant or bases == (Recyclable,):
            return type.__new__(cls, name, bases, namespace, **kwargs)
        for base in bases:
            _check_base(name, base)
        own = dict(_declared(name, namespace, bases))
        _check_rest(name, namespace, own, bases)
        slots = () if mixin else tuple(_new_slots(own, bases))
        body = {key: value for key, value in namespace.items() if key not in own}
        try:
            made = type.__new__(cls, name, bases, {**body, "__slots__": slots}, **kwargs)
        except TypeError as error:
            if "lay-out" not in str(error):
                raise
            msg = f"{name}: two of its bases have fields. Declare all but one of them with `mixin=True`"
            raise UnsupportedBase(msg) from None
        made.__poolware_own__ = own
        made.__poolware_fields__ = _all_fields(made)
        made.__poolware_plan__ = None if mixin else _plan(made)
        return made

    def __setattr__(cls, name: str, value: object) -> None:  # noqa: N805 - as above
        if name in _STATEFUL or name == "__dataclass_params__":  # what @dataclass sets first
            msg = f"{cls.__name__}.{name} is not for contexts: a context class is complete as it is, without @dataclass"
            raise UnsupportedBase(msg)
        type.__setattr__(cls, name, value)

    def __init__(cls, *args: Any, **_kwargs: Any) -> None:  # noqa: N805 - as above
        type.__init__(cls, *args)

    if not TYPE_CHECKING:
        __instancecheck__ = type.__instancecheck__
        __subclasscheck__ = type.__subclasscheck__


def _declared(
    where: str, namespace: dict[str, Any], bases: tuple[type, ...]
) -> Iterator[tuple[str, tuple[FieldSpec, str]]]:
    for name, annotation in _annotations(namespace).items():
        if _is_class_var(annotation):
            continue
        spec = namespace.get(name, UNSET)
        if spec is UNSET:
            msg = f"{where}.{name} has no default: write {name}: … = None, or = field(factory=…)"
            raise MissingDefault(msg)
        if not isinstance(spec, FieldSpec):
            spec = FieldSpec(default=spec)
        if spec.factory is None and not spec.capacity:
            check_immutable(where, name, spec.default)
        _check_name(where, name, spec, bases)
        yield name, (spec, annotation if isinstance(annotation, str) else inspect.formatannotation(annotation))


def _annotations(namespace: dict[str, Any]) -> Mapping[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - new in 3.14

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is not None:
            return annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    annotations: Mapping[str, Any] = namespace.get("__annotations__", {})
    return annotations


def _is_class_var(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return re.match(r"(\w+\.)?ClassVar\b", annotation) is not None
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def _check_base(where: str, base: type) -> None:
    if isinstance(base, ContextMeta):
        return
    if base is Protocol or getattr(base, "_is_protocol", False):
        _refuse_base(where, base, "a Protocol", "leave it out: a context satisfies a protocol by having its members")
    if isinstance(base, ABCMeta):
        _refuse_base(where, base, "an ABC", "declare a class of plain methods with `__slots__ = ()`")
    _check_methods(where, base)
    if base.__dictoffset__ or base.__weakrefoffset__ or base.__basicsize__ != object.__basicsize__:
        advice = (
            "for methods alone give it `__slots__ = ()`; for fields derive it from Context: "
            f"class {base.__name__}(Context, mixin=True)"
        )
        _refuse_base(where, base, "a class with a __dict__ or slots of its own, which no reset reaches", advice)
    for klass in base.__mro__[:-1]:
        for name, value in vars(klass).items():
            if _is_data(name, value) and not is_immutable(value):
                advice = f"declare {name} as a field of the context, or make it immutable"
                _refuse_base(where, base, f"a class whose {name} is shared by all requests", advice)


def _check_methods(where: str, base: type) -> None:
    for klass in base.__mro__[:-1]:
        for name, advice in _STATEFUL.items():
            if name in vars(klass):
                _refuse_base(where, base, f"a class with {name}", advice)


def _refuse_base(where: str, base: type, what: str, advice: str) -> NoReturn:
    msg = f"{where}: its base {base.__name__} is {what}; {advice}"
    raise UnsupportedBase(msg)


def _check_name(where: str, name: str, spec: FieldSpec, bases: tuple[type, ...]) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        msg = f"{where}: {name!r} is no name for a field; it takes what Python takes for an attribute"
        raise FieldNameError(msg)
    if name in (*INTERNAL, HOME) or name.startswith((SECRET_PREFIX, "__")):
        msg = f"{where}.{name}: this name is poolware's own; choose another"
        raise FieldNameError(msg)
    for base in bases:
        inherited = base.__poolware_fields__.get(name) if isinstance(base, ContextMeta) else None
        if inherited is None and any(name in vars(klass) for klass in base.__mro__):
            msg = f"{where}.{name} hides {base.__name__}.{name}; choose another name"
            raise FieldNameError(msg)
        if inherited is not None:
            _check_same_kind(where, name, inherited[0], spec)


def _check_rest(where: str, namespace: dict[str, Any], own: dict[str, Any], bases: tuple[type, ...]) -> None:
    """Everything in the class body that is no field must be plainly without state."""
    inherited = {name for base in bases if isinstance(base, ContextMeta) for name in base.__poolware_fields__}
    annotated = _annotations(namespace)
    for name, value in namespace.items():
        if name in own:
            continue
        if name == "__slots__":
            _check_slots(where, value)
        if name in _STATEFUL:
            msg = f"{where}.{name} is not for contexts: {_STATEFUL[name]}"
            raise UnsupportedBase(msg)
        if isinstance(value, functools.cached_property):
            msg = f"{where}.{name}: cached_property needs a __dict__; declare {name}: … = None and fill it on first use"
            raise UnsupportedBase(msg)
        if name in inherited:
            msg = f"{where}.{name} hides an inherited field; to change its default write {name}: … = {value!r:.40}"
            raise FieldNameError(msg)
        if _is_data(name, value) and name not in annotated:
            msg = (
                f"{where}.{name} has no annotation: write {name}: … = … for a field, {name}: ClassVar[…] for a constant"
            )
            raise NotAField(msg)


def _is_data(name: str, value: object) -> bool:
    """Whether a class attribute is neither a method of any kind nor Python's own."""
    special = name.startswith("__") and name.endswith("__")
    return not (special or isinstance(value, _DESCRIPTORS) or hasattr(type(value), "__get__"))


def _check_slots(where: str, slots: Any) -> None:
    for slot in (slots,) if isinstance(slots, str) and slots else slots:
        msg = f"{where}.__slots__: a slot without a reset; declare a field instead, such as {slot}: … = None"
        raise UnsupportedBase(msg)


def _new_slots(own: dict[str, tuple[FieldSpec, str]], bases: tuple[type, ...]) -> Iterator[str]:
    """The slots that no base has yet: of its own fields and of those that mixins declare."""
    wanted = {
        name: spec
        for base in bases
        if isinstance(base, ContextMeta)
        for name, (spec, _) in base.__poolware_fields__.items()
    }
    wanted |= {name: spec for name, (spec, _) in own.items()}
    for name, spec in wanted.items():
        slot = spec.slot(name).name
        if not any(slot in vars(klass) for base in bases for klass in base.__mro__):
            yield slot


def _all_fields(made: ContextMeta) -> dict[str, tuple[FieldSpec, str]]:
    """Fields by name, the ancestors' first, each as its most derived class declares it."""
    fields: dict[str, tuple[FieldSpec, str]] = {}
    for klass in reversed(made.__mro__):
        for name, (spec, annotation) in vars(klass).get("__poolware_own__", {}).items():
            if name in fields:
                _check_same_kind(made.__name__, name, fields[name][0], spec)
            fields[name] = spec, annotation
    for name in fields:
        _check_visible(made, name)
    return fields


def _check_same_kind(where: str, name: str, one: FieldSpec, other: FieldSpec) -> None:
    if bool(one.capacity) != bool(other.capacity):
        msg = f"{where}.{name} is a secret in one class and a plain field in the other; choose another name"
        raise FieldNameError(msg)


def _check_visible(made: type, name: str) -> None:
    """What one base calls a field must not be something else in another."""
    for klass in made.__mro__:
        found = vars(klass).get(name)
        if found is not None and not isinstance(found, types.MemberDescriptorType | SecretField):
            msg = f"{made.__name__}.{name} is a field in one class and something else in {klass.__name__}; rename one"
            raise FieldNameError(msg)


def _plan(made: ContextMeta) -> Plan:
    fields = made.__poolware_fields__
    slots: list[Slot] = [spec.slot(name) for name, (spec, _) in fields.items()]
    slots += [ValueSlot(name, None, sensitive=False) for name in INTERNAL]
    slots.sort(key=_resets_last)
    members = {name: _member(made, name) for name in (*(slot.name for slot in slots), HOME)}
    for name, (spec, _) in fields.items():
        if spec.capacity:
            type.__setattr__(made, name, SecretField(members[SECRET_PREFIX + name], spec.capacity))
    made.__poolware_open__ = tuple(name for name, (spec, _) in fields.items() if not (spec.sensitive or spec.capacity))
    sealed = ContextMeta(f"Released{made.__name__}", (Variant, made), sealed_of(made.__name__), variant=True)
    made.__poolware_detached__ = ContextMeta(
        made.__name__, (Variant, made), detached_namespace(made.__qualname__), variant=True
    )
    return Plan(made, sealed, tuple(slots), members, made._give_back, made._label)


def _resets_last(slot: Slot) -> int:
    """Order of resetting: secrets, other sensitive fields, the rest."""
    if isinstance(slot, SecretSlot):
        return 0
    return 1 if isinstance(slot, ValueSlot | RebuiltSlot) and slot.sensitive else 2


def _member(made: type, slot: str) -> Any:
    return next(
        vars(klass)[slot] for klass in made.__mro__ if isinstance(vars(klass).get(slot), types.MemberDescriptorType)
    )


def describe_fields(made: ContextMeta) -> tuple[FieldDescription, ...]:
    """Return the rows of ``Context.describe()``."""
    return tuple(spec.describe(name, annotation) for name, (spec, annotation) in made.__poolware_fields__.items())
