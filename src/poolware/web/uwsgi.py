"""Whether uWSGI tells Python of its forks, without which pools made before are shared by all workers (H26)."""

from __future__ import annotations

import functools
import sys

from poolware._core.log import logger

__all__ = ["warn_of_silent_forks"]

_FORKING = {"master", "processes", "workers"}
_SOUND = {"py-call-osafterfork", "lazy-apps", "lazy"}
"""Options with any of which no pool is in two processes."""


@functools.cache
def warn_of_silent_forks() -> None:
    """Log what is missing from uWSGI's options, if this process is a uWSGI that forks."""
    uwsgi = sys.modules.get("uwsgi")  # there is one only inside of uWSGI
    options = getattr(uwsgi, "opt", None)
    if options is None:
        return
    given = {name.decode() if isinstance(name, bytes) else name for name in options}
    if given & _FORKING and not given & _SOUND:
        logger.error(
            "uWSGI forks its workers without telling Python: connections and other pooled objects made before the fork "
            "are shared by all workers. Set py-call-osafterfork = true, or lazy-apps = true"
        )
