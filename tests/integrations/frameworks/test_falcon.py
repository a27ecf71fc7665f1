"""Falcon: requests of both kinds, beside what Falcon calls their context."""

import falcon.asgi
import pytest
from falcon.testing import TestClient

from poolware import Lifecycle, PoolTimeout, RequestContext
from poolware.web.asgi import PoolwareMiddleware as ASGIPoolware
from poolware.web.wsgi import PoolwareMiddleware as WSGIPoolware


class AppContext(RequestContext):
    tenant: str = ""


class Resource:
    def on_get(self, req, resp):
        resp.media = self.answer(req)

    def answer(self, req):
        ctx = AppContext.of(req)
        req.context.tenant = "falcon's"
        before, ctx.tenant = ctx.tenant, "acme"
        if "fail" in req.params:
            msg = "nothing came free"
            raise PoolTimeout(msg)
        return [before, AppContext.of(req).tenant, req.context.tenant]


class AsyncResource(Resource):
    async def on_get(self, req, resp):
        resp.media = self.answer(req)


@pytest.fixture(params=["asgi", "wsgi"])
def api(request):
    api = falcon.asgi.App() if request.param == "asgi" else falcon.App()
    api.add_route("/", AsyncResource() if request.param == "asgi" else Resource())
    return api


@pytest.fixture
def lifecycle():
    return Lifecycle(AppContext)


@pytest.fixture
def client(api, lifecycle):
    return TestClient((ASGIPoolware if isinstance(api, falcon.asgi.App) else WSGIPoolware)(api, lifecycle))


def test_a_responder_has_both_contexts(client, lifecycle):
    """Falcon's own is left alone; ours is pristine each time."""
    assert [client.simulate_get("/").json for _ in range(2)] == [["", "acme", "falcon's"]] * 2
    assert lifecycle.pool.get_stats().released == 2


def test_a_refused_request_is_answered_by_a_handler_of_the_application(api, client):
    assert client.simulate_get("/?fail=yes").status_code == 500

    def refuse(req, resp, error, params):
        resp.status = error.status

    async def refuse_async(req, resp, error, params):
        resp.status = error.status

    api.add_error_handler(PoolTimeout, refuse_async if isinstance(api, falcon.asgi.App) else refuse)
    assert client.simulate_get("/?fail=yes").status_code == 503
