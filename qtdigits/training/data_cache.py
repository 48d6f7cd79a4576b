"""Data that the runs of one process share, so that only the first of them waits for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.label_review import LabelClassifier
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import SYNTHETIC, Dataset
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.errors import DataMissingError, StoreError
from qtdigits.store.data.mnist import Mnist, download_mnist, find_mnist, load_mnist
from qtdigits.store.kept_files import load_witness

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


REHEARSAL_DRAWINGS = 12_000
_REHEARSAL_SEED = 1
_CHUNK = 500


class DataCache:
    """MNIST, the synthetic ink that stands in for it, and what the label guard knows. Held by whoever runs several trainings.

    `looked_through`: of each store and writer, a digest of the labels that the guard has looked through.
    """

    def __init__(self) -> None:
        self.looked_through: dict[tuple[Path, str], bytes] = {}
        self._witness: LabelClassifier | None = None
        self._mnist: Mnist | None = None
        self._stamp: tuple[Path, int, int] | None = None
        self._synthetic: Dataset | None = None
        self._synthetic_key = (0, 0)

    def mnist(self, *, explicit: str = "", folder: Path) -> Mnist | None:
        """MNIST as `store.data.mnist.find_mnist` finds it, or None. Raises `InputError` when what it finds is not MNIST."""
        path = find_mnist(explicit=Path(explicit) if explicit else None, folder=folder)
        if path is None:
            return None
        status = path.stat()
        stamp = (path, status.st_mtime_ns, status.st_size)
        if self._mnist is None or stamp != self._stamp:
            self._mnist, self._stamp = load_mnist(path), stamp
        return self._mnist

    def fetch_mnist(self, folder: Path, progress: Callable[[int, int], None]) -> Mnist | None:
        """MNIST, downloaded into `folder`; None when that cannot be done, as without a network."""
        try:
            fetch_mnist(folder, progress=progress)
        except (DataMissingError, StoreError):
            return None
        return self.mnist(folder=folder)

    def witness(self) -> LabelClassifier:
        """The label guard's, as it travels with the program."""
        if self._witness is None:
            self._witness = load_witness()
        return self._witness

    def rehearsal(self, progress: Callable[[int, int], None]) -> Dataset:
        """What stands in for MNIST; `progress` gets how many of how many are done, and may raise to give up."""
        return self.synthetic(REHEARSAL_DRAWINGS, _REHEARSAL_SEED, progress)

    def synthetic(self, n: int, seed: int, progress: Callable[[int, int], None]) -> Dataset:
        """`n` rendered synthetic digits with their ink; the last ones that were asked for are kept."""
        if self._synthetic is None or self._synthetic_key != (n, seed):
            inks, labels = synthetic_digits(n, seed)
            rasters = []
            for first in range(0, len(inks), _CHUNK):
                progress(first, len(inks))
                rasters.append(render_many(inks[first : first + _CHUNK]))
            images = np.concatenate(rasters)
            self._synthetic = Dataset(SYNTHETIC, images, tuple(labels), inks=tuple(inks))
            self._synthetic_key = (n, seed)
        return self._synthetic
