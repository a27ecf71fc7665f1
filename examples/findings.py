"""An application that builds too much for each request, to be found by poolware.

poolware measure --find examples.findings:app --requests 50
"""

import ssl
import zlib

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SCRATCH_BYTES = 1 << 20
STORY = b"the quick brown fox jumps over the lazy dog. " * 40


def checksum(text: bytes) -> int:
    scratch = bytearray(SCRATCH_BYTES)  # worth a pool: ctx.buffer(SCRATCH_BYTES)
    scratch[: len(text)] = text.upper()
    return zlib.crc32(memoryview(scratch)[: len(text)])


def supports_tls13() -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # worth keeping: one for all requests
    return context.maximum_version != ssl.TLSVersion.TLSv1_2


async def story(request: Request) -> Response:
    user = request.query_params.get("user", "nobody")
    tags = [tag.strip() for tag in user.split(",")]
    return JSONResponse({"user": user, "tags": tags, "crc": checksum(STORY), "tls13": supports_tls13()})


app = Starlette(routes=[Route("/", story)])
