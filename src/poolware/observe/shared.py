"""What the processes of one machine tell each other about their pools: a file of each, in a private directory.

A file is written whole under another name and then renamed, so that a reader never sees half of one. The directory
belongs to the user whose processes these are, and nobody else may look into it; any other directory is refused, as
somebody else could have put anything there. A file is named after its process and the time at which that started: what
a dead process has left is known for that even when its number is in use again, and removed by the next reader.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from poolware._core.log import logger
from poolware.errors import ConfigurationError
from poolware.observe.processes import birth_of, is_alive
from poolware.observe.snapshot import PoolSnapshot, merge

__all__ = ["SCHEMA", "Share", "merged", "read_all"]

SCHEMA = 1
"""The version of the format. What another version has written is not read."""
_KEYS = {"process", "time", "every", "pools", "alerts"}
_STALE_AFTER = 30.0
"""Seconds without a word, and ten times its period, after which a process counts as gone if nothing else says so."""


class Share:
    """Publishes this process's figures to the others of its user on this machine.

    Args:
        directory: where to; ``POOLWARE_SHARED_DIR`` or a directory ``poolware-UID`` of the user's runtime directory, or
            of the one for temporary files, by default. It is made if it is not there.

    Raises:
        ConfigurationError: the directory belongs to somebody else, others can look into it, or it cannot be made.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self.directory: Path = _directory(directory)
        _make_private(self.directory)

    def publish(self, figures: Mapping[str, Any]) -> None:
        """Replace what this process has said before."""
        mine = {"schema": SCHEMA, "process": {"pid": os.getpid(), "birth": birth_of(os.getpid())}, **figures}
        text = json.dumps(mine, separators=(",", ":")).encode()
        path = self._path()
        draft = path.with_suffix(".new")
        with suppress(FileNotFoundError):  # left by a process that was killed in the middle of this, or by nobody
            draft.unlink()
        _make_private(self.directory)  # cleaners of temporary files take empty ones away
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
        draft.replace(path)

    def withdraw(self) -> None:
        """Take back what this process has said: it is about to end."""
        with suppress(OSError):
            self._path().unlink()

    def _path(self) -> Path:
        return self.directory / f"{os.getpid()}-{birth_of(os.getpid())}.json"


def read_all(directory: str | os.PathLike[str] | None = None) -> list[dict[str, Any]]:
    """Return what each living process says, in the format that docs/observability.md describes, by process number.

    Args:
        directory: as for `Share`. None of that name: nobody says anything.

    Raises:
        ConfigurationError: the directory belongs to somebody else, or others can look into it.
    """
    folder = _directory(directory)
    with suppress(FileNotFoundError):
        _check_private(folder)
        return sorted(_living(folder), key=lambda said: said["process"]["pid"])
    return []


def merged(documents: list[dict[str, Any]]) -> list[PoolSnapshot]:
    """Put together what processes say of pools that have the same name and kind."""
    return merge(PoolSnapshot.from_dict(pool) for said in documents for pool in said["pools"])


def _living(folder: Path) -> Iterator[dict[str, Any]]:
    """What the processes say that still run. Removes what others have left."""
    for path in folder.glob("*-*.*"):
        pid, _, birth = path.stem.partition("-")
        with suppress(FileNotFoundError):  # withdrawn, or another reader was faster
            if not (pid.isdecimal() and is_alive(int(pid), birth)):
                path.unlink()
            elif path.suffix == ".json" and (said := _read(path)) is not None and (birth or _is_recent(said)):
                yield said


def _read(path: Path) -> dict[str, Any] | None:
    try:
        said = json.loads(path.read_bytes())
        if said["schema"] != SCHEMA:
            return None
        if said.keys() >= _KEYS:
            return dict(said)
    except (ValueError, KeyError, TypeError) as error:
        logger.debug("%s: %r", path, error)
    logger.warning("%s is not what poolware writes", path)
    return None


def _is_recent(said: Mapping[str, Any]) -> bool:
    return bool(time.time() - said["time"] < max(_STALE_AFTER, 10 * said["every"]))


def _directory(given: str | os.PathLike[str] | None) -> Path:
    if given is not None:
        return Path(given)
    named = os.environ.get("POOLWARE_SHARED_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"poolware-{_user()}"


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0  # elsewhere the directory for temporary files is the user's


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(0o700, parents=True, exist_ok=True)
    except FileExistsError:  # no directory, as is said below
        pass
    except OSError as error:
        msg = f"{directory} cannot be made, to share figures in: {error}; POOLWARE_SHARED_DIR names another one"
        raise ConfigurationError(msg) from error
    _check_private(directory)


def _check_private(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        wrong = "it is no directory"
    elif not hasattr(os, "geteuid"):
        return
    elif found.st_uid != os.geteuid():
        wrong = f"it belongs to user {found.st_uid}, and this process runs as user {os.geteuid()}"
    elif found.st_mode & 0o077:
        wrong = f"others have access to it (mode {stat.S_IMODE(found.st_mode):03o}; 700 is needed)"
    else:
        return
    msg = f"{directory} is not used to share figures: {wrong}; POOLWARE_SHARED_DIR names another one"
    raise ConfigurationError(msg)
