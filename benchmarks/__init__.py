"""Micro-benchmarks: what poolware costs beside what people write without it, as ratios within one run."""
