"""The /metrics applications, without a server."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from poolware import ObjectPool
from poolware.web import metrics


def wsgi(method="GET"):
    answers = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/", "QUERY_STRING": ""}
    body = b"".join(metrics.wsgi_app(environ, lambda status, headers: answers.append((status, dict(headers)))))
    return (*answers[0], body.decode())


def asgi():
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(metrics.asgi_app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return str(sent[0]["status"]), headers, sent[1]["body"].decode()


@pytest.mark.parametrize("ask", [wsgi, asgi])
def test_it_tells_how_things_are_now(ask):
    pool = ObjectPool(dict, reset=None, name=f"asked by {ask.__name__}")
    for acquired in (1, 2):
        with pool.lease():
            status, headers, text = ask()
        assert status.startswith("200")
        assert headers["Content-Type"].startswith("text/plain")
        samples = {
            (s.name, s.labels.get("pool")): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
        }
        assert samples["poolware_acquires_total", pool.name] == acquired
        assert samples["poolware_pool_in_use", pool.name] == 1


def test_it_is_read_only():
    """H38"""
    status, headers, _ = wsgi("POST")
    assert status.startswith("405")
    assert headers["Allow"] == "OPTIONS,GET"
