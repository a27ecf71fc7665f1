"""Everything that poolware raises, under one root."""

from __future__ import annotations

__all__ = [
    "AlreadyLeased",
    "AlreadyReleased",
    "BadOption",
    "BodyError",
    "BodyInvalid",
    "BodyTimeout",
    "BodyTooLarge",
    "BodyTruncated",
    "BufferInUse",
    "BufferReleased",
    "BufferSizeError",
    "ConfigurationError",
    "ContextDetached",
    "ContextMissing",
    "ContextReleased",
    "DefinitionError",
    "FieldNameError",
    "ForeignObject",
    "ImportPathError",
    "LoopMissing",
    "MissingDefault",
    "MutableDefault",
    "NotAField",
    "NotCopyable",
    "ObjectReleased",
    "PartHeld",
    "PoolClosed",
    "PoolMissing",
    "PoolTimeout",
    "PoolUnavailable",
    "PoolwareError",
    "ReleaseError",
    "RequestRefused",
    "RingClosed",
    "RingMisuse",
    "RingTimeout",
    "SecretReleased",
    "TooManyWaiting",
    "UndeclaredField",
    "UnknownOption",
    "UnsupportedBase",
    "WrongContext",
]


class PoolwareError(Exception):
    """The root of every error that poolware raises by itself."""


# --- while a context class is being defined ---------------------------------------------------------------------------


class DefinitionError(PoolwareError, TypeError):
    """A context class is declared in a way that cannot be recycled safely."""


class MutableDefault(DefinitionError):
    """A field's default could be shared, and changed, by every request."""


class MissingDefault(DefinitionError):
    """A field has no default and no factory, so nothing says what it resets to."""


class NotAField(DefinitionError):
    """A class attribute is neither a declared field nor plainly a constant."""


class FieldNameError(DefinitionError):
    """A field's name is reserved, hides a method or hides another field."""


class UnsupportedBase(DefinitionError):
    """A base or special method brings state that a reset cannot reach."""


# --- configuration ----------------------------------------------------------------------------------------------------


class ConfigurationError(PoolwareError, ValueError):
    """Something was configured wrongly; raised at start, never during a request."""


class UnknownOption(ConfigurationError):
    """An option of this name does not exist."""


class BadOption(ConfigurationError):
    """An option has a value that it does not take."""


class ImportPathError(ConfigurationError):
    """A dotted path does not lead to what it should."""


class PoolMissing(PoolwareError, LookupError):
    """A pool manager has no pool of this name."""


# --- using a context --------------------------------------------------------------------------------------------------


class ContextReleased(PoolwareError, RuntimeError):
    """A context was used after its request had ended."""


class SecretReleased(ContextReleased):
    """A secret was used after the request that owned it had ended."""


class ContextMissing(PoolwareError, AttributeError):
    """The request carries no context: no middleware, or its response has ended."""


class ContextDetached(PoolwareError, RuntimeError):
    """A context that belongs to no request, and so would never give anything back, was asked to borrow."""


class LoopMissing(PoolwareError, RuntimeError):
    """``aborrow`` was called where no event loop lives until the response ends, so nothing could be given back."""


class WrongContext(PoolwareError, TypeError):
    """The request carries a context of another class."""


class UndeclaredField(PoolwareError, AttributeError):
    """A field that the context class does not declare was read or assigned (debug mode)."""


class NotCopyable(PoolwareError, TypeError):
    """Contexts and secrets are neither copied nor pickled; ``detach()`` makes a copy that can be."""


# --- giving back ------------------------------------------------------------------------------------------------------


class ObjectReleased(PoolwareError, RuntimeError):
    """An object of a pool was used after its release (debug mode), or through a handle without a reference left."""


class PartHeld(PoolwareError, RuntimeError):
    """Somebody kept a part of an object that is reused on the word of its ``reset=`` (debug mode; only logged)."""


class AlreadyLeased(PoolwareError, RuntimeError):
    """A lease was entered a second time before its first block had ended."""


class ReleaseError(PoolwareError, RuntimeError):
    """An object was given to a pool that cannot take it."""


class AlreadyReleased(ReleaseError):
    """The object had already been given back."""


class ForeignObject(ReleaseError):
    """The object did not come from this pool."""


# --- what a client is told --------------------------------------------------------------------------------------------


class RequestRefused(PoolwareError):
    """A request cannot be served. Every middleware answers with ``status``, as long as no response has begun."""

    status: int = 400


# --- pools that wait --------------------------------------------------------------------------------------------------


class PoolUnavailable(RequestRefused):
    """A pool cannot lend anything now. ``status`` is the HTTP status that says so."""

    status = 503
    retry_after: int = 1
    """Seconds after which trying again makes sense, for the header ``Retry-After``."""


class PoolTimeout(PoolUnavailable):
    """Nothing came free in time."""


class TooManyWaiting(PoolUnavailable):
    """So many wait already that one more is turned away."""


class PoolClosed(PoolUnavailable):
    """The pool is closed, or about to be."""


# --- buffers ----------------------------------------------------------------------------------------------------------


class BufferSizeError(PoolwareError, ValueError):
    """A buffer of this size is not to be had."""


class BufferReleased(PoolwareError, ValueError):
    """A buffer was used after it had been given back."""


class BufferInUse(PoolwareError, BufferError):
    """A buffer cannot grow while somebody holds a view of its memory."""


# --- rings ------------------------------------------------------------------------------------------------------------


class RingClosed(PoolwareError):
    """A ring takes or gives nothing any more."""


class RingTimeout(PoolwareError, TimeoutError):
    """The other side of a ring did not get on in time."""


class RingMisuse(PoolwareError, RuntimeError):
    """A ring was used by a second producer or consumer, or in the wrong order."""


# --- request bodies ---------------------------------------------------------------------------------------------------


class BodyError(RequestRefused):
    """A request body was refused. ``status`` is the HTTP status that says so."""


class BodyTimeout(BodyError):
    """The body was not complete in time."""

    status = 408


class BodyTooLarge(BodyError):
    """The body is longer than the limit."""

    status = 413


class BodyTruncated(BodyError):
    """The body ended before its announced length."""


class BodyInvalid(BodyError):
    """The body's announced length is not a length."""
