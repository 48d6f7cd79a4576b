"""Benchmarks: every figure stands beside the obvious way to do the same, measured in the same run."""
