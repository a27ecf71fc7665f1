"""The application in Flask."""

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, abort, g, jsonify, request

from poolware_compare.apps import kits, sync_views, work
from poolware_compare.apps.answers import CHUNK_BYTES, MAX_UPLOAD_BYTES

kit: Any = kits.chosen()
app: Flask = Flask(__name__)
ZSTD: dict[str, Any] = {"mimetype": "application/json", "headers": {"Content-Encoding": "zstd"}}


def with_contexts() -> Callable[[], Any]:
    """Give requests a context; return what finds it."""
    if kit.POOLED:
        import flask_poolware  # noqa: PLC0415 - not in the arms without poolware

        flask_poolware.Poolware(app, context=kit.AppContext)
        return lambda: kit.AppContext.of(request)

    @app.before_request
    def begin() -> None:
        g.ctx = kit.begin(work.request_id(request.headers.get("X-Request-ID")))

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        kit.end(g.pop("ctx"))

    return lambda: g.ctx


context_of: Callable[[], Any] = with_contexts()


@app.errorhandler(work.BadRequest)
def refused(error: work.BadRequest) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


def signed_in() -> Any:
    ctx = context_of()
    work.signed_in(ctx, request.args.get("user", ""), request.headers.get("Authorization"))
    return ctx


@app.get("/context")
def context() -> dict[str, Any]:
    return work.described(signed_in(), request.args.get("then", ""))


@app.get("/scratch/<int:size>/<int:used>")
def scratch(size: int, used: int) -> Response:
    text = sync_views.scratch(kit, context_of(), size, used, hold="hold" in request.args)
    return Response(text, mimetype="text/plain")


@app.get("/compressed")
def compressed() -> Response:
    return Response(sync_views.feed(kit, context_of()), **ZSTD)


@app.get("/sqlite/<int:number>")
def sqlite(number: int) -> Response:
    return jsonify(sync_views.sqlite(kit, number))


@app.get("/postgres/<int:number>")
def postgres(number: int) -> Response:
    return jsonify(sync_views.postgres(kit, context_of(), number))


@app.post("/upload")
def upload() -> dict[str, Any]:
    if (request.content_length or 0) > MAX_UPLOAD_BYTES:
        abort(413)
    return DIGESTS[kits.name(kit)]()


def digest_plainly() -> dict[str, Any]:
    body = request.get_data()
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def digest_by_hand() -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    while chunk := request.stream.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


def digest_pooled() -> dict[str, Any]:
    import flask_poolware  # noqa: PLC0415

    body = flask_poolware.read_body(request, limit=MAX_UPLOAD_BYTES)
    with body.getbuffer() as content:
        return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


DIGESTS = {"plain": digest_plainly, "by_hand": digest_by_hand, "pooled": digest_pooled}


@app.get("/export/<int:rows>")
def export(rows: int) -> Response:
    return Response(sync_views.export(kit, context_of(), rows), mimetype="text/csv")


@app.get("/objects/<kind>")
def use(kind: str) -> Response:
    return Response(sync_views.use(kit, context_of(), kind), mimetype="text/plain")


@app.get("/shop/<int:page>")
def browse(page: int) -> Response:
    return Response(sync_views.browse(kit, context_of(), page), **ZSTD)


@app.get("/shop/search")
def search() -> Response:
    return jsonify(sync_views.search(kit, context_of(), request.args.get("q", "")))


@app.post("/shop/cart")
def cart() -> dict[str, Any]:
    ctx = signed_in()
    ctx.params["cart"] = work.cart_of(request.get_data())
    return {"user": ctx.user, "cart": ctx.params["cart"]}


@app.post("/shop/checkout")
def checkout() -> Response:
    cart = work.cart_of(request.get_data())
    return Response(sync_views.check_out(kit, context_of(), cart), mimetype="text/csv")
