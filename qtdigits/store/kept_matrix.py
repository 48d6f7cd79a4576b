"""The writer matrix that was measured last, kept in the data folder; and as a table for other programs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from qtdigits.core.score.writer_matrix import WriterMatrix
from qtdigits.store.files import make_folder, write_file

FILE_NAME = "writer-matrix.json"

CSV_COLUMNS = (
    *("learned_from", "drawings_learned", "read", "n", "correct", "accuracy", "low", "high"),
    *("correct_before", "fixed", "broken", "p_value", "mark"),
)


def keep_matrix(folder: Path, matrix: WriterMatrix) -> None:
    """Raises `StoreError`."""
    make_folder(folder)
    text = json.dumps(matrix.to_json(), ensure_ascii=False, indent=1)
    write_file(folder / FILE_NAME, text.encode())


def kept_matrix(folder: Path) -> WriterMatrix | None:
    """The one that was kept; None where there is none, or it cannot be read: it can be measured again."""
    try:
        return WriterMatrix.from_json(json.loads((folder / FILE_NAME).read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write_matrix_csv(path: Path, matrix: WriterMatrix) -> None:
    """One line for each cell, shares from 0 to 1, with what the model that they began with read. Raises `StoreError`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in matrix.rows:
        for cell in row.cells:
            low, high = cell.interval
            share = "" if cell.accuracy is None else f"{cell.accuracy:.6f}"
            figures = (cell.n, cell.correct, share, f"{low:.6f}", f"{high:.6f}", cell.base)
            also = (cell.fixed, cell.broken, f"{cell.p_value:.6g}", matrix.mark(cell))
            writer.writerow((row.name, row.learned_from, cell.writer, *figures, *also))
    write_file(path, text.getvalue().encode())
