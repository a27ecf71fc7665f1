"""Large responses straight from pooled memory, and requests that want memory of the same size at the same time."""

from __future__ import annotations

from typing import Any

import anyio
from apps import measuring, sabotage
from apps.control import ASGIControl, control
from apps.pattern import SIZE, blocks

sabotage.apply()

from starlette.applications import Starlette  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import PlainTextResponse, Response  # noqa: E402
from starlette.routing import Route  # noqa: E402

from poolware import Buffer, BufferPool, Lifecycle  # noqa: E402
from starlette_poolware import BufferResponse, init_app  # noqa: E402

lifecycle = Lifecycle(buffers=BufferPool(max_idle=200, max_idle_bytes=200 * SIZE))


async def big(request: Request) -> Response:
    return BufferResponse(_filled(request))


async def noise(request: Request) -> Response:
    """Fill a buffer, let others run, and see that what was written is still there."""
    buffer = _filled(request)
    await anyio.sleep(0.001)
    buffer.seek(0)
    if any(buffer.read(len(block)) != block for block in blocks(_seed(request))):
        control.wrong(f"a buffer changed under request {_seed(request)}")
    return PlainTextResponse("made")


def _filled(request: Request) -> Buffer:
    buffer: Buffer = request.ctx.buffer(SIZE)
    buffer.writelines(blocks(_seed(request)))
    return buffer


def _seed(request: Request) -> int:
    return int(request.query_params["seed"])


# --- what the test asks for -------------------------------------------------------------------------------------------


def prewarm(count: str) -> None:
    """Have `count` buffers rest in the pool."""
    buffers = [lifecycle.buffers.acquire(SIZE) for _ in range(int(count))]
    for buffer in buffers:
        buffer.release()


ROUTES: list[Any] = [Route("/big", big), Route("/noise", noise)]
control.pools |= {"contexts": lifecycle.pool, "buffers": lifecycle.buffers}
control.actions |= {"prewarm": prewarm, **measuring.ACTIONS}
inner = Starlette(routes=ROUTES)
init_app(inner, lifecycle)
app = ASGIControl(inner)
