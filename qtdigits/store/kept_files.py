"""The writer matrix that was measured last, in the data folder."""

from __future__ import annotations

import json
from pathlib import Path

from qtdigits.core.score.writers import WriterMatrix
from qtdigits.store.files import make_folder, write_file
from qtdigits.store.frames import csv_of, matrix_frame

FILE_NAME = "writer-matrix.json"


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
