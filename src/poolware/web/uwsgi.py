"""Whether uWSGI tells Python of its forks, without which pools made before are shared by all workers (H26)."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping

from poolware._core.log import logger

__all__ = ["warn_of_silent_forks"]

_NO = {"0", "false", "no", "off"}
_COUNTS = {"processes", "workers"}
_FORKING = {"master", *_COUNTS}
_SOUND = {"py-call-osafterfork", "lazy-apps", "lazy"}
"""Options with any of which no pool is in two processes."""
_THREADS = {"enable-threads", "threads"}
"""Options without any of which py-call-uwsgi-fork-hooks does nothing."""


@functools.cache
def warn_of_silent_forks() -> None:
    """Log what is missing from uWSGI's options, if this process is a uWSGI that forks."""
    uwsgi = sys.modules.get("uwsgi")  # there is one only inside of uWSGI
    options = getattr(uwsgi, "opt", None)
    if options is None:
        return
    given = _switched_on(options)
    hooked = "py-call-uwsgi-fork-hooks" in given and given & _THREADS
    if given & _FORKING and not (given & _SOUND or hooked):
        logger.error(
            "uWSGI forks its workers without telling Python: connections and other pooled objects made before the fork "
            "are shared by all workers. Set py-call-uwsgi-fork-hooks = true and enable-threads = true, or "
            "lazy-apps = true"
        )


def _switched_on(options: Mapping[str | bytes, object]) -> set[str]:
    given = {_text(name): _text(value).lower() for name, value in options.items()}
    return {name for name, value in given.items() if value not in _NO and not (value == "1" and name in _COUNTS)}


def _text(given: object) -> str:
    return given.decode(errors="replace") if isinstance(given, bytes) else str(given)
