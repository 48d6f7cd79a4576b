"""Read untrusted HDF5 files.

Only what a model file needs is accepted: text and integers as attributes, and contiguous arrays. Compressed, chunked,
external and object data are refused, and so are soft and external links; what is read is therefore never larger than the
file. Everything else that is wrong becomes a `ModelFileError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from qtdigits.errors import InputError, ModelFileError
from qtdigits.limits import MODEL_BYTES
from qtdigits.untrusted import cannot_read, open_file

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_NAMES = 256

Attribute = str | int

# What h5py and numpy raise at damaged files.
UNUSABLE = (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, ArithmeticError)


class UntrustedFile:
    """An open HDF5 file of `size` bytes; made by `open_untrusted`."""

    def __init__(self, file: Any, size: int) -> None:
        self._file = file
        self._size = size

    def attribute(self, name: str) -> Attribute | None:
        """Return an attribute of the root, None when there is none. Raises `ValueError` for another type."""
        root, key = self._file.id, name.encode()
        return self._value(h5py.h5a.open(root, key)) if h5py.h5a.exists(root, key) else None

    def attributes(self) -> dict[str, Attribute]:
        """Return all attributes of the root. Raises `ValueError` when one is of another type."""
        root = self._file.id
        count = h5py.h5a.get_num_attrs(root)
        if count > MOST_NAMES:
            raise ValueError(f"it has {count} attributes")
        opened = (h5py.h5a.open(root, index=index) for index in range(count))
        return {attribute.name.decode(): self._value(attribute) for attribute in opened}

    def text(self, name: str) -> str | None:
        """Return an attribute of the root that is text, of variable length too. Raises `ValueError` for another type."""
        root, key = self._file.id, name.encode()
        if not h5py.h5a.exists(root, key):
            return None
        attribute = h5py.h5a.open(root, key)
        if attribute.shape != () or not isinstance(attribute.get_type(), h5py.h5t.TypeStringID):
            raise ValueError(f"the attribute {name} is no text")
        value = self._file.attrs[name]
        return value.decode() if isinstance(value, bytes) else str(value)

    def names(self, group: str) -> list[str]:
        """Return the sorted names of a group's members."""
        handle = self._group(group)
        if len(handle) > MOST_NAMES:
            raise ValueError(f"{group} holds {len(handle)} things")
        return sorted(handle)

    def array(self, name: str, dtype: str | tuple[str, ...], *, dimensions: int | None) -> NDArray[Any]:
        """Read a dataset of (one of) these types; `dimensions` None: any number. Raises `ValueError` for others."""
        group, _, leaf = name.rpartition("/")
        dataset = self._member(self._group(group), leaf)
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{name} is not a dataset")
        allowed = {np.dtype(kind) for kind in ((dtype,) if isinstance(dtype, str) else dtype)}
        if dataset.dtype not in allowed or dataset.shape is None or dimensions not in {dataset.ndim, None}:
            raise ValueError(f"{name} is an array of another kind")
        if dataset.chunks or dataset.external or dataset.is_virtual:
            raise ValueError(f"{name} does not lie in the file as it is")
        n_bytes = dataset.size * dataset.dtype.itemsize
        if n_bytes > self._size or (n_bytes and dataset.id.get_storage_size() != n_bytes):
            raise ValueError(f"{name} is not as large as it says")
        array: NDArray[Any] = dataset[()]
        return array

    def _group(self, name: str) -> Any:
        group = self._file
        for part in filter(None, name.split("/")):
            group = self._member(group, part)
        if not isinstance(group, h5py.Group):
            raise ValueError(f"{name} is not a group")
        return group

    @staticmethod
    def _member(group: Any, name: str) -> Any:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name} is a link to somewhere else")
        return group[name]

    def _value(self, attribute: Any) -> Attribute:
        kind = attribute.get_type()
        if attribute.shape != () or attribute.get_storage_size() > self._size:
            raise ValueError(f"the attribute {attribute.name.decode()} is not one value")
        if isinstance(kind, h5py.h5t.TypeStringID) and not kind.is_variable_str():
            text = np.empty((), attribute.dtype)
            attribute.read(text)
            return bytes(text[()]).decode()
        if isinstance(kind, h5py.h5t.TypeIntegerID):
            number = np.empty((), np.int64)
            attribute.read(number)
            return int(number)
        raise ValueError(f"the attribute {attribute.name.decode()} is neither text nor a whole number")


@contextmanager
def open_untrusted(path: Path) -> Iterator[UntrustedFile]:
    """Open the model file at `path` to read. Every error within the block becomes a `ModelFileError` that names it."""
    try:
        _check_start(path)
        with h5py.File(path, "r", locking=False) as file:
            yield UntrustedFile(file, path.stat().st_size)
    except ModelFileError:
        raise
    except InputError as error:
        raise damaged(path, error.message) from error
    except MemoryError as error:
        raise damaged(path, "there is not enough memory for what it says it holds") from error
    except UNUSABLE as error:
        raise damaged(path, _reason(error)) from error


def damaged(path: Path, why: str) -> ModelFileError:
    """Return the error for a file that is not what was written; `why` is a clause for the person."""
    return ModelFileError(
        f"{path} is damaged or has been changed: {why.rstrip('.')}.",
        "Use another model, or a copy of this one.",
    )


def digest_of_array(array: NDArray[Any]) -> str:
    """Return the SHA-256, in hexadecimal, of shape, type and values in C order; see docs/model-file.md."""
    digest = hashlib.sha256(f"{array.shape}{array.dtype.str}".encode())
    digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()


def digest_of_attributes(attributes: Mapping[str, Attribute]) -> str:
    """Return the SHA-256, in hexadecimal, of names and values in the order of the names; see docs/model-file.md."""
    digest = hashlib.sha256()
    for name in sorted(attributes):
        digest.update(f"{name}\0{attributes[name]}\0".encode())
    return digest.hexdigest()


def _check_start(path: Path) -> None:
    """Refuse what is no HDF5 file, in plainer words than HDF5's."""
    try:
        with open_file(path, MODEL_BYTES) as stream:
            start = stream.read(len(MAGIC))
    except OSError as error:
        raise ModelFileError(cannot_read(path, error), "Check the path and its permissions.") from error
    except InputError as error:
        raise ModelFileError(error.message, error.remedy) from error
    if not start:
        raise ModelFileError(f"{path} is empty.", "Use another model, or a copy of this one.")
    if start != MAGIC:
        raise ModelFileError(
            f"{path} is not a model file.", "A model file ends in .h5 and is made by QtDigits."
        )


def _reason(error: Exception) -> str:
    """Return a clause for a person; those of `ValueError` are ours."""
    if "truncated file" in str(error):
        return "its end is missing"
    if isinstance(error, ValueError):
        return str(error)
    return "its parts do not fit together"


def set_attribute(path: Path, name: str, text: str) -> None:
    """Add text of any length to the root of an HDF5 file of our own."""
    with h5py.File(path, "r+") as file:
        file.attrs[name] = text
