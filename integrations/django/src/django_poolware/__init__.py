"""poolware for Django."""
