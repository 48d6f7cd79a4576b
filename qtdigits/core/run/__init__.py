"""A training under way and afterwards: its events, its history, its curves, where it stands and how it is steered."""
