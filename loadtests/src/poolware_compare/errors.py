"""What ends a comparison."""


class ComparisonError(Exception):
    """A comparison cannot start or cannot go on; the message says which part failed, and how."""


class NothingAnswered(ComparisonError):
    """A server answered no request in a whole round."""
