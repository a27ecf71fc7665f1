"""Large responses straight from pooled memory, and requests that want memory of the same size at the same time."""

from __future__ import annotations

import gc
import re
import tracemalloc
from pathlib import Path
from typing import Any

import anyio
from apps import sabotage
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


def begin_measuring() -> None:
    gc.collect()
    _reset_peak_of_process()
    measured["resident"] = _resident("VmRSS")
    tracemalloc.start()
    measured["traced"] = tracemalloc.get_traced_memory()[0]


def end_measuring() -> dict[str, int]:
    """Return the peaks since then in bytes: of Python's own memory, and of the whole process where the system says."""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"traced": peak - measured["traced"], "resident": _resident("VmHWM") - measured["resident"]}


measured = {"traced": 0, "resident": 0}


def _reset_peak_of_process() -> None:
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def _resident(which: str) -> int:
    status = Path("/proc/self/status")
    found = re.search(rf"{which}:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else 0


ROUTES: list[Any] = [Route("/big", big), Route("/noise", noise)]
control.pools |= {"contexts": lifecycle.pool, "buffers": lifecycle.buffers}
control.actions |= {"prewarm": prewarm, "begin-measuring": begin_measuring, "end-measuring": end_measuring}
inner = Starlette(routes=ROUTES)
init_app(inner, lifecycle)
app = ASGIControl(inner)
