"""An order's shape: of the arrivals where there is a rate, else of the number of users."""

import importlib
from typing import Any

from poolware_compare.driver.arrivals import Schedule
from poolware_compare.driver.order import Order


def schedule_of(order: Order, processes: int = 1) -> Schedule | None:
    """Return when this process's requests should leave; None in a closed loop."""
    if order.rate is None:
        return None
    shape = _shape(order.shape)
    return Schedule(order.rate / processes, shape.share if shape else lambda _: 1.0, order.seconds)


def shape_of(order: Order) -> Any:
    """Return Locust's shape; None where the number of users stays the same."""
    if order.rate is not None:
        return None
    shape = _shape(order.shape)
    if shape is not None:
        shape.users, shape.seconds = order.users, order.seconds
    return shape


def _shape(name: str) -> Any:
    if name == "constant":
        return None
    return getattr(importlib.import_module(f"poolware_compare.shapes.{name}"), name.capitalize())()
