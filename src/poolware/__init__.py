"""poolware: pooled contexts, buffers and objects for WSGI and ASGI applications.

Whatever a request borrowed comes back clean, exactly once, however the response ended.
"""

from poolware import errors
from poolware.context.ambient import current
from poolware.context.base import Context, RequestContext
from poolware.context.fields import FieldDescription, field, secret
from poolware.context.secret import Secret, SecretField
from poolware.errors import *  # noqa: F403
from poolware.pools.buffer import Buffer
from poolware.pools.buffers import BufferPool, BufferStats
from poolware.pools.calibration import Calibration
from poolware.pools.lease import AsyncPool, Pool
from poolware.pools.manager import ManagedPool, PoolManager
from poolware.pools.object_stats import PoolStats
from poolware.pools.objects import ObjectPool
from poolware.pools.refcounted import RefCounted
from poolware.pools.resources import ResourcePool, ResourcePoolStats
from poolware.pools.resources.eviction import (
    AllOf,
    AnyOf,
    Eviction,
    IdleTimeout,
    LeastRecentlyUsed,
    MaxAge,
    Resting,
)
from poolware.pools.rings.ring import BufferRing, RingStats
from poolware.pools.stores import Store
from poolware.pools.tending.growth import Block, Fixed, Growth, LeaseRate, Step, TinyStep, Usage, Watermark, when_empty
from poolware.pools.tending.sizes import DynamicSizing, StaticSizing
from poolware.pools.thread_store import ShardedStore, ThreadStore
from poolware.web.lifecycle import Lifecycle

__all__ = [
    "AllOf",
    "AnyOf",
    "AsyncPool",
    "Block",
    "Buffer",
    "BufferPool",
    "BufferRing",
    "BufferStats",
    "Calibration",
    "Context",
    "DynamicSizing",
    "Eviction",
    "FieldDescription",
    "Fixed",
    "Growth",
    "IdleTimeout",
    "LeaseRate",
    "LeastRecentlyUsed",
    "Lifecycle",
    "ManagedPool",
    "MaxAge",
    "ObjectPool",
    "Pool",
    "PoolManager",
    "PoolStats",
    "RefCounted",
    "RequestContext",
    "ResourcePool",
    "ResourcePoolStats",
    "Resting",
    "RingStats",
    "Secret",
    "SecretField",
    "ShardedStore",
    "StaticSizing",
    "Step",
    "Store",
    "ThreadStore",
    "TinyStep",
    "Usage",
    "Watermark",
    "current",
    "field",
    "secret",
    "when_empty",
]
__all__ += errors.__all__
__version__ = "0.1.0"
