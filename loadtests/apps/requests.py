"""Reading a request: the parts that are alike in every app."""

import asyncio
import uuid

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from loadtests.answers import MAX_ROWS, MAX_TRANSFORM_BYTES, REQUEST_ID, STORE_SECONDS, STORY


def request_id(scope: Scope) -> str:
    """Return the valid incoming X-Request-ID, else a fresh hex id."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text: str = value.decode("latin-1")
            if REQUEST_ID.fullmatch(text):
                return text
    return uuid.uuid4().hex


def row_count(request: Request) -> int:
    """Return `?rows=`; anything but 1 to 5000 is a 400."""
    text = request.query_params.get("rows", "")
    if not text.isdecimal() or not 1 <= int(text) <= MAX_ROWS:
        raise HTTPException(400, f"rows takes 1 to {MAX_ROWS}")
    return int(text)


def transform_size(request: Request) -> int:
    """Return the size in the path; more than 1 MiB is a 400."""
    size: int = request.path_params["size"]
    if size > MAX_TRANSFORM_BYTES:
        raise HTTPException(400, f"at most {MAX_TRANSFORM_BYTES} bytes are transformed")
    return size


async def load_story(target: memoryview) -> None:
    """Fill `target` from the store of stories."""
    await asyncio.sleep(STORE_SECONDS)
    target[:] = STORY[: len(target)]


async def body_up_to(request: Request, limit: int) -> bytes:
    """Return the whole body; more than `limit` bytes is a 413."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise HTTPException(413, f"the body may have {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
