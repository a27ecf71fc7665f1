"""``flask poolware`` and ``manage.py poolware``."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from flask import Flask

from flask_poolware import Poolware
from poolware.observe.shared import Share
from poolware.observe.snapshot import PoolSnapshot


@pytest.fixture
def published(tmp_path):
    pool = PoolSnapshot("database", "resource", {"max_size": 10}, {"in_use": 9, "idle": 1}, {"acquired": 5})
    Share(tmp_path / "shared").publish({"pools": [pool.as_dict()], "alerts": [], "time": 0.0, "every": 2.0})
    return str(tmp_path / "shared")


def flask(*arguments):
    app = Flask("shop")
    Poolware(app)
    return app.test_cli_runner().invoke(args=["poolware", *arguments])


def test_flask(published):
    done = flask("--directory", published)
    assert done.exit_code == 0
    assert done.output.splitlines()[1].split()[:4] == ["database", "resource", "1", "9"]
    assert json.loads(flask("--directory", published, "--json").output)[0]["pools"][0]["pool"] == "database"


def test_flask_without_access(tmp_path):
    tmp_path.chmod(0o755)
    done = flask("--directory", str(tmp_path))
    assert done.exit_code == 1
    assert "700 is needed" in done.output


def test_django(published):
    table, raw = io.StringIO(), io.StringIO()
    call_command("poolware", directory=published, stdout=table)
    assert table.getvalue().splitlines()[1].split()[:4] == ["database", "resource", "1", "9"]
    call_command("poolware", directory=published, json=True, stdout=raw)
    assert json.loads(raw.getvalue())[0]["pools"][0]["pool"] == "database"


def test_django_without_access(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(CommandError, match="700 is needed"):
        call_command("poolware", directory=str(tmp_path))
