"""H26: uWSGI forks without telling Python, unless it is told to."""

import logging
import sys
from types import SimpleNamespace

import pytest

from poolware import Lifecycle
from poolware.web.uwsgi import warn_of_silent_forks


@pytest.fixture(autouse=True)
def _afresh():
    warn_of_silent_forks.cache_clear()
    yield
    warn_of_silent_forks.cache_clear()


@pytest.mark.parametrize(
    ("options", "warns"),
    [
        ({"master": True}, True),
        ({b"processes": b"4"}, True),
        ({"workers": b"1"}, False),
        ({"master": b"false"}, False),
        ({"master": True, "py-call-osafterfork": True}, False),
        ({"master": True, "py-call-osafterfork": b"false"}, True),
        ({"master": True, "py-call-uwsgi-fork-hooks": True, "enable-threads": True}, False),
        ({"master": True, "py-call-uwsgi-fork-hooks": True, "threads": b"8"}, False),
        ({"master": True, "py-call-uwsgi-fork-hooks": True, "threads": b"1"}, False),
        ({"master": True, "py-call-uwsgi-fork-hooks": True}, True),
        ({"master": True, "lazy-apps": b"true"}, False),
        ({"http-socket": b"127.0.0.1:8000"}, False),
    ],
)
def test_a_lifecycle_says_once_what_is_missing(monkeypatch, caplog, options, warns):
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(opt=options))
    with caplog.at_level(logging.ERROR, "poolware"):
        Lifecycle()
        Lifecycle()
    assert caplog.text.count("Set py-call-uwsgi-fork-hooks = true") == warns


def test_elsewhere_it_says_nothing(caplog):
    with caplog.at_level(logging.ERROR, "poolware"):
        Lifecycle()
    assert caplog.messages == []
