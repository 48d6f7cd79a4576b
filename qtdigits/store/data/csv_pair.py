"""The 2022 report's CSV pair: `images.csv` with 784 grey levels a row, `labels.csv` with one label a line, no headers."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import clean_label
from qtdigits.errors import InputError
from qtdigits.limits import DRAWINGS, ROW_BYTES
from qtdigits.store.files import writing_all
from qtdigits.untrusted import lines, open_plain_or_gzip

N_VALUES = 784
ROWS_AT_ONCE = 1024

Row = tuple[int, bytes]
"""The number of a line in its file, and what is in it."""

_REMEDY = "A row is 784 whole numbers from 0 to 255, separated by commas; there is no header."
_IN_NUMBERS = b"0123456789.,+-eE \t\r\n"


def read_csv_pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Read the images `(n, 28, 28) uint8`, as they are in the file, and n labels; `3.0` is the label 3.

    Raises `InputError`, with file and line, for a row of another length, a value that is no integer from 0 to 255, a line
    without a label, files of different length, and an empty file.
    """
    parts = [_rasters(images, rows) for rows in _batches(images) if rows]
    rasters = np.concatenate(parts)
    named = [row for rows in _batches(labels) for row in rows]
    if len(rasters) != len(named):
        raise InputError(
            f"{images} has {len(rasters):,} rows, {labels} has {len(named):,}.",
            "They have to match, row by row.",
        )
    return rasters, tuple(_label(labels, number, line) for number, line in named)


def write_csv_pair(images: Path, labels: Path, rasters: NDArray[np.uint8], labels_: Sequence[str]) -> int:
    """Write both files or neither, and return the number of rows. `rasters` is `(n, 28, 28) uint8`. Raises `StoreError`."""
    import pandas as pd

    if rasters.shape != (len(labels_), 28, 28) or rasters.dtype != np.uint8:
        raise ValueError(
            f"{len(labels_)} labels for rasters of shape {rasters.shape} and type {rasters.dtype}"
        )
    with writing_all(images, labels) as (image_stream, label_stream):
        table = pd.DataFrame(rasters.reshape(-1, N_VALUES))
        table.to_csv(image_stream, header=False, index=False, lineterminator="\n")
        label_stream.writelines(label.encode() + b"\n" for label in labels_)
    return len(labels_)


def _batches(path: Path) -> Iterator[list[Row]]:
    """Yield the lines of a file with their numbers, some at once, without blank lines at its end. Raises `InputError`."""
    batch: list[Row] = []
    blank: list[Row] = []
    is_empty = True
    with open_plain_or_gzip(path) as stream:
        for number, line in lines(path, stream, ROW_BYTES, DRAWINGS):
            if not (line := line.strip()):
                blank = blank or [(number, line)]
                continue
            batch += [*blank, (number, line)]
            blank, is_empty = [], False
            if len(batch) >= ROWS_AT_ONCE:
                yield batch
                batch = []
    if is_empty:
        raise InputError(f"{path} is empty.", _REMEDY)
    yield batch


def _rasters(path: Path, rows: list[Row]) -> NDArray[np.uint8]:
    """`(n, 28, 28)`. Raises `InputError` that names the first fault."""
    found = _parsed(b"\n".join(line for _, line in rows), len(rows))
    if found is None:
        # Slower, but the first fault is found with its line.
        levels = [_levels(path, number, line) for number, line in rows]
        found = np.frombuffer(bytearray().join(levels), np.uint8)
    return found.reshape(-1, 28, 28)


def _parsed(content: bytes, n_rows: int) -> NDArray[np.uint8] | None:
    """`(n, 784)`; None where anything is wrong with a row."""
    import pandas as pd

    # pandas takes the words true and false for numbers.
    if content.translate(None, _IN_NUMBERS):
        return None
    try:
        table = pd.read_csv(
            BytesIO(content),
            header=None,
            dtype=np.float64,
            na_filter=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            quoting=csv.QUOTE_NONE,
        )
    except ValueError:
        return None
    values = table.to_numpy()
    levels = values.clip(0, 255).astype(np.uint8)
    return levels if values.shape == (n_rows, N_VALUES) and np.array_equal(levels, values) else None


def _levels(path: Path, number: int, line: bytes) -> bytes:
    """784 bytes from one line."""
    values = line.split(b",")
    if len(values) != N_VALUES:
        raise InputError(f"{path}, line {number} has {len(values)} values instead of {N_VALUES}.", _REMEDY)
    return bytes(_level(path, number, place, value) for place, value in enumerate(values, 1))


def _level(path: Path, number: int, place: int, value: bytes) -> int:
    """One grey level; `3.0` counts as a whole number too."""
    try:
        level = float(value)
    except ValueError:
        why = "is not a number"
    else:
        if 0 <= level <= 255 and level.is_integer():
            return int(level)
        why = "is not a whole number" if 0 <= level <= 255 else "is not from 0 to 255"
    text = value.decode(errors="replace").strip()
    raise InputError(f"{path}, line {number}, value {place}: {text[:20]!r} {why}.", _REMEDY)


def _label(path: Path, number: int, line: bytes) -> str:
    try:
        return clean_label(line.decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}, line {number} is not UTF-8 text.", "Save the file as UTF-8.") from error
    except InputError as error:
        raise InputError(f"{path}, line {number}: {error.message}", error.remedy) from error
