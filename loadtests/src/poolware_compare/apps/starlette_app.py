"""The application in Starlette."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from poolware_compare.apps import async_views, broadcast, kits, work
from poolware_compare.apps.starlette_parts import DIGESTS, ZSTD, Digest, chunked, refused, with_contexts

kit: Any = kits.chosen()
digest: Digest = DIGESTS[kits.name(kit)]


async def context(request: Request) -> Response:
    ctx = context_of(request)
    work.signed_in(ctx, request.query_params.get("user", ""), request.headers.get("authorization"))
    return JSONResponse(work.described(ctx, request.query_params.get("then", "")))


async def scratch(request: Request) -> Response:
    size, used = request.path_params["size"], request.path_params["used"]
    hold = "hold" in request.query_params
    return PlainTextResponse(await async_views.scratch(kit, context_of(request), size, used, hold=hold))


async def compressed(request: Request) -> Response:
    return Response(async_views.feed(kit, context_of(request)), **ZSTD)


async def sqlite(request: Request) -> Response:
    return JSONResponse(await async_views.sqlite(kit, request.path_params["number"]))


async def postgres(request: Request) -> Response:
    return JSONResponse(await async_views.postgres(kit, context_of(request), request.path_params["number"]))


async def upload(request: Request) -> Response:
    return JSONResponse(await digest(request))


async def export(request: Request) -> Response:
    chunks = async_views.export(kit, context_of(request), request.path_params["rows"])
    return StreamingResponse(chunked(chunks), media_type="text/csv")


async def use(request: Request) -> Response:
    return PlainTextResponse(async_views.use(kit, context_of(request), request.path_params["kind"]))


async def browse(request: Request) -> Response:
    return Response(await async_views.browse(kit, context_of(request), request.path_params["page"]), **ZSTD)


async def search(request: Request) -> Response:
    return JSONResponse(async_views.search(kit, context_of(request), request.query_params.get("q", "")))


async def cart(request: Request) -> Response:
    ctx = context_of(request)
    work.signed_in(ctx, request.query_params.get("user", ""), request.headers.get("authorization"))
    ctx.params["cart"] = work.cart_of(await request.body())
    return JSONResponse({"user": ctx.user, "cart": ctx.params["cart"]})


async def checkout(request: Request) -> Response:
    chunks = await async_views.check_out(kit, context_of(request), work.cart_of(await request.body()))
    return StreamingResponse(chunked(chunks), media_type="text/csv")


async def room(websocket: WebSocket) -> None:
    await broadcast.broadcast(websocket, context_of(websocket))


app: Starlette = Starlette(
    routes=[
        Route("/context", context),
        Route("/scratch/{size:int}/{used:int}", scratch),
        Route("/compressed", compressed),
        Route("/sqlite/{number:int}", sqlite),
        Route("/postgres/{number:int}", postgres),
        Route("/upload", upload, methods=["POST"]),
        Route("/export/{rows:int}", export),
        Route("/objects/{kind}", use),
        Route("/shop/{page:int}", browse),
        Route("/shop/search", search),
        Route("/shop/cart", cart, methods=["POST"]),
        Route("/shop/checkout", checkout, methods=["POST"]),
        WebSocketRoute("/broadcast/{room}", room),
    ],
    exception_handlers={work.BadRequest: refused},
)
context_of: Callable[[HTTPConnection], Any] = with_contexts(app, kit)
