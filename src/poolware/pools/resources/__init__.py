"""Pools of what is expensive and limited."""

from poolware.pools.resources.pool import ResourcePool
from poolware.pools.resources.stats import ResourcePoolStats

__all__ = ["ResourcePool", "ResourcePoolStats"]
