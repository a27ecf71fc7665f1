"""The applications under load answer alike, in every framework and every arm; Locust files check what they answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = {
    "starlette": ("starlette_app", "app"),
    "fastapi": ("fastapi_app", "app"),
    "flask": ("flask_app", "app"),
    "django": ("django_app", "wsgi"),
}
ASKING = str(Path(__file__).with_name("asking.py"))


@pytest.mark.parametrize("framework", CLIENTS)
def test_every_arm_gives_the_right_answers(framework):
    run = subprocess.run(
        [sys.executable, "-W", "error", ASKING, framework, *CLIENTS[framework]],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert [json.loads(line) for line in run.stdout.splitlines()] == [
        {"kit": kit, "wrong": []} for kit in ("plain", "by_hand", "pooled")
    ]
