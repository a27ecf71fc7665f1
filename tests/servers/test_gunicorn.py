"""What gunicorn makes of responses that are more than an iterable."""

import pytest

from .client import get
from .serving import serve
from .settled import balanced, settled

FILE = "/visit/send-file?user=u&tenant=t"


@pytest.mark.parametrize("server_name", ["gunicorn-sync", "gunicorn-gthread"])
def test_a_file_wrapper_is_sent_with_sendfile(server_name):
    """H21: gunicorn recognises its own wrapper and uses sendfile; the context is in use until then, and no longer."""
    with serve(server_name, "apps.file_app:app") as server:
        for _ in range(3):
            assert get(server.port, FILE).body == bytes(range(256)) * 4096
        after = settled(server)
        balanced(after)
        assert after["events"] == ["sendfile True of a FileWrapper with 1 in use", "sent: t"] * 3
        assert after["contexts"]["acquired"] == after["begun"] == 3
        assert after["contexts"]["created"] == 1
        assert get(server.port, "/hello").body == b"hello"


@pytest.mark.one_core
def test_without_keeping_its_type_there_is_no_sendfile():
    """H21: the test above can see a wrapper that gunicorn does not recognise."""
    with serve("gunicorn-sync", "apps.file_app:app", SABOTAGE="file wrapper") as server:
        assert len(get(server.port, FILE).body) == 256 * 4096
        assert settled(server)["events"] == ["sent: t"]


def test_a_file_wrapper_of_a_head_request():
    """H21: gunicorn sends no body, and closes the wrapper all the same."""
    with serve("gunicorn-sync", "apps.file_app:app") as server:
        answer = get(server.port, FILE, "HEAD")
        assert (answer.status, answer.body) == (200, b"")
        after = settled(server)
        balanced(after)
        assert after["contexts"]["acquired"] == 1
