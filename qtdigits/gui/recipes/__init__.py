"""Choosing, writing and pricing recipes."""
