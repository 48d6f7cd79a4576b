from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.score.metrics import Score, confusion_matrix, expected_calibration_error, wilson_interval

ABC = LabelSet.of("ABC")


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (15, 20, 0.5313, 0.8881), (950, 1000, 0.9347, 0.9619)],
)
def test_that_wilson_s_interval_has_the_published_values(
    correct: int, n: int, low: float, high: float
) -> None:
    assert wilson_interval(correct, n) == pytest.approx((low, high), abs=1e-4)


def test_that_nothing_counted_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_that_the_interval_holds_the_proportion_and_narrows(counts: tuple[int, int]) -> None:
    correct, n = counts
    low, high = wilson_interval(correct, n)
    assert 0 <= low <= correct / n <= high <= 1
    wide = high - low
    low, high = wilson_interval(correct * 4, n * 4)
    assert high - low < wide


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_that_the_confusion_matrix_counts_pairs(pairs: list[tuple[int, int]]) -> None:
    truth = np.array([t for t, _ in pairs], np.int64)
    answer = np.array([a for _, a in pairs], np.int64)
    matrix = confusion_matrix(truth, answer, 4)
    assert all(matrix[t, a] == pairs.count((t, a)) for t in range(4) for a in range(4))


def test_that_the_most_probable_class_is_the_answer() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.2, 0.5, 0.3], [0.0, 0.9, 0.1]], np.float32)
    score = Score.of(ABC, np.array([0, 0, 1, 2]), probabilities)
    assert (score.n, score.correct, score.accuracy) == (4, 2, 0.5)
    assert score.confusion.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]


def test_that_the_worst_confusions_come_first_and_are_confusions() -> None:
    score = Score(ABC.labels, np.array([[9, 3, 0], [0, 9, 5], [1, 0, 9]]))
    assert score.worst_confusions() == [("B", "C", 5), ("A", "B", 3), ("C", "A", 1)]
    assert score.worst_confusions(1) == [("B", "C", 5)]


def test_that_a_score_of_nothing_is_no_number_but_valid_json() -> None:
    score = Score.of(ABC, np.empty(0, np.int64), np.empty((0, 3), np.float32))
    assert math.isnan(score.accuracy)
    values = json.loads(json.dumps(score.to_json(), allow_nan=False))
    assert (values["n"], values["accuracy"], values["interval"]) == (0, None, [0.0, 1.0])


def test_that_a_score_tells_json_what_the_command_line_promises() -> None:
    values = Score(ABC.labels, np.diag([3, 2, 1])).to_json()
    assert values.keys() == {
        "n",
        "correct",
        "accuracy",
        "interval",
        "confusion",
        "classes",
        "calibration_error",
        "undecided",
        "decided_correct",
        "decided_accuracy",
        "reliability",
    }
    assert (values["n"], values["correct"], values["accuracy"], values["classes"]) == (
        6,
        6,
        1.0,
        ["A", "B", "C"],
    )


def test_that_the_undecided_count_with_their_best_class_and_are_told_apart() -> None:
    values = Score(
        ABC.labels, np.array([[4, 1, 0], [0, 3, 0], [0, 0, 2]]), undecided=2, undecided_correct=1
    ).to_json()
    assert (values["n"], values["correct"], values["accuracy"]) == (10, 9, 0.9)
    assert (values["undecided"], values["decided_correct"], values["decided_accuracy"]) == (2, 8, 1.0)


def test_that_where_all_are_undecided_the_decided_have_no_accuracy() -> None:
    score = Score(ABC.labels, np.diag([1, 1, 0]), undecided=2, undecided_correct=2)
    assert math.isnan(score.decided_accuracy)
    assert score.to_json()["decided_accuracy"] is None


def test_that_a_calibrated_model_has_no_calibration_error_and_a_boaster_has() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5, 1.0, 50_000).astype(np.float32)
    is_right = rng.random(len(confidence)) < confidence
    assert expected_calibration_error(confidence, is_right) < 0.01
    assert expected_calibration_error(np.ones(100, np.float32), np.arange(100) < 80) == pytest.approx(0.2)
    assert math.isnan(expected_calibration_error(np.empty(0, np.float32), np.empty(0, bool)))
