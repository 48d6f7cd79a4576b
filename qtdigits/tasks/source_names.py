"""What the sources of a training are called in counts and provenance; every other name is that of a file."""

from __future__ import annotations

MNIST = "MNIST"
SYNTHETIC = "synthetic ink"
SCRIBBLES = "scribbles"
DRAWINGS = "drawings"
"""The store's own name for them."""
DRAWINGS_OF_OTHERS = "drawings of others"

OF_THE_STORE = (DRAWINGS, DRAWINGS_OF_OTHERS)
OF_THE_PROGRAM = frozenset({MNIST, SYNTHETIC, SCRIBBLES, *OF_THE_STORE})
