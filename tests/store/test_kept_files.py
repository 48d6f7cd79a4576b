from __future__ import annotations

import csv
from pathlib import Path

from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.writers import ALL_OTHERS, BASE, MatrixRow, WriterMatrix
from qtdigits.store.frames import MATRIX_COLUMNS
from qtdigits.store.kept_files import (
    FILE_NAME,
    load_writer_matrix,
    save_writer_matrix,
    write_matrix_csv,
)

MATRIX = WriterMatrix(
    "default",
    "drawings",
    ("ada", "Bø"),
    (
        MatrixRow(BASE, BASE, 0, {"ada": PairedComparison(100, 60, 60), "Bø": PairedComparison(50, 49, 49)}),
        MatrixRow("writer", "ada", 80, {"ada": PairedComparison(20, 10, 20, 10, 0), "Bø": PairedComparison(50, 49, 48, 0, 1)}),
        MatrixRow(ALL_OTHERS, ALL_OTHERS, 0, {"ada": PairedComparison(0, 0, 0)}),
    ),
    is_whole=False,
)  # fmt: skip


def test_that_the_matrix_that_was_measured_last_is_kept(tmp_path: Path) -> None:
    assert load_writer_matrix(tmp_path) is None
    save_writer_matrix(tmp_path, MATRIX)
    assert load_writer_matrix(tmp_path) == MATRIX


def test_that_one_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    for text in ("", "[]", '{"model": "m"}'):
        (tmp_path / FILE_NAME).write_text(text)
        assert load_writer_matrix(tmp_path) is None


def test_that_every_cell_is_a_line_with_its_figures(tmp_path: Path) -> None:
    write_matrix_csv(tmp_path / "m.csv", MATRIX)
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert tuple(lines[0]) == MATRIX_COLUMNS
    assert [(line["learned_from"], line["read"]) for line in lines] == [
        (BASE, "ada"), (BASE, "Bø"), ("ada", "ada"), ("ada", "Bø"), (ALL_OTHERS, "ada")
    ]  # fmt: skip
    own = lines[2]
    assert (own["n"], own["correct"], own["accuracy"], own["correct_before"]) == (
        "20",
        "20",
        "1.0",
        "10",
    )
    assert (own["fixed"], own["mark"]) == ("10", "++")
    assert lines[4]["accuracy"] == ""
