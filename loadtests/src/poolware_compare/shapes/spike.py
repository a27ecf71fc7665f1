"""A fifth of the load, and all of it at once in the middle fifth."""

from poolware_compare.shapes.shape import Shape


class Spike(Shape):
    """A fifth of the load, and all of it at once in the middle fifth."""

    def share(self, at: float) -> float:
        return 1.0 if 0.4 <= at < 0.6 else 0.2
