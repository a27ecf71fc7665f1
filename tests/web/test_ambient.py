"""``current`` within the two generic middlewares."""

import asyncio
import gc
import io
import logging
from concurrent.futures import ThreadPoolExecutor
from wsgiref.util import FileWrapper

import pytest

from poolware import ContextMissing, RequestContext, current
from poolware.observe.logs import PoolwareFilter, tag
from poolware.web import asgi, wsgi


class AppContext(RequestContext):
    tenant: str = ""


def look(*_):
    try:
        return current(AppContext).tenant or "nobody"
    except ContextMissing:
        return "none"


def label():
    record = logging.makeLogRecord({})
    PoolwareFilter().filter(record)
    return record.request_id


# --- ASGI -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def anyio_backend():
    return "asyncio"


def around(app):
    return asgi.PoolwareMiddleware(app, context=AppContext, ambient=True)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_tasks_and_threads_of_a_request(serve, kind):
    seen = []

    async def ask():
        return look()

    async def app(_scope, _receive, _send):
        current(AppContext).tenant = "acme"
        seen.extend([look(), await asyncio.create_task(ask()), await asyncio.to_thread(look)])
        seen.append(await asyncio.get_running_loop().run_in_executor(None, look))  # carries no variables on

    await serve(around(app), type=kind)
    assert seen == ["acme", "acme", "acme", "none"]
    assert look() == "none"


@pytest.mark.anyio
async def test_requests_at_the_same_time(serve):
    waiting = asyncio.Barrier(3)
    seen = {}

    async def app(scope, _receive, _send):
        current(AppContext).tenant = scope["path"]
        await waiting.wait()
        seen[scope["path"]] = look()
        await waiting.wait()

    paths = ["/one", "/two", "/three"]
    wrapped = around(app)
    await asyncio.gather(*(serve(wrapped, path=path) for path in paths))
    assert seen == dict(zip(paths, paths, strict=True))


@pytest.mark.anyio
async def test_a_task_that_outlives_its_request(serve):
    """H10: it finds none, also while the next one is served."""
    tasks, go_on = [], asyncio.Event()

    async def outlive():
        await go_on.wait()
        return look()

    async def app(_scope, _receive, _send):
        current(AppContext).tenant = "acme"
        tasks.append(asyncio.create_task(outlive()))
        if len(tasks) == 2:
            go_on.set()
            assert await tasks[0] == "none"
            assert await tasks[1] == "acme"

    wrapped = around(app)
    await serve(wrapped)
    await serve(wrapped)


@pytest.mark.anyio
async def test_the_outer_one_of_two_middlewares_decides(serve):
    """H23."""
    seen = []

    async def app(_scope, _receive, _send):
        seen.append(look())

    await serve(around(asgi.PoolwareMiddleware(app, context=AppContext)))
    await serve(asgi.PoolwareMiddleware(around(app), context=AppContext))
    assert seen == ["nobody", "none"]


@pytest.mark.anyio
async def test_an_application_that_raises(serve):
    """H16."""

    async def app(_scope, _receive, _send):
        raise ValueError(look())

    with pytest.raises(ValueError, match="nobody"):
        await serve(around(app))
    assert look() == "none"


# --- WSGI -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def app():
    def app(environ, start_response):
        start_response("200 OK", [])
        current(AppContext).tenant = environ["PATH_INFO"]
        return (look().encode() for _ in range(2))

    return wsgi.PoolwareMiddleware(app, context=AppContext, ambient=True)


def test_to_the_last_piece_of_a_response(app, call):
    """H19."""
    answer = call(app, PATH_INFO="/acme")
    assert answer.read_and_close() == b"/acme/acme"
    assert look() == "none"


def test_a_thread_that_serves_one_request_after_the_other(app, call):
    """H10: between the requests nothing is found there."""

    def serve(path):
        return call(app, PATH_INFO=path).read_and_close().decode()

    with ThreadPoolExecutor(1) as thread:
        tasks = [(serve, "/one"), (look,), (serve, "/two"), (look,)]
        seen = [thread.submit(*task).result() for task in tasks]
    assert seen == ["/one/one", "none", "/two/two", "none"]


def test_a_response_closed_in_another_thread(app, call):
    """H10."""
    answer = call(app, PATH_INFO="/acme")
    with ThreadPoolExecutor(1) as thread:
        thread.submit(answer.read_and_close).result()
    assert look() == "none"


def test_responses_made_in_turns_by_one_thread(call):
    """H10: each piece, and what is done at the close, finds its own request; what is in between finds none."""
    ends = []

    def app(environ, start_response):
        start_response("200 OK", [])
        current(AppContext).tenant = environ["PATH_INFO"]
        return Pieces(environ["PATH_INFO"])

    class Pieces:
        def __init__(self, path):
            self.path = path

        def __iter__(self):
            yield look().encode()
            tag(current(AppContext))
            yield label().encode()

        def close(self):
            ends.append((self.path, look(), label()))

    app = wsgi.PoolwareMiddleware(app, context=AppContext, ambient=True)
    answers = [call(app, PATH_INFO=path, HTTP_X_REQUEST_ID=path[1:]) for path in ("/one", "/two", "/three")]
    assert look() == "none"
    bodies = [iter(answer.body) for answer in answers]
    seen = [[(next(body), look(), label()) for body in bodies] for _ in range(2)]
    assert seen == [
        [(b"/one", "none", ""), (b"/two", "none", ""), (b"/three", "none", "")],
        [(b"one", "none", ""), (b"two", "none", ""), (b"three", "none", "")],
    ]
    for answer in answers:
        answer.body.close()
    assert ends == [("/one", "/one", "one"), ("/two", "/two", "two"), ("/three", "/three", "three")]


def test_a_request_whose_response_the_view_of_another_reads(app, call):
    """H23: as with an application's own client, which need not read to the end."""

    def view(_environ, start_response):
        start_response("200 OK", [])
        current(AppContext).tenant = "outer"
        inner = call(app, PATH_INFO="/inner")
        seen = [look(), next(iter(inner.body)).decode(), look()]
        del inner
        return [" ".join([*seen, look()]).encode()]

    outer = wsgi.PoolwareMiddleware(view, context=AppContext, ambient=True)
    assert call(outer).read_and_close() == b"outer /inner outer outer"
    assert look() == "none"


def test_another_application_in_its_place(app, call):
    app.app = lambda _environ, _start_response: (look().encode() for _ in range(2))
    answers = [call(app), call(app)]
    assert look() == "none"
    assert [answer.read_and_close() for answer in answers] == [b"nobodynobody"] * 2


@pytest.mark.parametrize("make", [lambda _pieces: [b"one"], lambda pieces: FileWrapper(io.BytesIO(pieces))])
def test_what_servers_look_at_stays_what_it_is(call, make):
    """H21."""
    made = make(b"one")
    app = wsgi.PoolwareMiddleware(lambda *_: made, context=AppContext, ambient=True)
    answer = call(app, **{"wsgi.file_wrapper": FileWrapper})
    assert look() == "none"
    assert answer.body is made if isinstance(made, FileWrapper) else len(answer.body) == 1
    assert answer.read_and_close() == b"one"


def test_a_response_that_nobody_closes(app, call):
    """H20: it ends when it is collected, which no context variable keeps it from."""
    answer = call(app, PATH_INFO="/acme")
    assert next(iter(answer.body)) == b"/acme"
    del answer
    gc.collect()
    assert app.lifecycle.pool.get_stats().released == 1
