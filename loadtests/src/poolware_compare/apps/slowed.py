"""The Starlette application with some CPU time burnt for each request: a slowdown of a known size."""

import os
from time import thread_time_ns

from starlette.types import Receive, Scope, Send

from poolware_compare.apps import starlette_app

BURN = "POOLWARE_COMPARE_BURN_US"
"""The environment variable that says how many microseconds."""
burn_ns: int = round(float(os.environ.get(BURN, "0")) * 1000)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Burn, and answer."""
    if scope["type"] == "http":
        end = thread_time_ns() + burn_ns
        while thread_time_ns() < end:
            pass
    await starlette_app.app(scope, receive, send)
