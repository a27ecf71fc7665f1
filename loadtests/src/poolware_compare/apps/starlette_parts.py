"""What the Starlette and the FastAPI application have in common."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from poolware_compare.apps.answers import MAX_UPLOAD_BYTES
from poolware_compare.apps.asgi_context import Contexts

ZSTD: dict[str, Any] = {"media_type": "application/json", "headers": {"content-encoding": "zstd"}}


def with_contexts(app: Any, kit: Any) -> Callable[[HTTPConnection], Any]:
    """Give the application's requests a context; return what finds it."""
    if kit.POOLED:
        import starlette_poolware  # noqa: PLC0415 - not in the arms without poolware

        starlette_poolware.init_app(app, context=kit.AppContext)
        of: Callable[[HTTPConnection], Any] = kit.AppContext.of
        return of
    app.add_middleware(Contexts, kit=kit)
    return lambda request: request.scope["ctx"]


async def chunked(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Stream from the event loop itself: a plain iterator would be asked in a thread for each chunk."""
    for chunk in chunks:
        yield chunk


async def refused(_: Request, error: Exception) -> Response:
    """Answer a `BadRequest`."""
    return JSONResponse({"error": str(error)}, 400)


async def digest_plainly(request: Request) -> dict[str, Any]:
    """Keep the whole body, as people do first."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size = _within_limit(size + len(chunk))
        chunks.append(chunk)
    body = b"".join(chunks)
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


async def digest_by_hand(request: Request) -> dict[str, Any]:
    """Hash the body as it arrives, and never keep it."""
    digest = hashlib.sha256()
    size = 0
    async for chunk in request.stream():
        size = _within_limit(size + len(chunk))
        digest.update(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


async def digest_pooled(request: Request) -> dict[str, Any]:
    """Have the body in a pooled buffer."""
    import starlette_poolware  # noqa: PLC0415

    body = await starlette_poolware.read_body(request, limit=MAX_UPLOAD_BYTES)
    with body.getbuffer() as content:
        return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _within_limit(size: int) -> int:
    if size > MAX_UPLOAD_BYTES:
        raise HTTPException(413, f"the body may have {MAX_UPLOAD_BYTES} bytes")
    return size


Digest = Callable[[Request], Awaitable[dict[str, Any]]]
DIGESTS: dict[str, Digest] = {"plain": digest_plainly, "by_hand": digest_by_hand, "pooled": digest_pooled}
