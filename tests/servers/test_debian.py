"""uWSGI's forks, of which Python learns only if uWSGI is told to tell it."""

import pytest

from . import debian
from .client import get
from .serving import serve

WARNING = "uWSGI forks its workers without telling Python"


@pytest.mark.slow
@pytest.mark.skipif(debian.lacking("uwsgi") is not None, reason=str(debian.lacking("uwsgi")))
@pytest.mark.parametrize("told", [True, False])
def test_pools_made_before_the_fork(told):
    """H26: as `debian` starts uWSGI, a worker makes its own; otherwise it has its master's, and the log says so."""
    with serve("uwsgi", "apps.forked_app:app", **({} if told else {"UWSGI_SILENT": "yes"})) as running:
        maker, asker = get(running.port, "/").json
        assert (maker == asker) is told
        assert (WARNING in running.tail()) is not told
