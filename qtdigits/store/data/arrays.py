"""Read `.npz` and IDX files of other programs. Nothing in them is unpickled."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import clean_label
from qtdigits.errors import InputError
from qtdigits.limits import DRAWINGS, MEMBERS, PIXELS
from qtdigits.untrusted import check_unpacking, open_file, open_plain_or_gzip, unreadable

# What zipfile, zlib and numpy raise at damaged archives, false headers and pickled objects.
_UNUSABLE_NPZ = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, TypeError),
    *(LookupError, ArithmeticError, MemoryError, RuntimeError, SyntaxError, tokenize.TokenError),
)
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_IMAGES_MAGIC = 0x00000803
_LABELS_MAGIC = 0x00000801


class NpzArrays:
    """The arrays of an open `.npz` file, read lazily."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}

    def get(self, *names: str) -> NDArray[Any] | None:
        """Return the first of `names` that the file has, else None."""
        found = next((name for name in names if name in self.names), None)
        return None if found is None else self[found]

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array. Raises `KeyError`."""
        if name not in self.names:
            raise KeyError(name)
        with self._archive.open(f"{name}.npy") as member:
            return _array(name, member, self._archive.getinfo(f"{name}.npy").file_size)


def _array(name: str, member: IO[bytes], n_bytes: int) -> NDArray[Any]:
    """Read an array whose header fits the size of its member. Raises `ValueError` and what numpy raises."""
    shape, is_fortran, dtype = _HEADERS[npy.read_magic(member)](member)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects")
    if math.prod(shape) * dtype.itemsize != n_bytes - member.tell():
        raise ValueError(f"{name} is not as large as it says")
    if len(shape) > 2:
        PIXELS.check(math.prod(shape[1:]), f"an image of {name}")
    return np.ndarray(shape, dtype, bytearray(member.read()), order="F" if is_fortran else "C")


@contextmanager
def open_npz(path: Path) -> Iterator[NpzArrays]:
    """Open an `.npz` file. Raises `InputError` when it is damaged, another kind of file, or holds objects."""
    try:
        with open_file(path) as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            MEMBERS.check(len(members), str(path))
            if not {member.compress_type for member in members} <= _PACKINGS:
                raise ValueError("it is packed in a way that numpy does not")
            check_unpacking(path, path.stat().st_size, sum(member.file_size for member in members))
            yield NpzArrays(archive)
    except InputError:
        raise
    except _UNUSABLE_NPZ as error:
        raise InputError(
            f"{path} is not a usable .npz file: {error}.", "Save it again with numpy.savez."
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def read_npz(path: Path) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Read images and labels from `x` and `y`, or from `x_test` and `y_test`: `(n, height, width) uint8` and n labels.

    Rows of 784 values are 28x28 images; values from 0 to 1 are scaled to 255. Raises `InputError`.
    """
    with open_npz(path) as arrays:
        images, labels = arrays.get("x", "x_test"), arrays.get("y", "y_test")
    if images is None or labels is None:
        raise InputError(f"{path} has neither x and y nor x_test and y_test.", "Name its arrays so.")
    grey = _grey(path, images)
    if labels.ndim != 1 or len(labels) != len(grey):
        raise InputError(
            f"{path} has {len(grey):,} images and labels of the shape {labels.shape}.",
            "There has to be one label for each image.",
        )
    return grey, tuple(_label(path, number, value) for number, value in enumerate(labels.tolist()))


def read_idx(images: Path, labels: Path | None = None) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Read images and labels from an IDX pair such as `t10k-images-idx3-ubyte.gz`: `(n, height, width) uint8` and n labels.

    `labels` is by default the file beside it with "labels" in its name. Raises `InputError`.
    """
    if labels is None:
        labels = images.with_name(images.name.replace("images", "labels").replace("idx3", "idx1"))
        if labels == images or not labels.is_file():
            raise InputError(
                f"There are no labels beside {images}.", "Give the file of the labels with --labels."
            )
    grey = _idx_array(images, _IMAGES_MAGIC, dimensions=3)
    classes = _idx_array(labels, _LABELS_MAGIC, dimensions=1)
    if len(classes) != len(grey):
        raise InputError(
            f"{images} holds {len(grey):,} images, {labels} {len(classes):,} labels.",
            "They have to belong together.",
        )
    return grey, tuple(map(str, classes.tolist()))


def _idx_array(path: Path, magic: int, *, dimensions: int) -> NDArray[np.uint8]:
    """Read an array as described at http://yann.lecun.com/exdb/mnist: magic number, sizes, bytes; big-endian."""
    with open_plain_or_gzip(path) as stream:
        header = stream.read(4 + 4 * dimensions)
        if len(header) < 4 + 4 * dimensions or struct.unpack_from(">I", header)[0] != magic:
            what = "images" if magic == _IMAGES_MAGIC else "labels"
            raise InputError(f"{path} is not an IDX file of {what}.", "Check which file this is.")
        shape = struct.unpack_from(f">{dimensions}I", header, 4)
        DRAWINGS.check(shape[0], str(path))
        PIXELS.check(math.prod(shape[1:]), f"An image of {path}")
        n_bytes = math.prod(shape)
        content = _read(stream, n_bytes + 1)
    if len(content) != n_bytes or 0 in shape[1:]:
        raise InputError(
            f"{path} does not hold the {n_bytes:,} bytes that it says.", "Use another copy of it."
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read(stream: BinaryIO, n_bytes: int) -> bytes:
    """Read piece by piece, so that memory is taken only for what is there."""
    pieces = iter(lambda: stream.read(1 << 20), b"")
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) >= n_bytes:
            break
    return bytes(content)


def _grey(path: Path, images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim == 2 and images.shape[1] == 784:
        images = images.reshape(-1, 28, 28)
    if images.ndim != 3 or images.dtype.kind not in "uifb" or 0 in images.shape[1:]:
        raise InputError(
            f"{path} holds images of the shape {images.shape} and type {images.dtype}.",
            "Images are (n, height, width) of grey levels from 0 to 255.",
        )
    if images.dtype == np.uint8 or not images.size:
        return images.astype(np.uint8)
    levels = images.astype(np.float64)
    if levels.max() <= 1.0:
        levels = levels * 255.0
    if not (levels.min() >= 0.0 and levels.max() <= 255.0):
        raise InputError(f"{path} holds values that are not from 0 to 255.", "Scale the images to 0 to 255.")
    return np.rint(levels).astype(np.uint8)


def _label(path: Path, number: int, value: object) -> str:
    try:
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"it is {value}.", "Give each image the label that it shows.")
        return clean_label(value.decode() if isinstance(value, bytes) else str(value))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: label {number} is not UTF-8.", "Save the labels as UTF-8.") from error
    except InputError as error:
        raise InputError(f"{path}: label {number} is unusable: {error.message}", error.remedy) from error
