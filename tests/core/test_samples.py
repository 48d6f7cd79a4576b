from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Dataset, Trial, Verdict, now
from qtdigits.errors import InputError


@pytest.fixture
def dataset() -> Dataset:
    images = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
    writers = ("Ada", "Bob", "Ada", "Eve")
    return Dataset("some", images, ("3", "1", "4", "1"), writers, ids=(11, 12, 13, 14), weights=(1, 5, 1, 2))


def test_that_images_labels_and_writers_are_taken_together(dataset: Dataset) -> None:
    taken = dataset.take(np.array([3, 0]))
    assert len(taken) == 2
    assert taken.images[:, 0, 0].tolist() == [3, 0]
    assert (taken.labels, taken.writers, taken.name) == (("1", "3"), ("Eve", "Ada"), "some")
    assert (taken.ids, taken.weights) == ((14, 11), (2, 1))


def test_that_nothing_can_be_taken(dataset: Dataset) -> None:
    taken = dataset.take([])
    assert taken.images.shape == (0, 28, 28)
    assert taken.targets(DIGITS).shape == (0,)


def test_that_what_is_unknown_stays_unknown(dataset: Dataset) -> None:
    taken = Dataset("some", dataset.images, dataset.labels).take([1])
    assert (taken.writers, taken.inks, taken.ids, taken.weights) == ((), (), (), ())


def test_that_targets_are_the_outputs_of_the_labels(dataset: Dataset) -> None:
    assert dataset.targets(DIGITS).tolist() == [3, 1, 4, 1]
    with pytest.raises(InputError, match="'x' is not among"):
        Dataset("some", dataset.images, ("x",)).targets(DIGITS)


@pytest.mark.parametrize(("verdict", "right"), [(v, v == "confirmed") for v in Verdict])
def test_that_only_a_confirmed_answer_is_right(verdict: Verdict, right: bool) -> None:
    assert Trial("Ada", "mlp", "7", verdict, "7", ("7",), (1.0,)).is_right == right


def test_that_the_present_time_is_kept_to_the_millisecond_in_utc() -> None:
    moment = now()
    assert moment.tzinfo is UTC
    assert moment.microsecond % 1000 == 0


def test_that_somebody_drew_what_names_nobody_and_names_stay(dataset: Dataset) -> None:
    assert dataset.by_somebody("me").writers == dataset.writers
    assert replace(dataset, writers=()).by_somebody("me").writers == ("me",) * 4
