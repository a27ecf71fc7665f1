"""What the tests of the integrations share."""

import functools
from collections.abc import Callable
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
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
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
def _everything_comes_back(everything_comes_back: list[Lifecycle[Any]]) -> None:
    """Hold every test of this folder to it."""


@pytest.fixture
def make_client(anyio_backend_name: str) -> Callable[..., TestClient]:
    """Starlette's test client, on asyncio and on trio."""
    return functools.partial(TestClient, backend=anyio_backend_name)
