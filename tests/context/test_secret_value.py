"""Secret: bytes in memory of their own, wiped, redacted, compared in constant time."""

import array
import copy
import gc
import hmac
import pickle
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests_sample import AppContext

from poolware import BadOption, Context, NotCopyable, ObjectPool, Secret, SecretField, SecretReleased, secret


def memory_of(secret_: Secret) -> bytearray:
    """The secret's own memory; whoever has it sees what becomes of it."""
    return secret_._memory.obj


def test_set_and_reveal():
    token = Secret("geheim")
    assert (token.reveal(), token.reveal_text(), bool(token)) == (b"geheim", "geheim", True)
    token.set(b"\x00\xff")
    assert token.reveal() == b"\x00\xff"


def test_empty_secret():
    assert (Secret().reveal(), Secret().reveal_text(), bool(Secret())) == (b"", "", False)


@given(st.text(st.characters(codec="utf-8")))
@settings(max_examples=50, deadline=None)
def test_text_is_stored_as_utf8(text):
    token = Secret(text, capacity=4)
    assert (token.reveal(), token.reveal_text()) == (text.encode(), text)


@given(st.lists(st.binary(max_size=40) | st.text(st.characters(codec="utf-8"), max_size=20), max_size=5))
@settings(max_examples=50, deadline=None)
def test_memory_holds_the_value_and_nothing_else(values):
    """H09 H14: a shorter value leaves nothing of the longer one before it."""
    token = Secret(capacity=4)
    for value in values:
        token.set(value)
        raw = value.encode() if isinstance(value, str) else value
        memory = memory_of(token)
        assert bytes(memory) == raw.ljust(len(memory), b"\0")


@pytest.mark.parametrize(
    "value", ["a longer secret", b"a longer secret", bytearray(b"a longer secret"), "länger", "密" * 9]
)
def test_growing_wipes_the_old_memory(value):
    """H14: allocate, wipe, and only then fill; a bytearray that grew would leave a copy behind."""
    token = Secret("geheim", capacity=6)
    old = memory_of(token)
    token.set(value)
    assert memory_of(token) is not old
    assert old == bytes(6)


def test_value_that_fits_stays_where_it_is():
    token = Secret("geheim", capacity=64)
    old = memory_of(token)
    token.set("x" * 64)
    assert memory_of(token) is old


@pytest.mark.usefixtures("whole_heap")
@pytest.mark.parametrize("kind", [str, str.encode])
@pytest.mark.parametrize("spelling", ["battery", "bättery", "密"])
def test_setting_leaves_no_copy_behind(kind, spelling):
    """H14: no other object that the collector can reach has the value."""
    value = kind(f"correct horse {spelling}")
    token = Secret(capacity=8)
    token.set(value)
    same = (f"correct horse {spelling}", f"correct horse {spelling}".encode())
    holders = [holder for holder in gc.get_objects() if type(holder) in (tuple, list, dict) and holder is not same]
    found = [x for x in gc.get_referents(*holders) if type(x) in (str, bytes, bytearray) and x in same]
    assert found == []
    count = sys.getrefcount(memory_of(token))
    assert count == 2  # its own view's, and this question's


def test_wipe():
    token = Secret("geheim")
    memory = memory_of(token)
    token.wipe()
    assert (token.reveal(), bytes(memory)) == (b"", bytes(64))
    token.set("again")
    assert token.reveal() == b"again"


def test_comparison():
    token = Secret("geheim-ü")
    assert token == "geheim-ü"
    assert token == "geheim-ü".encode()
    assert token == bytearray("geheim-ü".encode())
    assert token == memoryview("geheim-ü".encode())
    assert token == Secret("geheim-ü", capacity=1)
    assert token not in ("geheim", b"", Secret("geheim"), None, 5, ["geheim-ü"])


def test_comparison_takes_constant_time(monkeypatch):
    """H14: by the one function of the standard library that does; no timing here."""
    seen = []
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: seen.append((bytes(a), bytes(b))) or True)
    assert Secret("abc") == "abd"
    assert seen == [(b"abc", b"abd")]


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>20}".format, "%s".__mod__, ascii])
def test_value_is_never_shown(show):
    """H15: repr, str and every kind of formatting."""
    assert "set" in show(Secret("geheim"))
    assert "geheim" not in show(Secret("geheim"))
    assert "empty" in show(Secret())


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copying_is_refused(how):
    with pytest.raises(NotCopyable, match=r"a Secret is neither copied nor pickled; reveal\(\)"):
        how(Secret("geheim"))


def test_not_hashable():
    """A hash would tell something of the value, and be kept in the caller's dict."""
    with pytest.raises(TypeError):
        hash(Secret("geheim"))


USES = {
    "set": lambda token: token.set("x"),
    "reveal": Secret.reveal,
    "reveal_text": Secret.reveal_text,
    "wipe": Secret.wipe,
    "bool": bool,
    "compare": lambda token: token == "x",
    "compare from the other side": lambda token: Secret("x") == token,
}


@pytest.mark.parametrize("use", USES)
def test_use_after_the_request_raises(use):
    """H06: `t = ctx.token`, kept beyond the response."""
    pool = ObjectPool(AppContext)
    ctx = pool.acquire()
    ctx.token = "geheim"
    token = ctx.token
    memory = memory_of(token)
    pool.release(ctx)
    assert bytes(memory) == bytes(len(memory))
    assert repr(token) == "<Secret released>"
    with pytest.raises(SecretReleased, match=r"wiped when its request ended; take what you need with reveal\(\)"):
        USES[use](token)


def test_next_request_has_another_secret():
    """H06: and writing to the old one cannot reach it."""
    pool = ObjectPool(AppContext)
    ctx = pool.acquire()
    token = ctx.token
    pool.release(ctx)
    del ctx
    following = pool.acquire()
    following.token = "next"
    assert following.token is not token
    with pytest.raises(SecretReleased):
        token.set("old")
    assert following.token.reveal() == b"next"


def test_wiped_when_dropped():
    """H14: a secret of one's own, and a context that never was in a pool."""
    memories = []
    for ctx in (AppContext(token="geheim"), AppContext(token="a longer one that moves")):
        memories.append(memory_of(ctx.token))
    del ctx
    assert [bytes(memory).strip(b"\0") for memory in memories] == [b"", b""]


def test_assigning_a_field_sets_the_value_in_place():
    ctx = AppContext()
    token = ctx.token
    for value in ("text", b"bytes", bytearray(b"array"), memoryview(b"view"), Secret("other")):
        ctx.token = value
        assert ctx.token is token
    assert ctx.token == "other"


def test_assigning_a_secret_to_itself_keeps_its_value():
    ctx = AppContext(token="geheim")
    ctx.token = ctx.token
    assert ctx.token == "geheim"


def test_assigning_another_contexts_secret_copies_its_value():
    first, second = AppContext(token="geheim"), AppContext()
    second.token = first.token
    first.token.wipe()
    assert second.token == "geheim"


@pytest.mark.parametrize(
    "value", [None, 5, ["a"], object(), memoryview(b"abcd")[::2]], ids=lambda value: type(value).__name__
)
def test_refused_value_leaves_the_old_one(value):
    """And never zeros in its place."""
    ctx = AppContext(token="geheim")
    with pytest.raises((TypeError, ValueError)):
        ctx.token = value
    assert ctx.token == "geheim"


def test_memory_of_larger_items_is_stored_byte_for_byte():
    value = array.array("I", [1, 2**31])
    assert Secret(value).reveal() == value.tobytes()


def test_fields_capacity():
    class Shop(Context):
        token: SecretField = secret(capacity=8)

    assert len(memory_of(Shop().token)) == 8


def test_text_that_is_no_unicode():
    """A lone surrogate, as JSON can bring it: stored and compared, not an error of the server."""
    secret = Secret("a\ud800b")
    assert secret.reveal_text() == "a\ud800b"
    assert secret == "a\ud800b"
    assert Secret("abc") != "\ud800"


@pytest.mark.parametrize("capacity", [0, -5, "a", True, 1.5])
def test_capacity_that_is_none(capacity):
    """H40: and nothing is said of an unfinished secret when it is dropped."""
    with pytest.raises(BadOption, match="capacity="):
        Secret("x", capacity=capacity)


def test_deleting_a_secret_wipes_it():
    ctx = AppContext(token="geheim")
    memory = ctx.token._memory.obj
    del ctx.token
    assert bytes(memory) == bytes(len(memory))
    assert not ctx.token


def test_a_missing_header_is_refused_in_words():
    """`request.headers.get("authorization")` gives None where there is none."""
    ctx = AppContext(token="old")
    with pytest.raises(TypeError, match="a Secret takes str or bytes, not None; '' empties it"):
        ctx.token = None
    assert ctx.token.reveal() == b"old"
