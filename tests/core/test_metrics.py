"""Figures that a sceptic would accept: intervals, per-class figures, AUC, and the drawings behind a matrix."""

from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.score.calibration import expected_calibration_error
from qtdigits.core.score.metrics import (
    MOST_IN_CELL,
    MOST_RIGHT_IN_CELL,
    ReadDrawings,
    Score,
    Tally,
    class_figures,
    confusion_matrix,
    macro_auc,
    wilson_interval,
)

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


def test_that_recall_goes_by_what_was_drawn_and_precision_by_what_was_answered():
    score = Score(("A", "B"), np.array([[8, 2], [1, 9]]))
    a, b = class_figures(score)
    assert (a.label, a.drawn, a.answered, a.correct) == ("A", 10, 9, 8)
    assert (a.recall, a.precision) == (0.8, 8 / 9)
    assert (b.recall, b.precision) == (0.9, 9 / 11)
    assert a.recall_interval == wilson_interval(8, 10)
    assert b.precision_interval == wilson_interval(9, 11)


def test_that_a_class_that_was_never_drawn_or_never_answered_has_no_figure():
    score = Score(("A", "B"), np.array([[3, 0], [0, 0]]))
    _, unseen = class_figures(score)
    assert math.isnan(unseen.recall)
    assert math.isnan(unseen.precision)


def by_counting_pairs(targets, probabilities):
    areas = []
    for k in range(probabilities.shape[1]):
        inside, outside = probabilities[targets == k, k], probabilities[targets != k, k]
        won = [(a > b) + (a == b) / 2 for a, b in product(inside, outside)]
        areas += [np.mean(won)] if won else []
    return np.mean(areas) if areas else math.nan


@given(
    st.lists(
        st.tuples(st.integers(0, 2), *[st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])] * 3), max_size=25
    )
)
def test_that_it_is_the_share_of_pairs_in_the_right_order_and_ties_count_half(rows):
    targets = np.array([row[0] for row in rows], np.int64)
    probabilities = np.array([row[1:] for row in rows], np.float32).reshape(-1, 3)
    found, expected = macro_auc(targets, probabilities), by_counting_pairs(targets, probabilities)
    assert found == pytest.approx(expected, nan_ok=True)


def test_that_order_counts_and_not_how_sure_a_network_is():
    targets = np.array([0, 0, 1, 1])
    sure = np.array([[0.99, 0.01], [0.98, 0.02], [0.02, 0.98], [0.01, 0.99]])
    unsure = 0.5 + (sure - 0.5) / 100
    assert macro_auc(targets, sure) == macro_auc(targets, unsure) == 1.0
    assert macro_auc(targets, sure[::-1]) == 0.0


def test_that_nothing_to_tell_apart_has_no_figure():
    assert math.isnan(macro_auc(np.array([1, 1]), np.ones((2, 3))))
    assert math.isnan(macro_auc(np.empty(0, np.int64), np.empty((0, 3))))


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


def test_that_look_alikes_can_be_counted_as_one() -> None:
    truth = np.array([0, 1, 1, 2, 3])
    answer = np.array([1, 1, 2, 2, 0])
    score = Score(("0", "O", "7", "♥"), confusion_matrix(truth, answer, 4))
    assert (score.correct, score.look_alikes_as_one) == (2, Tally(5, 3))
    assert Score((), np.zeros((0, 0), np.int64)).look_alikes_as_one == Tally(0, 0)
