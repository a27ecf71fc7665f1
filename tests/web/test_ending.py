"""Ending: exactly once, however often it is called, copied or forgotten."""

import copy
import gc
import pickle

import pytest

from poolware.web.ending import Ending


class Request:
    """Counts how often it was finished."""

    def __init__(self):
        self.finished = 0
        self.order = []

    def finish(self, carrier):
        self.finished += 1
        self.order.append("finish")
        carrier.clear()


def test_called_it_closes_what_was_inside_and_then_finishes():
    request = Request()
    Ending(request.finish, {}, lambda: request.order.append("inner"))()
    assert request.order[:2] == ["inner", "finish"]


def test_what_was_inside_is_closed_once():
    request = Request()
    ending = Ending(request.finish, {}, lambda: request.order.append("inner"))
    ending()
    ending()
    del ending
    assert request.order.count("inner") == 1


def test_an_inner_close_that_raises_still_finishes():
    """H20: the error is the server's to see."""
    request = Request()

    def close():
        msg = "disk full"
        raise OSError(msg)

    ending = Ending(request.finish, {}, close)
    with pytest.raises(OSError, match="disk full"):
        ending()
    assert request.finished == 1


def test_forgotten_it_finishes_when_it_is_collected():
    """H20: a server that never calls close()."""
    request = Request()
    Ending(request.finish, {})
    assert request.finished == 1


def test_in_a_cycle_it_finishes_when_the_collector_comes():
    """H20: a response that refers to itself."""
    request = Request()
    response = {}
    response["close"] = Ending(request.finish, {}, response.clear)
    del response
    gc.collect()
    assert request.finished == 1


def test_once_called_it_has_nothing_to_do_with_the_carrier_any_more():
    """H12, H23: the same environ may carry the next request by the time a closed response is collected."""
    request, carrier = Request(), {}
    ending = Ending(request.finish, carrier)
    ending()
    carrier["the next"] = "request"
    del ending
    assert carrier == {"the next": "request"}


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, *(lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in (0, 2, 5))],
    ids=["copy", "deepcopy", "pickle 0", "pickle 2", "pickle 5"],
)
def test_a_duplicate_is_harmless(duplicate):
    """A cache stores a response and replays it: nothing ends for that, and pickling drags no environ along."""
    request = Request()
    ending = Ending(request.finish, {"socket": object()})
    twin = duplicate(ending)
    assert twin() is None
    del twin
    assert request.finished == 0
    ending()
    assert request.finished == 1


def test_a_pickle_holds_nothing_of_the_request():
    """H15: headers and secrets of one request do not land in a cache."""
    ending = Ending(Request().finish, {"HTTP_AUTHORIZATION": "Bearer swordfish"})
    assert b"swordfish" not in pickle.dumps(ending)
