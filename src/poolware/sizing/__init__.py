"""Should this be pooled, and how big? Formulas, measurement on this machine, and a simulation.

`poolware.sizing.simulate` is imported by itself: it needs numpy.
"""

from poolware.sizing.downstream import ShareOfLimit, connections_that_work, share_of_limit, without_deadlock
from poolware.sizing.erlang import Waiting, erlang_b, erlang_c, size_for_wait, waiting
from poolware.sizing.find import Site, find
from poolware.sizing.little import PoolSize, in_use, pool_size
from poolware.sizing.measure import BreakEven, Measurement, measure

__all__ = [
    "BreakEven",
    "Measurement",
    "PoolSize",
    "ShareOfLimit",
    "Site",
    "Waiting",
    "connections_that_work",
    "erlang_b",
    "erlang_c",
    "find",
    "in_use",
    "measure",
    "pool_size",
    "share_of_limit",
    "size_for_wait",
    "waiting",
    "without_deadlock",
]
