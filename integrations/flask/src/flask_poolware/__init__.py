"""poolware for Flask."""

from flask_poolware.body import read_body
from flask_poolware.extension import Poolware

__all__ = ["Poolware", "read_body"]
