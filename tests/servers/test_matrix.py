"""The matrix tells what it was told."""

from types import SimpleNamespace

import pytest

from .matrix import EXCUSED, Matrix, excuse_of, render


def report(outcome, when="call", **more):
    return SimpleNamespace(when=when, failed=outcome == "failed", skipped=outcome == "skipped", **more)


@pytest.fixture
def recorded():
    matrix = Matrix()
    matrix.has("test_first")
    matrix.has("test_second")
    matrix.not_applicable("test_second", "b", "there is none")
    for ending, column in [("second[x]", "a"), ("first", "a"), ("first", "b"), ("first", "c")]:
        matrix.expect(ending, column)
    matrix.note("second[x]", "a", report("passed"))
    matrix.note("first", "a", report("passed"))
    matrix.note("first", "a", report("failed", "teardown"))
    matrix.note("first", "b", report("skipped", wasxfail="their own fault"))
    return matrix.as_dict(["a", "b", "c"])


def test_what_is_recorded(recorded):
    """A failing teardown fails its cell; what did not run is left out; the order is that of the tests."""
    assert recorded == {
        "targets": ["a", "b", "c"],
        "endings": ["first", "second[x]"],
        "cells": {
            "first": {"a": "failed", "b": "excused: their own fault"},
            "second[x]": {"a": "passed", "b": "not applicable: there is none"},
        },
    }


def test_the_table(recorded):
    """Excuses are numbered notes below the table."""
    assert render(recorded).splitlines() == [
        "| ending | a | b | c |",
        "|---|:-:|:-:|:-:|",
        "| first | ✗ | (1) |   |",
        "| second[x] | ✓ | – |   |",
        "",
        "1. their own fault",
    ]


def test_every_excuse_names_the_test_that_shows_it():
    for cell, reason in EXCUSED.items():
        assert "test_excuses" in reason
        assert excuse_of(*cell) == reason
    assert excuse_of("first", "a") is None
