"""Offhook against references, as ratios measured in one run: `python -m benchmarks [--smoke] [G8 …]`."""
