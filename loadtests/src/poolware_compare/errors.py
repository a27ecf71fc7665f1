"""The one error of a comparison."""


class ComparisonError(Exception):
    """A comparison cannot start or cannot go on; the message says which part failed, and how."""
