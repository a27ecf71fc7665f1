"""Rounds by one Locust process."""

import time
from typing import Any

from locust.env import Environment

from poolware_compare.driver.order import Order
from poolware_compare.driver.recorder import Recorder
from poolware_compare.driver.shaping import schedule_of, shape_of
from poolware_compare.driver.users import hear, users_of

STOP_SECONDS = 10
FIRST_SECONDS = 10
"""A short round lasts until something has been answered, however long the users take to connect."""


class Local:
    """Runs rounds in this process."""

    def run(self, order: Order) -> dict[str, Any]:
        """Load the host; every request that was sent is awaited and counted."""
        schedule = schedule_of(order)
        # A new environment each time, so that nothing has to be set back between rounds.
        environment = Environment(
            user_classes=users_of(order, schedule),
            shape_class=shape_of(order),
            host=order.host,
            stop_timeout=STOP_SECONDS,
        )
        hear(environment)
        recorder = Recorder(schedule)
        recorder.listen(environment.events)
        runner = environment.create_local_runner()
        environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
        try:
            started = time.perf_counter()
            if environment.shape_class:
                runner.start_shape()
            else:
                runner.start(order.users, spawn_rate=order.users)
            recorder.failed.wait(order.seconds)
            recorder.answered.wait(FIRST_SECONDS)
            runner.stop()
            elapsed = time.perf_counter() - started
        finally:
            runner.quit()
        return {**recorder.report(), "seconds": elapsed}

    def close(self) -> None:
        """Nothing is left running."""
