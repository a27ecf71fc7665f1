"""`python -m poolware_compare`: the same as `poolware compare`."""

from poolware_compare.cli import compare

compare(prog_name="python -m poolware_compare")
