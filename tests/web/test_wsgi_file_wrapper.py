"""H21: what ``wsgi.file_wrapper`` made stays what it is, so that the server can use sendfile."""

import gc
import io
from wsgiref.util import FileWrapper as WsgirefFileWrapper

import pytest
from gunicorn.http.wsgi import FileWrapper as GunicornFileWrapper
from waitress.buffers import ReadOnlyFileBasedBuffer as WaitressFileWrapper

from poolware import RequestContext
from poolware.web.wsgi import PoolwareMiddleware

KEY = "poolware.ctx"
WRAPPERS = [WsgirefFileWrapper, GunicornFileWrapper, WaitressFileWrapper]


class AppContext(RequestContext):
    pass


class SlottedFileWrapper:
    """A server's wrapper that takes no attributes."""

    __slots__ = ("file",)

    def __init__(self, file):
        self.file = file

    def __iter__(self):
        return iter(self.file)

    def close(self):
        self.file.close()


class File(io.BytesIO):
    """Notes at its close whether the request has its context still."""

    def __init__(self, environ):
        super().__init__(b"spam\n" * 3)
        self.environ = environ
        self.seen_at_close = []

    def close(self):
        if not self.closed:
            self.seen_at_close.append(KEY in self.environ)
        super().close()


def serve_file(call, environ, wrapper):
    """Answer a request with a wrapped file; return the server's view of the answer, and the file."""
    environ["wsgi.file_wrapper"] = wrapper
    file = File(environ)

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    return call(PoolwareMiddleware(app, context=AppContext), environ), file


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_it_keeps_its_type_and_the_file_is_closed_before_the_request_ends(call, make_environ, wrapper):
    environ = make_environ()
    answer, file = serve_file(call, environ, wrapper)
    assert type(answer.body) is wrapper

    answer.body.close()

    assert file.seen_at_close == [True]
    assert KEY not in environ


@pytest.mark.parametrize("wrapper", [WsgirefFileWrapper, GunicornFileWrapper])
def test_iterated_it_gives_the_file(call, make_environ, wrapper):
    """A server without sendfile."""
    answer, _ = serve_file(call, make_environ(), wrapper)
    assert answer.read_and_close() == b"spam\n" * 3


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_abandoned_it_ends_the_request_when_it_is_collected(call, make_environ, wrapper):
    """H20."""
    environ = make_environ()
    answer, file = serve_file(call, environ, wrapper)
    del answer
    gc.collect()
    assert KEY not in environ
    assert file.seen_at_close == [True]


def wrap_by_function(file):
    return SlottedFileWrapper(file)


@pytest.mark.parametrize("wrapper", [SlottedFileWrapper, wrap_by_function])
def test_a_wrapper_that_cannot_be_extended_is_wrapped(call, make_environ, wrapper):
    environ = make_environ()
    answer, file = serve_file(call, environ, wrapper)
    assert answer.read_and_close() == b"spam\n" * 3
    assert file.seen_at_close == [True]
    assert KEY not in environ


def test_an_application_can_use_a_wrapper_that_is_not_the_servers(call, make_environ):
    environ = make_environ()
    environ["wsgi.file_wrapper"] = GunicornFileWrapper

    def app(environ, start_response):
        start_response("200 OK", [])
        return WsgirefFileWrapper(io.BytesIO(b"spam"))

    assert call(PoolwareMiddleware(app, context=AppContext), environ).read_and_close() == b"spam"
    assert KEY not in environ


def test_a_server_without_a_wrapper(call, make_environ):
    environ = make_environ()
    assert "wsgi.file_wrapper" not in environ

    def app(environ, start_response):
        start_response("200 OK", [])
        return WsgirefFileWrapper(io.BytesIO(b"spam"))

    assert call(PoolwareMiddleware(app, context=AppContext), environ).read_and_close() == b"spam"
