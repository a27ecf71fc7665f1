"""From one user to all of them, evenly."""

from poolware_compare.shapes.shape import Shape


class Ramp(Shape):
    """From one user to all of them, evenly."""

    def share(self, at: float) -> float:
        return at
