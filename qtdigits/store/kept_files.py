"""The writer matrix that was measured last, kept in the data folder; and as a table for other programs."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np

from qtdigits import paths
from qtdigits.core.drawing.label_review import WITNESS_VERSION, LabelClassifier
from qtdigits.core.score.writers import WriterMatrix
from qtdigits.errors import InputError
from qtdigits.store.data.arrays import NpzArrays, open_npz
from qtdigits.store.files import make_folder, write_file
from qtdigits.store.frames import csv_of, matrix_frame

FILE_NAME = "writer-matrix.json"


def save_writer_matrix(folder: Path, matrix: WriterMatrix) -> None:
    """Raises `StoreError`."""
    make_folder(folder)
    text = json.dumps(matrix.to_json(), ensure_ascii=False, indent=1)
    write_file(folder / FILE_NAME, text.encode())


def load_writer_matrix(folder: Path) -> WriterMatrix | None:
    """The one that was kept; None where there is none, or it cannot be read: it can be measured again."""
    try:
        return WriterMatrix.from_json(json.loads((folder / FILE_NAME).read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write_matrix_csv(path: Path, matrix: WriterMatrix) -> None:
    """Write the cells as `frames.matrix_frame` has them. Raises `StoreError`."""
    write_file(path, csv_of(matrix_frame(matrix)).encode())


_PLAIN = ("mean", "axes", "waves", "phases", "moments")


def save_witness(witness: LabelClassifier, path: Path) -> None:
    """In single precision, and of the symmetric Gram matrix one half: 2 MB. Raises `StoreError`."""
    arrays = {name: getattr(witness, name).astype(np.float32) for name in _PLAIN}
    half = witness.gram[np.triu_indices(len(witness.gram))]
    stream = BytesIO()
    np.savez_compressed(stream, version=WITNESS_VERSION, half_gram=half.astype(np.float32), **arrays)
    write_file(path, stream.getvalue())


def load_witness(path: Path | None = None) -> LabelClassifier:
    """The witness of a file, None: the one that travels with the program. Raises `InputError` for what is none."""
    path = path or paths.resources_dir() / "witness.npz"
    with open_npz(path) as arrays:
        version = arrays.get("version")
        if version is None or int(version) != WITNESS_VERSION:
            raise InputError(f"{path} is no witness that this version knows.", "Install QtDigits anew.")
        plain = {name: _array(arrays, name, path) for name in _PLAIN}
        half = _array(arrays, "half_gram", path)
    n = len(plain["moments"])
    gram = np.zeros((n, n))
    rows, columns = np.triu_indices(n)
    gram[rows, columns] = gram[columns, rows] = half
    return LabelClassifier(gram=gram, **plain)


def _array(arrays: NpzArrays, name: str, path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    found = arrays.get(name)
    if found is None:
        raise InputError(f"{path} is damaged: {name} is missing.", "Install QtDigits anew.")
    return found.astype(np.float64)
