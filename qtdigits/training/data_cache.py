"""Data that the trainings of one process share, so that only the first of them waits for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import SYNTHETIC, Dataset
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.errors import DataMissingError, StoreError
from qtdigits.store.data.mnist import Mnist, find_mnist, load_mnist
from qtdigits.store.data.mnist_download import download_mnist

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and the total (0: unknown)."""

TIMEOUT_S = 3.0
"""For connecting and for each piece: nobody is to wait for a network that is not there."""

REHEARSAL_DRAWINGS = 12_000

_REHEARSAL_SEED = 1

_CHUNK = 500


class DataCache:
    """MNIST, the synthetic ink that replaces it, and with `keeps_files` the files that were read.

    `reviewed` has a digest of the labels that were reviewed last, for each store and writer.
    """

    def __init__(self, *, keeps_files: bool = False) -> None:
        self._keeps_files = keeps_files
        self._files: dict[tuple[object, ...], Dataset] = {}
        self.reviewed: dict[tuple[Path, str], bytes] = {}
        self._mnist: Mnist | None = None
        self._stamp: tuple[Path, int, int] | None = None
        self._synthetic: Dataset | None = None
        self._synthetic_key = (0, 0)

    def mnist(self, *, explicit: str = "", folder: Path) -> Mnist | None:
        """Return MNIST as `store.data.mnist.find_mnist` finds it, or None. Raises `InputError` when the file is not MNIST."""
        path = find_mnist(explicit=Path(explicit) if explicit else None, folder=folder)
        if path is None:
            return None
        status = path.stat()
        stamp = (path, status.st_mtime_ns, status.st_size)
        if self._mnist is None or stamp != self._stamp:
            self._mnist, self._stamp = load_mnist(path), stamp
        return self._mnist

    def file(self, path: Path, how: object, read: Callable[[], Dataset]) -> Dataset:
        """Return what `read` makes of a file, kept (if files are) until the file changes; `how` tells ways to read apart."""
        if not self._keeps_files or not path.is_file():
            return read()
        status = path.stat()
        key = (path, how, status.st_mtime_ns, status.st_size)
        if key not in self._files:
            self._files[key] = read()
        return self._files[key]

    def fetch_mnist(self, folder: Path, progress: Callable[[int, int], None]) -> Mnist | None:
        """Download MNIST into `folder`; return None when that fails, as without a network."""
        try:
            fetch_mnist(folder, progress=progress)
        except (DataMissingError, StoreError):
            return None
        return self.mnist(folder=folder)

    def rehearsal(self, progress: Callable[[int, int], None]) -> Dataset:
        """Return the synthetic ink that replaces MNIST; `progress` gets done and total, and may raise to cancel."""
        return self.synthetic(REHEARSAL_DRAWINGS, _REHEARSAL_SEED, progress)

    def synthetic(self, n: int, seed: int, progress: Callable[[int, int], None]) -> Dataset:
        """Return `n` rendered synthetic digits with their ink; the last set is cached."""
        if self._synthetic is None or self._synthetic_key != (n, seed):
            inks, labels = synthetic_digits(n, seed)
            rasters = []
            for first in range(0, len(inks), _CHUNK):
                progress(first, len(inks))
                rasters.append(render_many(inks[first : first + _CHUNK]))
            images = np.concatenate(rasters)
            self._synthetic = Dataset(SYNTHETIC, images, tuple(labels), inks=tuple(inks), labels_are_ids=True)
            self._synthetic_key = (n, seed)
        return self._synthetic


def fetch_mnist(folder: Path, *, progress: Callable[[int, int], None]) -> Path:
    """Download `mnist.npz` into `folder`; `progress` gets bytes done and total (0: unknown), and may raise to cancel.

    A connection that breaks is resumed as long as something comes. Raises `DataMissingError` when nothing more does, and
    `StoreError` when the folder cannot be written.
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
