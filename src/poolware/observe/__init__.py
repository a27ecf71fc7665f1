"""Watching pools. No pool imports this."""
