"""Scoring: counted right, also where the model has never heard of a label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.model import Model
from qtdigits.errors import CancelledError, InputError
from qtdigits.reader import Reader
from qtdigits.training.evaluate import answers_of, evaluate, evaluate_by_writer, score_with
from tiny_training import tiny_data, tiny_model

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_model()


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    data = tiny_data(120, seed=5)
    labels = tuple(DIGITS.labels[target] for target in data.targets)
    return Dataset("digits", data.images, labels, tuple("ab"[i % 3 == 0] for i in range(len(labels))))


def test_that_a_score_counts_what_the_reader_answers(model: Model, dataset: Dataset) -> None:
    score = evaluate(model, dataset)
    answers = Reader(model).read_many(dataset.images).argmax(axis=1)
    assert score.n == 120
    assert score.correct == int((answers == dataset.targets(DIGITS)).sum()) > 60
    assert score.classes == DIGITS.labels


def test_that_an_unknown_label_is_wrong_in_a_row_of_its_own(model: Model, dataset: Dataset) -> None:
    labels = ("π", "A", *dataset.labels[2:])
    score = evaluate(model, Dataset("with strangers", dataset.images, labels))
    assert score.classes == (*DIGITS.labels, "A", "π")
    assert score.n == 120
    assert score.confusion[10].sum() == score.confusion[11].sum() == 1
    assert score.confusion[:, 10:].sum() == 0
    assert score.correct <= 118


def test_that_writers_are_scored_apart(model: Model, dataset: Dataset) -> None:
    by_writer = evaluate_by_writer(model, dataset)
    assert {name: score.n for name, score in by_writer.items()} == {"a": 80, "b": 40}
    assert sum(score.correct for score in by_writer.values()) == evaluate(model, dataset).correct


def test_that_writers_have_to_be_known_for_that(model: Model, dataset: Dataset) -> None:
    with pytest.raises(InputError, match="who wrote what"):
        evaluate_by_writer(model, Dataset("anonymous", dataset.images, dataset.labels))


def test_that_no_drawings_give_an_empty_score(model: Model) -> None:
    score = evaluate(model, Dataset("none", np.empty((0, 28, 28), np.uint8), ()))
    assert (score.n, score.interval) == (0, (0.0, 1.0))


def test_that_scoring_can_be_given_up(model: Model, dataset: Dataset) -> None:
    def give_up(done: int, total: int) -> None:
        assert (done, total) == (0, 120)
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        score_with(Reader(model), dataset, progress=give_up)


def test_that_the_misread_are_named_the_surest_mistake_first(model: Model, dataset: Dataset) -> None:
    swapped = ("π", *dataset.labels[1:])
    answers = answers_of(Reader(model), Dataset("swapped", dataset.images, swapped))
    assert 0 in answers.misread
    assert len(answers.misread) == answers.score.n - answers.score.correct
    assert (np.diff(answers.confidence[answers.misread]) <= 0).all()
    assert answers.caption(0).startswith("π as ")


def test_that_the_undecided_are_counted_apart_and_count_all_the_same(model: Model, dataset: Dataset) -> None:
    sure = answers_of(Reader(model), dataset)
    middle = float(np.median(sure.confidence))
    unsure = answers_of(Reader(replace(model, undecided_below=middle)), dataset)
    assert (sure.score.undecided, unsure.score.undecided) == (0, int((sure.confidence < middle).sum()))
    assert unsure.score.correct == sure.score.correct
    is_right = sure.answer == sure.truth
    assert unsure.score.decided_accuracy == is_right[sure.confidence >= middle].mean()
