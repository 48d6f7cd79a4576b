"""Which drawings of the hold-out are looked at after each epoch."""

from __future__ import annotations

import numpy as np

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Dataset
from qtdigits.ml.training_data import TrainingData
from qtdigits.training.gather import MOST_WATCHED, with_hold_out

DATA = TrainingData(np.zeros((2, 28, 28), np.uint8), np.array([0, 1]), np.array([0]), np.array([1]))


def hold_out(labels: list[str]) -> Dataset:
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(labels)) % 256
    return Dataset("my hold-out", images, tuple(labels))


def test_that_drawings_of_classes_the_network_does_not_have_are_left_out() -> None:
    data = with_hold_out(DATA, hold_out(["7", "π", "3"]), DIGITS)
    assert data.hold_out_targets.tolist() == [7, 3]
    assert data.hold_out_images[:, 0, 0].tolist() == [0, 2]


def test_that_of_a_large_hold_out_a_fair_part_is_looked_at_always_the_same() -> None:
    labels = [str(i % 10) for i in range(5 * MOST_WATCHED)]
    data = with_hold_out(DATA, hold_out(labels), DIGITS)
    assert len(data.hold_out_targets) == MOST_WATCHED
    assert set(np.bincount(data.hold_out_targets)) <= set(range(60, 140))
    again = with_hold_out(DATA, hold_out(labels), DIGITS)
    assert again.hold_out_targets.tolist() == data.hold_out_targets.tolist()


def test_that_without_a_hold_out_there_is_nothing_to_look_at() -> None:
    assert with_hold_out(DATA, None, DIGITS) is DATA
    assert len(with_hold_out(DATA, hold_out([]), DIGITS).hold_out_targets) == 0
    assert len(with_hold_out(DATA, hold_out(["π"]), DIGITS).hold_out_targets) == 0
