"""``python -m poolware``."""

from poolware.cli import main

main()
