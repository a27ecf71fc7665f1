"""docs/errors.md has every error and what it says; every message is written in the same way."""

from __future__ import annotations

import re
from functools import cache

from docs.errors import PAGE, messages, page
from docs.provoked import PROVOKE

from poolware import errors

# A name of Python's, of an option or of a variable keeps its own letters; what is filled in may be one.
BEGINS = re.compile(r"[a-z{<\"'-]|[A-Z]\w*\(|[A-Z]+_[A-Z]+|POOLWARE|Content-Length")
TELLS = re.compile(r"takes|\buse\b|must be|it has|leave out|derive|put a|there is nothing", re.IGNORECASE)


def test_the_page_says_what_is_raised():
    assert PAGE.read_text() == page(), "python -m tests.docs.errors writes it anew"


def test_every_error_that_is_raised_as_such_is_provoked():
    """The others are there to be caught."""
    kinds = [getattr(errors, name) for name in errors.__all__]
    roots = {kind.__name__ for kind in kinds if any(kind in other.__bases__ for other in kinds)}
    assert set(errors.__all__) - set(PROVOKE) <= roots


def test_messages_begin_small_and_end_without_a_full_stop():
    """`pytest -s` prints them all, to be read as a list."""
    print(*(f"{error or '…'}: {text}" for error, text in every()), sep="\n")  # noqa: T201
    assert len(every()) > 150
    assert [text for _, text in every() if text.endswith((".", "!", " ")) or not BEGINS.match(text)] == []


def test_an_option_is_told_what_it_takes():
    refused = [text for error, text in every() if error in {"BadOption", "UnknownOption"}]
    assert [text for text in refused if not TELLS.search(text)] == []


@cache
def every():
    return sorted({(error, text) for error, text in messages() if text.strip()})
