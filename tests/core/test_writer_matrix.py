"""The writer matrix as values: paired counts, what is marked, and a form that can be kept."""

from __future__ import annotations

import json

import numpy as np

from qtdigits.core.score.metrics import wilson_interval
from qtdigits.core.score.writers import ALL_OTHERS, BASE, MatrixCell, MatrixRow, WriterMatrix


def right(text: str) -> np.ndarray:
    """From a string in which "r" is a drawing that was read right."""
    return np.array([c == "r" for c in text], bool)


def matrix(*cells: MatrixCell) -> WriterMatrix:
    base = MatrixRow(BASE, BASE, 0, (MatrixCell("ada", 40, 20, 20), MatrixCell("bob", 40, 20, 20)))
    return WriterMatrix("m", "ink", ("ada", "bob"), (base, MatrixRow("writer", "ada", 30, cells)))


def test_that_a_cell_counts_pairs() -> None:
    cell = MatrixCell.of("ada", right("rrxxx"), right("xrrrx"))
    assert (cell.n, cell.base, cell.correct, cell.fixed, cell.broken) == (5, 2, 3, 2, 1)
    assert cell.correct == cell.base + cell.fixed - cell.broken
    assert cell.interval == wilson_interval(3, 5)
    assert cell.p_value == 1.0


def test_that_a_cell_without_drawings_has_no_accuracy() -> None:
    cell = MatrixCell.of("ada", right(""), right(""))
    assert cell.accuracy is None
    assert cell.interval == (0.0, 1.0)
    assert json.loads(json.dumps(cell.to_json(), allow_nan=False))["accuracy"] is None


def test_that_differences_are_marked_with_their_direction() -> None:
    better, worse = MatrixCell("ada", 40, 20, 32, 12, 0), MatrixCell("bob", 40, 20, 15, 1, 6)
    found = matrix(better, worse)
    assert found.mark(better) == "++"
    assert found.mark(worse) == ""
    much_worse = MatrixCell("bob", 40, 20, 8, 0, 12)
    assert matrix(better, much_worse).mark(much_worse) == "--"


def test_that_many_comparisons_make_one_chance_hit_uncertain() -> None:
    hit = MatrixCell("ada", 40, 20, 26, 6, 0)  # p = 0.03
    assert matrix(hit).mark(hit) == "++"
    others = [MatrixCell("bob", 40, 20, 20, k, k) for k in range(1, 4)]
    assert matrix(hit, *others).mark(hit) == "+"


def test_that_the_base_is_not_compared_with_itself() -> None:
    found = matrix(MatrixCell("ada", 40, 20, 26, 6, 0))
    assert [cell.writer for cell in found.compared] == ["ada"]
    assert all(found.mark(cell) == "" for cell in found.rows[0].cells)


def test_that_a_matrix_comes_back_from_json() -> None:
    found = matrix(MatrixCell("ada", 8, 4, 7, 4, 1), MatrixCell("bob", 40, 20, 32, 12, 0))
    last = MatrixRow(ALL_OTHERS, ALL_OTHERS, 0, (MatrixCell("bob", 40, 20, 20, 3, 3),))
    stopped = WriterMatrix(found.model, found.source, found.writers, (*found.rows, last), is_whole=False)
    values = json.loads(json.dumps(stopped.to_json(), allow_nan=False))
    assert WriterMatrix.from_json(values) == stopped
    assert values["rows"][1]["cells"][1]["mark"] == "++"
    assert last.cell("ada") is None
