"""Load tests that compare: what does a request cost the server, with poolware and without?

`poolware compare` on the command line, or `python -m poolware_compare`.
"""

__version__ = "0.1.0"
