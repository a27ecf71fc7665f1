"""The application in FastAPI: the context and the parameters are dependencies."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from poolware_compare.apps import async_views, broadcast, kits, work
from poolware_compare.apps.starlette_parts import DIGESTS, ZSTD, Digest, chunked, refused, with_contexts

kit: Any = kits.chosen()
digest: Digest = DIGESTS[kits.name(kit)]
app: FastAPI = FastAPI(exception_handlers={work.BadRequest: refused})
find: Callable[[HTTPConnection], Any] = with_contexts(app, kit)


async def context_of(request: Request) -> Any:
    return find(request)


Context = Annotated[Any, Depends(context_of)]


async def signed_in(ctx: Context, user: str = "", authorization: Annotated[str | None, Header()] = None) -> Any:
    work.signed_in(ctx, user, authorization)
    return ctx


User = Annotated[Any, Depends(signed_in)]


@app.get("/context")
async def context(ctx: User, then: str = "") -> dict[str, Any]:
    return work.described(ctx, then)


@app.get("/scratch/{size}/{used}")
async def scratch(ctx: Context, size: int, used: int, hold: int = 0) -> PlainTextResponse:
    return PlainTextResponse(await async_views.scratch(kit, ctx, size, used, hold=bool(hold)))


@app.get("/compressed")
async def compressed(ctx: Context) -> Response:
    return Response(async_views.feed(kit, ctx), **ZSTD)


@app.get("/sqlite/{number}")
async def sqlite(number: int) -> list[str | int]:
    return list(await async_views.sqlite(kit, number))


@app.get("/postgres/{number}")
async def postgres(ctx: Context, number: int) -> list[str | int]:
    return list(await async_views.postgres(kit, ctx, number))


@app.post("/upload")
async def upload(request: Request) -> dict[str, Any]:
    return await digest(request)


@app.get("/export/{rows}")
async def export(ctx: Context, rows: int) -> StreamingResponse:
    return StreamingResponse(chunked(async_views.export(kit, ctx, rows)), media_type="text/csv")


@app.get("/objects/{kind}")
async def use(ctx: Context, kind: str) -> PlainTextResponse:
    return PlainTextResponse(async_views.use(kit, ctx, kind))


@app.get("/shop/search")
async def search(ctx: Context, q: str) -> int:
    return async_views.search(kit, ctx, q)


@app.get("/shop/{page}")
async def browse(ctx: Context, page: int) -> Response:
    return Response(await async_views.browse(kit, ctx, page), **ZSTD)


@app.post("/shop/cart")
async def cart(ctx: User, request: Request) -> dict[str, Any]:
    ctx.params["cart"] = work.cart_of(await request.body())
    return {"user": ctx.user, "cart": ctx.params["cart"]}


@app.post("/shop/checkout")
async def checkout(ctx: Context, request: Request) -> StreamingResponse:
    chunks = await async_views.check_out(kit, ctx, work.cart_of(await request.body()))
    return StreamingResponse(chunked(chunks), media_type="text/csv")


@app.websocket("/broadcast/{room}")
async def room(websocket: WebSocket) -> None:
    await broadcast.broadcast(websocket, find(websocket))
