"""poolware for Starlette and FastAPI."""

from starlette_poolware.app import init_app
from starlette_poolware.body import read_body
from starlette_poolware.middleware import PoolwareMiddleware
from starlette_poolware.response import BufferResponse

__all__ = ["BufferResponse", "PoolwareMiddleware", "init_app", "read_body"]
