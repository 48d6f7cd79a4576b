"""The 2022 report's exchange form: `images.csv` with 784 grey levels a row, `labels.csv` with one label a line, no headers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import clean_label
from qtdigits.errors import InputError
from qtdigits.store.files import cannot_read, writing_all

N_VALUES = 784

_REMEDY = "A row is 784 whole numbers from 0 to 255, separated by commas; there is no header."


def read_csv_pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The images `(n, 28, 28) uint8`, as they are in the file, and n labels; `3.0` is the label 3.

    Raises `InputError` that names file and line: a row of another length, a value that is no whole number from 0 to
    255, a line without a label, files that do not match in number, an empty file.
    """
    rows = [_levels(images, number, line) for number, line in _lines(images)]
    found = tuple(_label(labels, number, line) for number, line in _lines(labels))
    if len(rows) != len(found):
        raise InputError(
            f"{images} has {len(rows):,} rows, {labels} has {len(found):,}.",
            "They have to match, row by row.",
        )
    return np.frombuffer(bytearray().join(rows), np.uint8).reshape(-1, 28, 28), found


def write_csv_pair(images: Path, labels: Path, rasters: NDArray[np.uint8], labels_: Sequence[str]) -> int:
    """Write both files or neither, and return the number of rows. `rasters` is `(n, 28, 28) uint8`. Raises `StoreError`."""
    if rasters.shape != (len(labels_), 28, 28) or rasters.dtype != np.uint8:
        raise ValueError(
            f"{len(labels_)} labels for rasters of shape {rasters.shape} and type {rasters.dtype}"
        )
    with writing_all(images, labels) as (image_stream, label_stream):
        for raster, label in zip(rasters, labels_, strict=True):
            image_stream.write(",".join(map(str, raster.ravel().tolist())).encode() + b"\n")
            label_stream.write(label.encode() + b"\n")
    return len(labels_)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers from 1; blank lines are let pass at the end only."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.", "Check the path.") from error
    except OSError as error:
        raise InputError(cannot_read(path, error), "Check the path and its permissions.") from error
    # Some spreadsheets begin a file with a byte order mark.
    content = content.removeprefix(b"\xef\xbb\xbf").rstrip()
    if not content:
        raise InputError(f"{path} is empty.", _REMEDY)
    yield from enumerate(content.splitlines(), 1)


def _levels(path: Path, number: int, line: bytes) -> bytes:
    """784 bytes from one line."""
    values = line.split(b",")
    if len(values) != N_VALUES:
        raise InputError(f"{path}, line {number} has {len(values)} values instead of {N_VALUES}.", _REMEDY)
    try:
        return bytes(map(int, values))
    except ValueError:
        return bytes(_level(path, number, place, value) for place, value in enumerate(values, 1))


def _level(path: Path, number: int, place: int, value: bytes) -> int:
    """One grey level; `3.0` counts as a whole number too."""
    try:
        level = float(value)
    except ValueError:
        _refuse(path, number, place, value, "is not a number")
    if not 0 <= level <= 255:
        _refuse(path, number, place, value, "is not from 0 to 255")
    if not level.is_integer():
        _refuse(path, number, place, value, "is not a whole number")
    return int(level)


def _refuse(path: Path, number: int, place: int, value: bytes, why: str) -> NoReturn:
    text = value.decode(errors="replace").strip()
    raise InputError(f"{path}, line {number}, value {place}: {text[:20]!r} {why}.", _REMEDY)


def _label(path: Path, number: int, line: bytes) -> str:
    try:
        return clean_label(line.decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}, line {number} is not UTF-8 text.", "Save the file as UTF-8.") from error
    except InputError as error:
        raise InputError(f"{path}, line {number}: {error.message}", error.remedy) from error
