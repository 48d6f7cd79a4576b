"""Find, load and download MNIST as Keras publishes it, `mnist.npz`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import MNIST_TEST, Dataset
from qtdigits.errors import DataMissingError, InputError
from qtdigits.paths import MNIST_VARIABLE
from qtdigits.store.data.arrays import open_npz
from qtdigits.store.files import cannot_read, cannot_write, make_folder

FILE_NAME = "mnist.npz"
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
TIMEOUT_S = 30.0

_CHUNK = 1 << 16
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


def download_mnist(
    folder: Path,
    *,
    url: str = MNIST_URL,
    sha256: str = MNIST_SHA256,
    progress: Callable[[int, int], None] = lambda done, total: None,
    opener: Callable[..., Any] = urlopen,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Download `mnist.npz` into `folder` and return its path; `progress` gets bytes done and in all (0: unknown).

    When the connection breaks or `progress` raises, the next call resumes from `mnist.npz.part`. The file takes its name only
    when its SHA-256 is right. Raises `DataMissingError` or `StoreError`.
    """
    make_folder(folder)
    path, part = folder / FILE_NAME, folder / f"{FILE_NAME}.part"
    try:
        _fetch(url, part, progress, lambda request: opener(request, timeout=timeout_s))
    except (OSError, HTTPException) as error:
        raise DataMissingError(
            f"MNIST could not be downloaded from {url}: {_reason(error)}.",
            f"Try again (the download is resumed), or put {FILE_NAME} into {folder}.",
        ) from error
    try:
        _finish(part, path, url, sha256)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


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
    return Dataset(name, images, tuple(map(str, labels.tolist())))


def _fetch(
    url: str, part: Path, progress: Callable[[int, int], None], open_url: Callable[[Request], Any]
) -> None:
    done = part.stat().st_size if part.exists() else 0
    request = Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = open_url(request)
    except HTTPError as error:
        # The part is complete, or too long: its SHA-256 tells.
        if done and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            error.close()
            return
        raise
    with response:
        done = done if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = int(response.headers.get("Content-Length") or 0)
        total = done + length if length else 0
        _receive(response, part, done, total, progress)


def _receive(response: Any, part: Path, done: int, total: int, progress: Callable[[int, int], None]) -> None:
    try:
        stream = part.open("ab" if done else "wb")
    except OSError as error:
        raise cannot_write(part, error) from error
    with stream:
        progress(done, total)
        while chunk := response.read(_CHUNK):
            try:
                stream.write(chunk)
            except OSError as error:
                raise cannot_write(part, error) from error
            done += len(chunk)
            progress(done, total)
    if total and done < total:
        raise OSError(f"the connection ended after {done:,} of {total:,} bytes")


def _finish(part: Path, path: Path, url: str, sha256: str) -> None:
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    if found != sha256:
        part.unlink()
        raise DataMissingError(f"What came from {url} is not MNIST (SHA-256 {found[:12]}…).", "Try again.")
    part.replace(path)


def _reason(error: Exception) -> str:
    """Return the cause, such as "Name or service not known", rather than the error that wraps it."""
    cause = error.reason if isinstance(error, URLError) else error
    return str(getattr(cause, "strerror", None) or cause)
