"""poolware for Flask."""
