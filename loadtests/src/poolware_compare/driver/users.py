"""The user classes of an order."""

from functools import cache
from pathlib import Path
from typing import Any

import locust
from locust.user.task import filter_tasks_by_tags
from locust.util.load_locustfile import load_locustfile

from poolware_compare.driver.arrivals import Schedule, paced
from poolware_compare.driver.order import Order


class UnusableLocustFile(Exception):
    """A Locust file cannot be loaded, or has nothing to do."""


@cache
def loaded(locustfile: str) -> dict[str, Any]:
    """Return the user classes in a Locust file."""
    if not Path(locustfile).is_file():
        msg = f"there is no Locust file {locustfile!r}"
        raise UnusableLocustFile(msg)
    try:
        classes, _ = load_locustfile(locustfile)
    except (Exception, SystemExit) as error:
        msg = f"Locust file {locustfile!r}: {error!r}"
        raise UnusableLocustFile(msg) from error
    return dict(classes)


def hear(environment: Any) -> None:
    """Have the listeners that Locust files registered hear what happens in this environment."""
    for name, hook in vars(locust.events).items():
        heard = getattr(environment.events, name)._handlers
        heard.extend(listener for listener in hook._handlers if listener not in heard)


def users_of(order: Order, schedule: Schedule | None) -> list[type]:
    """Return classes of their own for each round: tags are applied by taking tasks out of a class."""
    chosen = []
    for user_class in loaded(order.locustfile).values():
        mine: Any = paced(user_class, schedule) if schedule else type(user_class.__name__, (user_class,), {})
        mine.host = order.host
        if order.tags:
            filter_tasks_by_tags(mine, set(order.tags))
        if mine.tasks and (mine.weight > 0 or mine.fixed_count > 0):
            chosen.append(mine)
    if not chosen:
        msg = f"Locust file {order.locustfile!r} has no task" + (f" tagged {', '.join(order.tags)}" * bool(order.tags))
        raise UnusableLocustFile(msg)
    return chosen
