"""A network stack of its own for the load generator."""

import os
import shutil
import subprocess

import pytest

from poolware_compare import network
from poolware_compare.errors import ComparisonError


def test_namespace_needs_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ComparisonError, match="needs root"), network.namespace():
        pass


@pytest.fixture
def permitted():
    """Skips where namespaces cannot be made, as in most containers."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("needs root and ip")
    probe = "poolware-test"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "delete", probe], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no namespaces here: {made.stderr.decode()}")


def test_namespace_is_reached_and_is_gone_afterwards(permitted):
    def ran(*command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with network.namespace() as made:
        *_, name = made.prefix
        assert made.address in ran("ip", "-brief", "address")
        there = ran(*made.prefix, "ip", "-brief", "address")
        assert made.address not in there
        assert made.address.rpartition(".")[0] in there
        assert made.address in ran(*made.prefix, "ip", "route", "get", made.address)
    assert name not in ran("ip", "netns", "list")
    assert made.address not in ran("ip", "-brief", "address")
