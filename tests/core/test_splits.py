from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.drawing.samples import HOLD_OUT_BLOCK, is_held_out, validation_split

targets = st.lists(st.integers(0, 4), max_size=80)
fractions = st.floats(0.01, 0.99)


@given(writer=st.text(), class_id=st.text(), block=st.integers(0, 10_000))
def test_that_one_of_every_five_drawings_is_held_out(writer: str, class_id: str, block: int) -> None:
    first = block * HOLD_OUT_BLOCK
    assert sum(is_held_out(writer, class_id, first + place) for place in range(HOLD_OUT_BLOCK)) == 1


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
