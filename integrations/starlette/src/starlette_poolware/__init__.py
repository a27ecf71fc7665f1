"""poolware for Starlette and FastAPI."""
