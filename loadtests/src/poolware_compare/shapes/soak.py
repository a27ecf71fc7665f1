"""All of the load for a long time."""

from poolware_compare.shapes.shape import Shape


class Soak(Shape):
    """All of the load for a long time."""

    def share(self, _at: float) -> float:
        return 1.0
