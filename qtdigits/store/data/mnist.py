"""Find and load MNIST as Keras publishes it, `mnist.npz`."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import MNIST_TEST, Dataset
from qtdigits.errors import DataMissingError, InputError
from qtdigits.paths import MNIST_VARIABLE
from qtdigits.store.data.arrays import open_npz
from qtdigits.untrusted import cannot_read

FILE_NAME = "mnist.npz"
_REMEDY = "Use mnist.npz as Keras publishes it: x_train, y_train, x_test, y_test, uint8, 28x28."


@dataclass(frozen=True, eq=False)
class Mnist:
    """MNIST's two parts, and the SHA-256 of the file for the provenance of models."""

    training: Dataset
    test: Dataset
    path: Path
    sha256: str


def find_mnist(*, explicit: Path | None = None, folder: Path) -> Path | None:
    """Return the first of: `explicit`, `QTDIGITS_MNIST`, `mnist.npz` in the data folder `folder`, Keras's cache; else None.

    Raises `DataMissingError` when one of the first two is given but missing: that file was meant and no other.
    """
    if explicit is not None:
        return _there(explicit, f"There is no file {explicit}.")
    if given := os.environ.get(MNIST_VARIABLE):
        path = Path(given).expanduser()
        return _there(path, f"{MNIST_VARIABLE} names {path}, which does not exist.")
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    places = (folder / FILE_NAME, keras_home / "datasets" / FILE_NAME)
    return next((place for place in places if place.is_file()), None)


def load_mnist(path: Path) -> Mnist:
    """Load both parts. Raises `DataMissingError` when there is no such file, `InputError` when it is not MNIST."""
    _there(path, f"There is no file {path}.")
    with open_npz(path) as arrays:
        training = _part(path, "MNIST training", arrays.get("x_train"), arrays.get("y_train"))
        test = _part(path, MNIST_TEST, arrays.get("x_test"), arrays.get("y_test"))
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(cannot_read(path, error), "Check the disk.") from error
    return Mnist(training, test, path, digest)


def _there(path: Path, message: str) -> Path:
    if not path.is_file():
        raise DataMissingError(message, f"Give the path of {FILE_NAME}, or leave it out to let it be found.")
    return path


def _part(path: Path, name: str, images: NDArray[Any] | None, labels: NDArray[Any] | None) -> Dataset:
    which = name.partition(" ")[2].replace("training", "train")
    if images is None or labels is None:
        raise InputError(f"{path} lacks x_{which} or y_{which}.", _REMEDY)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28) or not len(images):
        raise InputError(f"{path}: x_{which} has the shape {images.shape} and type {images.dtype}.", _REMEDY)
    if (
        labels.shape != (len(images),)
        or labels.dtype.kind not in "ui"
        or labels.min() < 0
        or labels.max() > 9
    ):
        raise InputError(
            f"{path}: y_{which} is not one digit for each of the {len(images):,} images.", _REMEDY
        )
    return Dataset(name, images, tuple(map(str, labels.tolist())), labels_are_ids=True)
