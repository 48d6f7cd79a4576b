"""The writer matrix that was measured last, in the data folder, and the label classifier that travels with the program."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits import paths
from qtdigits.core.drawing.label_review import CLASSIFIER_VERSION, LabelClassifier
from qtdigits.core.score.writers import WriterMatrix
from qtdigits.errors import InputError
from qtdigits.store.data.arrays import NpzArrays, open_npz
from qtdigits.store.files import make_folder, write_file
from qtdigits.store.frames import csv_of, matrix_frame

FILE_NAME = "writer-matrix.json"
_ARRAYS = ("mean", "axes", "waves", "phases", "moments")


def save_writer_matrix(folder: Path, matrix: WriterMatrix) -> None:
    """Raises `StoreError`."""
    make_folder(folder)
    text = json.dumps(matrix.to_json(), ensure_ascii=False, indent=1)
    write_file(folder / FILE_NAME, text.encode())


def load_writer_matrix(folder: Path) -> WriterMatrix | None:
    """Return the saved matrix; None where there is none or it cannot be read: it can be measured again."""
    try:
        return WriterMatrix.from_json(json.loads((folder / FILE_NAME).read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write_matrix_csv(path: Path, matrix: WriterMatrix) -> None:
    """Write the cells as `frames.matrix_frame` has them. Raises `StoreError`."""
    write_file(path, csv_of(matrix_frame(matrix)).encode())


def save_label_classifier(classifier: LabelClassifier, path: Path) -> None:
    """Save in single precision, and of the symmetric Gram matrix one half: 2 MB. Raises `StoreError`."""
    arrays = {name: getattr(classifier, name).astype(np.float32) for name in _ARRAYS}
    half = classifier.gram[np.triu_indices(len(classifier.gram))]
    stream = BytesIO()
    np.savez_compressed(stream, version=CLASSIFIER_VERSION, half_gram=half.astype(np.float32), **arrays)
    write_file(path, stream.getvalue())


def load_label_classifier(path: Path | None = None) -> LabelClassifier:
    """Load the label classifier of a file; None: the program's own. Raises `InputError`."""
    path = path or paths.resources_dir() / "witness.npz"
    with open_npz(path) as arrays:
        version = arrays.get("version")
        if version is None or int(version) != CLASSIFIER_VERSION:
            raise InputError(f"{path} is no label classifier of this version.", "Install QtDigits again.")
        loaded = {name: _array(arrays, name, path) for name in _ARRAYS}
        half = _array(arrays, "half_gram", path)
    n = len(loaded["moments"])
    gram = np.zeros((n, n))
    rows, columns = np.triu_indices(n)
    gram[rows, columns] = gram[columns, rows] = half
    return LabelClassifier(gram=gram, **loaded)


def _array(arrays: NpzArrays, name: str, path: Path) -> NDArray[np.float64]:
    found = arrays.get(name)
    if found is None:
        raise InputError(f"{path} is damaged: {name} is missing.", "Install QtDigits again.")
    return found.astype(np.float64)
