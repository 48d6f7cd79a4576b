"""Calibration: bins of a reliability diagram, and the threshold below which a reading is not sure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.score.calibration import (
    Threshold,
    are_undecided,
    are_unlike,
    choose_similarity,
    choose_threshold,
    expected_calibration_error,
    measure_threshold,
    reliability_from_json,
    reliability_of,
    reliability_to_json,
)
from qtdigits.core.score.metrics import wilson_interval


def test_that_every_answer_is_in_the_bin_of_its_confidence():
    confidence = np.array([0.05, 0.61, 0.69, 0.95, 1.0], np.float32)
    is_right = np.array([False, True, False, True, True])
    first, middle, last = reliability_of(confidence, is_right, bins=10)
    assert (first.low, first.high, first.n, first.correct) == (0.0, 0.1, 1, 0)
    assert (middle.n, middle.correct, middle.accuracy) == (2, 1, 0.5)
    assert middle.confidence == pytest.approx(0.65)
    assert middle.interval == wilson_interval(1, 2)
    assert (last.high, last.n, last.correct) == (1.0, 2, 2)


def test_that_bins_give_the_expected_calibration_error():
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.1, 1, 500).astype(np.float32)
    is_right = rng.random(500) < confidence**2
    bins = reliability_of(confidence, is_right)
    assert sum(found.n for found in bins) == 500
    error = sum(abs(found.n * found.confidence - found.correct) for found in bins) / 500
    assert error == pytest.approx(expected_calibration_error(confidence, is_right), abs=1e-6)


def test_that_bins_survive_a_file():
    bins = reliability_of(np.array([0.3, 0.9], np.float32), np.array([True, True]))
    again = reliability_from_json(json.loads(json.dumps(reliability_to_json(bins))))
    assert [(b.n, b.correct, round(b.confidence, 5)) for b in again] == [(1, 1, 0.3), (1, 1, 0.9)]
    assert reliability_from_json(()) == reliability_of(np.empty(0, np.float32), np.empty(0, bool)) == ()


def test_that_rows_of_another_form_are_refused():
    with pytest.raises(ValueError, match="unpack"):
        reliability_from_json([[0.0, 0.1, 3]])


confidences = st.lists(st.floats(0.125, 1, width=32), min_size=1, max_size=300)


def test_that_one_digit_in_two_hundred_may_be_left_undecided() -> None:
    digits = np.linspace(0.5, 0.99, 1000)
    chosen = choose_threshold(digits, np.array([0.3, 0.4, 0.9]), highest=1.0)
    assert digits[4] < chosen.undecided_below <= digits[5]
    assert chosen.digits_undecided == 0.005
    assert chosen.others_caught == pytest.approx(2 / 3)


def test_that_an_answer_with_more_than_half_of_the_probability_is_given_however_well_digits_are_told() -> (
    None
):
    chosen = choose_threshold(np.linspace(0.9, 1.0, 1000), np.array([0.3, 0.8]))
    assert chosen == Threshold(0.5, 1000, 0.0, 2, 0.5)


def test_that_few_digits_allow_none_to_be_left_undecided() -> None:
    chosen = choose_threshold(np.array([0.7123456, 0.9, 1.0]), np.array([0.2]), highest=1.0)
    assert chosen == Threshold(0.7123, 3, 0.0, 1, 1.0)


@given(digits=confidences, others=confidences, most=st.floats(0, 1))
def test_that_the_cost_is_kept_to_and_no_higher_threshold_would_keep_to_it(
    digits: list[float], others: list[float], most: float
) -> None:
    confidence = np.array(digits, np.float32)
    chosen = choose_threshold(confidence, np.array(others, np.float32), most_undecided=most, highest=1.0)
    assert 0 <= chosen.undecided_below <= 1
    assert chosen.digits_undecided == are_undecided(confidence, chosen.undecided_below).mean() <= most + 1e-9
    higher = chosen.undecided_below + 2e-4
    assert higher > 1 or most == 1 or are_undecided(confidence, higher).mean() > most - 1e-9


def test_that_without_digits_nothing_is_undecided_and_without_others_nothing_is_claimed() -> None:
    nothing = np.empty(0, np.float32)
    assert choose_threshold(nothing, np.array([0.2])) == Threshold(0.0, 0, None, 1, 0.0)
    assert choose_threshold(np.array([0.4]), nothing) == Threshold(0.4, 1, 0.0, 0, None)


def test_that_a_threshold_of_zero_leaves_nothing_undecided() -> None:
    assert not are_undecided(np.array([0.0, 0.1, 1.0]), 0.0).any()


def test_that_a_threshold_that_was_chosen_elsewhere_is_measured_all_the_same() -> None:
    found = measure_threshold(0.6, np.array([0.5, 0.7, 0.8, 0.9]), np.array([0.4, 0.6]))
    assert found.to_json() == {
        "undecided_below": 0.6,
        "n_digits": 4,
        "digits_undecided": 0.25,
        "n_others": 2,
        "others_caught": 0.5,
        "unlike_below": 0.0,
    }


def test_that_what_resembles_nothing_known_is_undecided_however_probable_its_answer() -> None:
    confidence, similarity = np.array([0.9, 0.9, 0.4, 0.4]), np.array([0.8, 0.3, 0.8, 0.3])
    assert are_undecided(confidence, 0.5, similarity, 0.5).tolist() == [False, True, True, True]
    assert are_undecided(confidence, 0.5).tolist() == [False, False, True, True]
    assert not are_undecided(0.9, 0.5, -1.0, 0.0)  # without a threshold nobody looks
    prototypes = np.array([True, True, True, False])
    assert are_undecided(confidence, 0.5, similarity, 0.5, is_prototype=prototypes).tolist() == [0, 1, 0, 1]
    assert are_undecided(confidence, 0.5, is_prototype=prototypes).tolist() == [0, 0, 1, 1]
    assert are_unlike(similarity, 0.5).tolist() == [False, True, False, True]


def test_that_one_digit_in_fifty_may_resemble_nothing_up_to_a_similarity_of_one_half() -> None:
    similarity = np.linspace(0.2, 0.95, 1000)
    chosen = choose_similarity(similarity)
    assert 0.21 < chosen < 0.22
    assert are_unlike(similarity, chosen).sum() == 20
    assert choose_similarity(np.linspace(0.6, 1, 1000)) == 0.5
    assert choose_similarity(np.linspace(-0.9, 0, 1000)) == choose_similarity(np.empty(0)) == 0


def test_that_both_thresholds_are_measured_together() -> None:
    digits, others = np.array([0.9, 0.9, 0.4, 0.9]), np.array([0.9, 0.2])
    similarities = np.array([0.8, 0.3, 0.8, 0.9]), np.array([0.1, 0.1])
    found = measure_threshold(0.5, digits, others, unlike_below=0.5, similarities=similarities)
    assert found == Threshold(0.5, 4, 0.5, 2, 1.0, 0.5)
