"""Reading HDF5 files that nobody vouches for.

Only what a model file needs is let through: text and whole numbers as attributes, plain arrays that lie in the file as
they are. Compressed, chunked, external and object data are refused, and so are soft and external links; what is read is
therefore never larger than the file. Whatever else is wrong ends in a `ModelFileError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from qtdigits.errors import InputError, ModelFileError
from qtdigits.store.files import cannot_read

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_NAMES = 256

Attribute = str | int


class UntrustedFile:
    """An HDF5 file, open for reading; a context manager. Use it inside `reported`."""

    def __init__(self, path: Path) -> None:
        self._file = h5py.File(path, "r", locking=False)
        self._size = path.stat().st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._file.close()

    def attribute(self, name: str) -> Attribute | None:
        """One attribute of the root, None when there is none. Raises `ValueError` when it is of another kind."""
        root = self._file.id
        return (
            self._value(h5py.h5a.open(root, name.encode())) if h5py.h5a.exists(root, name.encode()) else None
        )

    def attributes(self) -> dict[str, Attribute]:
        """All attributes of the root. Raises `ValueError` when one is of another kind."""
        root = self._file.id
        count = h5py.h5a.get_num_attrs(root)
        if count > MOST_NAMES:
            raise ValueError(f"it has {count} attributes")
        opened = (h5py.h5a.open(root, index=index) for index in range(count))
        return {attribute.name.decode(): self._value(attribute) for attribute in opened}

    def names(self, group: str) -> list[str]:
        """What a group holds, in the order of the names."""
        handle = self._group(group)
        if len(handle) > MOST_NAMES:
            raise ValueError(f"{group} holds {len(handle)} things")
        return sorted(handle)

    def array(self, name: str, dtype: str | tuple[str, ...], *, dimensions: int | None) -> NDArray[Any]:
        """A dataset, read. Raises `ValueError` when it is not of (one of) this kind.

        `dimensions` None allows any number of them.
        """
        group, _, leaf = name.rpartition("/")
        dataset = self._member(self._group(group), leaf)
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{name} is not a dataset")
        if (
            dataset.dtype not in {np.dtype(kind) for kind in ((dtype,) if isinstance(dtype, str) else dtype)}
            or dataset.shape is None
            or dimensions not in {dataset.ndim, None}
        ):
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
def reported(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with the model file at `path` into a `ModelFileError` that names it."""
    try:
        _look_at_file(path)
        yield
    except ModelFileError:
        raise
    except InputError as error:
        raise damaged(path, error.message) from error
    except MemoryError as error:
        raise damaged(path, "there is not enough memory for what it says it holds") from error
    except (
        OSError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
        ArithmeticError,
    ) as error:
        raise damaged(path, _why(error)) from error


def _why(error: Exception) -> str:
    """HDF5's own messages in words for a person; ours are such words already."""
    if "truncated file" in str(error):
        return "its end is missing"
    if isinstance(error, ValueError):
        return str(error)
    return "its parts do not fit together"


def damaged(path: Path, why: str) -> ModelFileError:
    """The error for a file that is not what was written; `why` is a clause for the person."""
    return ModelFileError(
        f"{path} is damaged or has been changed: {why.rstrip('.')}.",
        "Use another model, or a copy of this one.",
    )


def digest_of_array(array: NDArray[Any]) -> str:
    """SHA-256, in hexadecimal, over shape, type and values in C order. See docs/model-file.md."""
    digest = hashlib.sha256(f"{array.shape}{array.dtype.str}".encode())
    digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()


def digest_of_attributes(attributes: Mapping[str, Attribute]) -> str:
    """SHA-256, in hexadecimal, over names and values in the order of the names. See docs/model-file.md."""
    digest = hashlib.sha256()
    for name in sorted(attributes):
        digest.update(f"{name}\0{attributes[name]}\0".encode())
    return digest.hexdigest()


def _look_at_file(path: Path) -> None:
    """What can be told without HDF5, in plainer words than HDF5's."""
    try:
        with path.open("rb") as stream:
            start = stream.read(len(MAGIC))
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no file {path}.", "Check the path of the model.") from error
    except OSError as error:
        raise ModelFileError(cannot_read(path, error), "Check the path and its permissions.") from error
    if not start:
        raise ModelFileError(f"{path} is empty.", "Use another model, or a copy of this one.")
    if start != MAGIC:
        raise ModelFileError(
            f"{path} is not a model file.", "A model file ends in .h5 and is made by QtDigits."
        )
