"""How a request ends on Django under WSGI: closed by the server, or by nobody."""

import gc
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

KEY = "poolware.ctx"
POOLWARE = "django_poolware.middleware.PoolwareMiddleware"


def dispatch(request):
    return request.environ["test.view"](request)


urlpatterns = [path("", dispatch)]


@pytest.fixture(autouse=True)
def _project():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE={}):
        yield


def serve(view, **keys):
    """Call Django as a WSGI server does, up to the point where it would send the body."""
    environ = {"PATH_INFO": "/", "test.view": view, **keys}
    setup_testing_defaults(environ)
    return environ, WSGIHandler()(environ, lambda *_: None)


def test_a_response_that_the_server_closes():
    environ, response = serve(lambda request: HttpResponse(request.ctx.request_id))
    assert KEY in environ
    response.close()
    assert KEY not in environ


def test_a_response_that_nobody_closes_ends_when_it_is_collected():
    """H20."""
    environ, response = serve(lambda request: HttpResponse(request.ctx.request_id))
    assert KEY in environ
    del response
    gc.collect()
    assert KEY not in environ


@pytest.mark.parametrize("closed", [True, False])
def test_a_stream_that_was_not_started(closed):
    """H20."""
    environ, response = serve(lambda _request: StreamingHttpResponse(iter([b"never"])))
    if closed:
        response.close()
    del response
    gc.collect()
    assert KEY not in environ


def test_the_responses_own_closers_come_first_and_a_failing_one_keeps_nothing():
    """H20: Django swallows what they raise."""
    found = []

    def close():
        found.append(KEY in environ)
        raise LookupError

    def view(_request):
        response = HttpResponse()
        response._resource_closers.append(close)
        return response

    environ, response = serve(view)
    response.close()
    assert found == [True]
    assert KEY not in environ


def test_a_file_in_the_servers_wrapper_ends_the_request_when_the_server_closes_it(tmp_path):
    """H21: sendfile."""
    (tmp_path / "spam").write_bytes(b"spam")
    file = (tmp_path / "spam").open("rb")
    environ, response = serve(lambda _request: FileResponse(file), **{"wsgi.file_wrapper": FileWrapper})
    assert type(response) is FileWrapper
    assert KEY in environ
    response.close()
    assert file.closed
    assert KEY not in environ
