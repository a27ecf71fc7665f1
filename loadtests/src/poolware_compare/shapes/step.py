"""In four steps: a quarter of the load, a half, three quarters, all of it."""

from poolware_compare.shapes.shape import Shape


class Step(Shape):
    """In four steps: a quarter of the load, a half, three quarters, all of it."""

    def share(self, at: float) -> float:
        return min(1.0, (int(at * 4) + 1) / 4)
