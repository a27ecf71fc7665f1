"""Django REST framework: its request around Django's, and its way with exceptions."""

import pytest
from django.test import override_settings
from django.urls import path
from rest_framework.decorators import api_view, permission_classes, throttle_classes
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.throttling import SimpleRateThrottle

from django_poolware import lifecycle
from poolware import ContextMissing, PoolTimeout, RequestContext

MIDDLEWARE = "django_poolware.middleware.PoolwareMiddleware"


class AppContext(RequestContext):
    tenant: str = ""


class ByTenant(BasePermission):
    def has_permission(self, request, view):
        AppContext.of(request).tenant = request.headers.get("X-Tenant", "")
        return bool(AppContext.of(request).tenant)


class PerTenant(SimpleRateThrottle):
    rate = "2/min"

    def get_cache_key(self, request, view):
        return f"throttle-{AppContext.of(request).tenant}"


@api_view()
@permission_classes([ByTenant])
@throttle_classes([PerTenant])
def view(request, kind):
    assert request.ctx is AppContext.of(request) is request._request.ctx
    if kind == "missing":
        raise NotFound(request.ctx.tenant)
    if kind == "refused":
        msg = "nothing came free"
        raise PoolTimeout(msg)
    return Response({"tenant": request.ctx.tenant})


urlpatterns = [path("<kind>", view)]


@pytest.fixture
def client():
    with override_settings(MIDDLEWARE=[MIDDLEWARE], POOLWARE={"CONTEXT": AppContext}, ROOT_URLCONF=__name__):
        yield APIClient()


def get(client, kind, tenant):
    response = client.get(f"/{kind}", headers={"X-Tenant": tenant})
    return response.status_code, response.content


def test_the_wrapper_passes_the_context_on(client):
    """In a view, a permission and a throttle; REST framework's own answers are within the request."""
    assert get(client, "plain", "acme") == (200, b'{"tenant":"acme"}')
    assert get(client, "missing", "acme") == (404, b'{"detail":"acme"}')
    assert get(client, "plain", "acme")[0] == 429
    assert get(client, "plain", "")[0] == 403
    assert lifecycle().pool.get_stats().released == 4


def test_a_refused_request_is_answered_with_its_status(client):
    """It is no exception of REST framework's, and goes on to Django's middlewares."""
    assert get(client, "refused", "other")[0] == 503


def test_without_a_middleware_of_says_what_is_missing():
    @api_view()
    @permission_classes([])
    def lonely(request):
        AppContext.of(request)

    with pytest.raises(ContextMissing, match=r"GET /orders carries no context\. Either the poolware middleware is not"):
        lonely(APIRequestFactory().get("/orders"))
