"""Samples and datasets, and the splits of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import (
    HOLD_OUT_BLOCK,
    Dataset,
    Trial,
    Verdict,
    is_held_out,
    now,
    validation_split,
)
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
    assert dataset.with_default_writer("me").writers == dataset.writers
    assert replace(dataset, writers=()).with_default_writer("me").writers == ("me",) * 4


targets = st.lists(st.integers(0, 4), max_size=80)
fractions = st.floats(0.01, 0.99)


@given(writer=st.text(), class_id=st.text(), block=st.integers(0, 10_000))
def test_that_one_of_every_five_drawings_is_held_out(writer: str, class_id: str, block: int) -> None:
    first = block * HOLD_OUT_BLOCK
    assert sum(is_held_out(writer, class_id, first + place) for place in range(HOLD_OUT_BLOCK)) == 1


@given(writer=st.text(), class_id=st.text())
def test_that_the_first_drawing_of_a_class_can_be_learned_from(writer: str, class_id: str) -> None:
    assert not is_held_out(writer, class_id, 0)


def test_that_the_choice_never_changes() -> None:
    """These places are in people's stores: another rule would move drawings between hold-out and training."""
    chosen = [n for n in range(30) if is_held_out("Ada", "7", n)]
    assert chosen == [4, 6, 13, 18, 21, 25]


@given(targets=targets, fraction=fractions, seed=st.integers(0, 2**31 - 1))
def test_that_a_split_is_disjoint_and_complete(targets: list[int], fraction: float, seed: int) -> None:
    training, validation = validation_split(targets, fraction, seed)
    assert sorted([*training, *validation]) == list(range(len(targets)))


@given(targets=targets, fraction=fractions, seed=st.integers(0, 2**31 - 1))
def test_that_every_class_gives_its_part_and_keeps_the_rest(
    targets: list[int], fraction: float, seed: int
) -> None:
    training, validation = validation_split(targets, fraction, seed)
    labels = np.array(targets, int)
    for label in set(targets):
        n = targets.count(label)
        assert (labels[validation] == label).sum() == min(round(n * fraction), n - 1)
        assert (labels[training] == label).any()


def test_that_a_split_depends_on_its_seed_alone() -> None:
    labels = np.repeat(np.arange(10), 50)
    first, again, other = (validation_split(labels, 0.1, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("targets", [[], [3], [0, 1, 2]])
def test_that_single_samples_stay_in_training(targets: list[int]) -> None:
    training, validation = validation_split(targets, 0.5, 1)
    assert (len(training), len(validation)) == (len(targets), 0)
    assert training.dtype == validation.dtype == np.int64
