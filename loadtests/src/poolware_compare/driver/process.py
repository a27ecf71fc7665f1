"""The driver: one long-lived process that reads a round a line (JSON) and answers each with a line.

Starting Locust takes longer than a round, hence one process for all rounds. Between rounds it waits for the next line.
"""

import json
import sys
from typing import Any

# Before the rest: importing locust makes sockets and locks cooperative.
import locust  # noqa: F401  # isort: skip

from gevent.fileobject import FileObjectThread

from poolware_compare.driver.distributed import Distributed
from poolware_compare.driver.local import Local
from poolware_compare.driver.order import Order
from poolware_compare.driver.users import UnusableLocustFile

NOTHING: dict[str, Any] = {"requests": 0, "seconds": 0.0, "histogram": "", "late": 0}


def main() -> None:
    """Answer rounds until standard input ends: `python -m poolware_compare.driver.process SETTINGS`."""
    settings = json.loads(sys.argv[1])
    # Whatever prints must not end up between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(data: dict[str, Any]) -> None:
        print(json.dumps(data), file=answers, flush=True)

    try:
        driver = Distributed(**settings) if settings["processes"] > 1 or settings["prefix"] else Local()
    except UnusableLocustFile as error:
        answer({"ready": False, "error": str(error)})
        return
    try:
        answer({"ready": True, "error": None})
        # Read in a thread: a plain read would stop the greenlets that keep the workers company.
        for line in FileObjectThread(sys.stdin.buffer):
            try:
                answer(driver.run(Order(**json.loads(line))))
            except UnusableLocustFile as error:
                answer({**NOTHING, "error": str(error)})
    finally:
        driver.close()


if __name__ == "__main__":
    main()
