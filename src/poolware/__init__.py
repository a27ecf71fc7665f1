"""poolware: pooled contexts, buffers and objects for WSGI and ASGI applications.

Whatever a request borrowed comes back clean, exactly once, however the response ended.
"""

from poolware import errors
from poolware.context.base import Context, RequestContext
from poolware.context.fields import FieldDescription, field, secret
from poolware.context.secret import Secret, SecretField
from poolware.errors import *  # noqa: F403
from poolware.pools.buffer import Buffer
from poolware.pools.buffers import BufferPool, BufferStats
from poolware.pools.lease import AsyncPool, Pool
from poolware.pools.objects import ObjectPool, PoolStats
from poolware.pools.refcounted import RefCounted
from poolware.pools.resources import ResourcePool, ResourcePoolStats
from poolware.pools.ring import BufferRing, RingStats
from poolware.web.lifecycle import Lifecycle

__all__ = [
    "AsyncPool",
    "Buffer",
    "BufferPool",
    "BufferRing",
    "BufferStats",
    "Context",
    "FieldDescription",
    "Lifecycle",
    "ObjectPool",
    "Pool",
    "PoolStats",
    "RefCounted",
    "RequestContext",
    "ResourcePool",
    "ResourcePoolStats",
    "RingStats",
    "Secret",
    "SecretField",
    "field",
    "secret",
]
__all__ += errors.__all__
__version__ = "0.1.0"
