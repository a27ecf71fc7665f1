"""Load over time. Each file is also a shape for Locust alone: `locust -f scratch.py,shapes/ramp.py --users 50`.

A shape says at each moment, from 0 to 1 of the run, which share of the load there is.
"""

NAMES = ("constant", "ramp", "step", "spike", "soak")
