"""The setting POOLWARE and what ``manage.py check`` says about it."""

import io

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path

from django_poolware import SettingsError, lifecycle
from django_poolware.middleware import PoolwareMiddleware
from poolware import BufferPool, ConfigurationError, RequestContext

POOLWARE = "django_poolware.middleware.PoolwareMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"


class AppContext(RequestContext):
    tenant: str = ""


class OtherContext(RequestContext):
    pass


shared_buffers = BufferPool(name="shared")
not_a_class = "shop.context.AppContext"


def view(request):
    return HttpResponse(type(request.ctx).__name__)


urlpatterns = [path("", view)]


@pytest.fixture(autouse=True)
def _project():
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[POOLWARE], POOLWARE={"CONTEXT": AppContext}):
        yield


def test_without_the_setting_requests_have_the_plain_context():
    with override_settings():
        from django.conf import settings

        del settings.POOLWARE
        lifecycle.cache_clear()
        assert lifecycle().context is RequestContext
    lifecycle.cache_clear()


def test_all_keys():
    given = {
        "CONTEXT": f"{__name__}.AppContext",
        "BUFFERS": f"{__name__}.shared_buffers",
        "PREWARM": 2,
        "MAX_IDLE": 3,
        "MAX_QUARANTINE": 4,
    }
    with override_settings(POOLWARE=given):
        made = lifecycle()
        assert made.context is AppContext
        assert made.buffers is shared_buffers
        assert made.pool.get_stats().idle == 2
        assert (made.pool.max_idle, made.pool._quarantine._limit) == (3, 4)
        assert Client().get("/").content == b"AppContext"


def test_objects_are_taken_as_they_are():
    with override_settings(POOLWARE={"CONTEXT": OtherContext, "BUFFERS": shared_buffers}):
        assert lifecycle().context is OtherContext
        assert lifecycle().buffers is shared_buffers


def test_a_project_has_one_lifecycle_however_many_handlers():
    assert PoolwareMiddleware(view).lifecycle is PoolwareMiddleware(view).lifecycle is lifecycle()


def test_override_settings_makes_a_new_lifecycle_and_the_old_setting_returns():
    before = lifecycle().context
    with override_settings(POOLWARE={"CONTEXT": OtherContext}):
        assert Client().get("/").content == b"OtherContext"
    assert lifecycle().context is before
    assert Client().get("/").content == b"AppContext"


MISTAKES = [
    ({"CONTXT": AppContext}, "E001", "POOLWARE has no key 'CONTXT'; it takes CONTEXT, BUFFERS, PREWARM, MAX_IDLE"),
    ({"context": AppContext}, "E001", "POOLWARE has no key 'context'; it takes CONTEXT"),
    ([AppContext], "E001", "it takes a dict with the keys CONTEXT, BUFFERS"),
    (None, "E001", "POOLWARE=None: it takes a dict"),
    ({"CONTEXT": "shop.nowhere.AppContext"}, "E001", "POOLWARE['CONTEXT']='shop.nowhere.AppContext': No module named"),
    ({"CONTEXT": f"{__name__}.Nothing"}, "E001", 'does not define a "Nothing"'),
    ({"CONTEXT": "AppContext"}, "E001", "It takes the dotted path of a RequestContext"),
    ({"BUFFERS": "shop.nowhere.buffers"}, "E001", "It takes the dotted path of a BufferPool"),
    (
        {"CONTEXT": f"{__name__}.not_a_class"},
        "E002",
        "context='shop.context.AppContext': it takes a class derived from",
    ),
    ({"CONTEXT": f"{__name__}.view"}, "E002", "it takes a class derived from poolware.RequestContext"),
    ({"CONTEXT": "builtins.dict"}, "E002", "it takes a class derived from poolware.RequestContext"),
    ({"CONTEXT": None}, "E002", "it takes a class derived from poolware.RequestContext"),
    ({"BUFFERS": f"{__name__}.AppContext"}, "E002", "it takes a poolware.BufferPool"),
    ({"AMBIENT": "yes"}, "E002", "ambient='yes': it takes True or False"),
    ({"PREWARM": -1}, "E002", "prewarm=-1: it takes a whole number of at least 0"),
    ({"MAX_IDLE": "10"}, "E002", "max_idle='10': it takes a whole number of at least 0"),
    ({"MAX_QUARANTINE": True}, "E002", "max_quarantine=True: it takes a whole number of at least 0"),
]


@pytest.mark.parametrize(("value", "number", "says"), MISTAKES)
def test_check_reports_a_wrong_setting_as_an_error(value, number, says):
    """H40: one message, which names the option and what it takes."""
    with override_settings(POOLWARE=value):
        messages = [message for message in run_checks() if message.id.startswith("poolware.")]
        with pytest.raises(SystemCheckError, match=rf"\(poolware\.{number}\)"):
            call_command("check")
    assert [message.id for message in messages] == [f"poolware.{number}"]
    assert says in messages[0].msg
    assert messages[0].is_serious()


@pytest.mark.parametrize(("value", "number", "says"), MISTAKES)
def test_without_the_check_a_wrong_setting_stops_the_start(value, number, says):
    """H40: when the handler loads its middlewares, before the first request."""
    with override_settings(POOLWARE=value), pytest.raises(ConfigurationError) as raised:
        PoolwareMiddleware(view)
    assert says in str(raised.value)
    assert isinstance(raised.value, SettingsError) == (number == "E001")


def test_a_settings_error_is_djangos_own_too():
    with override_settings(POOLWARE={"CONTXT": 1}), pytest.raises(ImproperlyConfigured):
        lifecycle()


def test_a_module_that_fails_while_imported_is_not_called_missing(tmp_path, monkeypatch):
    """H40: an error inside of the user's module is shown, not covered."""
    (tmp_path / "failing_context.py").write_text("import module_that_does_not_exist")
    monkeypatch.syspath_prepend(tmp_path)
    with (
        override_settings(POOLWARE={"CONTEXT": "failing_context.AppContext"}),
        pytest.raises(SettingsError, match="No module named 'module_that_does_not_exist'"),
    ):
        lifecycle()


@pytest.mark.parametrize("middleware", [[], [COMMON]])
def test_check_warns_when_the_middleware_is_not_listed(middleware):
    with override_settings(MIDDLEWARE=middleware):
        (message,) = (message for message in run_checks() if message.id.startswith("poolware."))
    assert message.id == "poolware.W001"
    assert "its middleware is not in MIDDLEWARE: no request has a ctx" in message.msg
    assert message.hint == f"MIDDLEWARE = [{POOLWARE!r}, *MIDDLEWARE]"


def test_check_warns_when_the_middleware_is_not_the_first():
    with override_settings(MIDDLEWARE=(COMMON, POOLWARE)):
        (message,) = (message for message in run_checks() if message.id.startswith("poolware."))
    assert message.id == "poolware.W002"
    assert f"{POOLWARE} is not the first middleware" in message.msg
    assert message.hint == "Put it first."


def test_check_says_nothing_about_a_project_that_is_right():
    output = io.StringIO()
    with override_settings(MIDDLEWARE=(POOLWARE, COMMON)):
        assert [message for message in run_checks() if message.id.startswith("poolware.")] == []
        call_command("check", stdout=output)
    assert "no issues" in output.getvalue()


def test_check_leaves_the_projects_lifecycle_alone():
    """It builds one to see whether that works, and no request is served by it."""
    made = lifecycle()
    run_checks()
    assert lifecycle() is made
