"""The way from the load to the server: the loopback interface, or a network namespace of its own.

In a namespace the load generator has its own network stack, and every packet crosses a virtual cable, as between two
machines. That needs root and `ip`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from poolware_compare.errors import ComparisonError


@dataclass(frozen=True)
class Network:
    """The address that servers listen on, and what has to stand before a load generator's command."""

    address: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()


@contextmanager
def loopback() -> Iterator[Network]:
    """Everything on the loopback interface."""
    yield Network()


@contextmanager
def namespace() -> Iterator[Network]:
    """The load in a namespace of its own, which is gone afterwards."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        msg = "a network namespace needs root and the command `ip`; --network loopback needs neither"
        raise ComparisonError(msg)
    number = os.getpid()
    name, here, there = f"poolware-{number}", f"pw{number}a", f"pw{number}b"
    subnet = f"10.{203 + number // 16384 % 16}.{number // 64 % 256}"
    first = number % 64 * 4
    _ip("netns", "add", name)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("address", "add", f"{subnet}.{first + 1}/30", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", name, "address", "add", f"{subnet}.{first + 2}/30", "dev", there)
        _ip("-n", name, "link", "set", there, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        yield Network(f"{subnet}.{first + 1}", ("ip", "netns", "exec", name))
    finally:
        # The cable by itself: with its end in the namespace it would go some time later.
        for gone in (("link", "delete", here), ("netns", "delete", name)):
            subprocess.run(["ip", *gone], check=False, capture_output=True)


NETWORKS = {"loopback": loopback, "namespace": namespace}


def _ip(*arguments: str) -> None:
    try:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        msg = f"ip {' '.join(arguments)}: {error.stderr.strip()}"
        raise ComparisonError(msg) from None
