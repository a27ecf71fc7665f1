"""What the tests of the integrations share."""

import functools
import gc
from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
from django.conf import settings
from starlette.testclient import TestClient

from poolware import Lifecycle

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        INSTALLED_APPS=["django_poolware"],
        SECRET_KEY="for tests only",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        USE_TZ=True,
    )
    django.setup()


@pytest.fixture(autouse=True)
def everything_comes_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[list[Lifecycle[Any]]]:
    """After each test: every lifecycle it made has nothing in use, nothing lost, and an empty quarantine.

    Yields the lifecycles; a test that means to break the rule takes its own out.
    """
    made: list[Lifecycle[Any]] = []
    build = Lifecycle.__init__

    @functools.wraps(build)
    def build_and_note(self: Lifecycle[Any], *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(Lifecycle, "__init__", build_and_note)
    monkeypatch.delenv("POOLWARE_MODE", raising=False)
    yield made
    caplog.get_records("call").clear()  # a logged traceback holds contexts
    if any(map(_outside, made)):
        gc.collect()
    assert [report for report in map(_outside, made) if report] == []


def _outside(lifecycle: Lifecycle[Any]) -> dict[str, int]:
    contexts, buffers = lifecycle.pool.get_stats(), lifecycle.buffers.get_stats()
    figures = {
        "contexts in use": contexts.in_use,
        "contexts quarantined": contexts.quarantined,
        "contexts lost": contexts.lost,
        "contexts refused": contexts.refused,
        "buffers in use": buffers.in_use,
        "buffers quarantined": buffers.quarantined,
    }
    return {name: figure for name, figure in figures.items() if figure}


@pytest.fixture
def make_client(anyio_backend_name: str) -> Callable[..., TestClient]:
    """Starlette's test client, on asyncio and on trio."""
    return functools.partial(TestClient, backend=anyio_backend_name)
