"""Micro-benchmarks: what a cycle, a buffer and a middleware cost, as ratios within one run."""
