"""Getting MNIST from the network, without letting anybody wait for a network that is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtdigits.errors import DataMissingError
from qtdigits.store.data.mnist import download_mnist

TIMEOUT_S = 3.0
"""For connecting and for each piece. A connection that breaks after something has come is taken up again."""


def fetch_mnist(folder: Path, *, progress: Callable[[int, int], None]) -> Path:
    """Download `mnist.npz` into `folder`; `progress` gets bytes done and in all (0: not known), and may raise to give up.

    Raises `DataMissingError` when nothing more comes, `StoreError` when the folder cannot be written to.
    """
    furthest = 0

    def advance(done: int, total: int) -> None:
        nonlocal furthest
        furthest = max(furthest, done)
        progress(done, total)

    while True:
        before = furthest
        try:
            return download_mnist(folder, progress=advance, timeout_s=TIMEOUT_S)
        except DataMissingError:
            if furthest == before:
                raise
