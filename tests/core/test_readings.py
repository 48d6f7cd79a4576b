from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.score.metrics import MOST_IN_CELL, MOST_RIGHT_IN_CELL, ReadDrawings


def readings(truth, answer, confidence):
    images = np.zeros((len(truth), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(truth)) % 256
    as_places = (np.array(part, np.int64) for part in (truth, answer))
    return ReadDrawings(("A", "B", "C"), images, *as_places, np.array(confidence, np.float32))


def test_that_a_cell_has_its_surest_mistake_first():
    found = readings([0, 0, 0, 1], [1, 1, 0, 1], [0.5, 0.9, 0.99, 0.7]).of_cell(0, 1)
    assert found.confidence.tolist() == [np.float32(0.9), np.float32(0.5)]
    assert found.images[:, 0, 0].tolist() == [1, 0]


def test_that_a_right_cell_has_its_least_sure_answer_first():
    found = readings([2, 2, 2], [2, 2, 2], [0.9, 0.4, 0.6]).of_cell(2, 2)
    assert found.images[:, 0, 0].tolist() == [1, 2, 0]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0, 1, width=32)), max_size=400),
)
def test_that_what_is_kept_of_a_cell_is_the_beginning_of_it(rows):
    everything = readings(*(zip(*rows, strict=True) if rows else ((), (), ())))
    kept = everything.selection_to_store()
    for truth in range(3):
        for answer in range(3):
            most = MOST_RIGHT_IN_CELL if truth == answer else MOST_IN_CELL
            expected = everything.of_cell(truth, answer).confidence[:most]
            np.testing.assert_array_equal(kept.of_cell(truth, answer).confidence, expected)
