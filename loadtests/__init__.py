"""Load tests: the same endpoints in four arms, compared by server CPU per request."""
