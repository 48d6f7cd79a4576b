"""Scoring: counted right, also where the model has never heard of a label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.classes import Classes, OwnedClass
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.model import Model
from qtdigits.errors import CancelledError, InputError
from qtdigits.reader import Reader
from qtdigits.training.evaluate import (
    answers_of,
    answers_with_memory,
    are_first_of_class,
    evaluate,
    score_with,
    scores_by_writer,
)
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


def test_that_labels_that_are_ids_mean_renamed_classes_whatever_has_these_labels_now(
    model: Model, dataset: Dataset
) -> None:
    renamed = tuple(OwnedClass(c.id, "seven" if c.id == "7" else c.label) for c in DIGITS)
    reader = Reader(model, classes=Classes((*renamed, OwnedClass("7~2", "7"))))
    before, of_ids = evaluate(model, dataset), replace(dataset, labels_are_ids=True)
    assert np.array_equal(evaluate(reader, of_ids).confusion, before.confusion)
    sevens = dataset.take(np.flatnonzero(dataset.targets(DIGITS) == 7))
    assert evaluate(reader, sevens).correct == 0  # drawings that the new class got


def test_that_an_unknown_label_is_wrong_in_a_row_of_its_own(model: Model, dataset: Dataset) -> None:
    labels = ("π", "A", *dataset.labels[2:])
    score = evaluate(model, Dataset("with strangers", dataset.images, labels))
    assert score.classes == (*DIGITS.labels, "A", "π")
    assert score.n == 120
    assert score.confusion[10].sum() == score.confusion[11].sum() == 1
    assert score.confusion[:, 10:].sum() == 0
    assert score.correct <= 118


def test_that_writers_are_scored_apart(model: Model, dataset: Dataset) -> None:
    by_writer = scores_by_writer(answers_of(Reader(model), dataset), dataset)
    assert {name: score.n for name, score in by_writer.items()} == {"a": 80, "b": 40}
    assert sum(score.correct for score in by_writer.values()) == evaluate(model, dataset).correct


def test_that_writers_have_to_be_known_for_that(model: Model, dataset: Dataset) -> None:
    anonymous = Dataset("anonymous", dataset.images, dataset.labels)
    with pytest.raises(InputError, match="who wrote what"):
        scores_by_writer(answers_of(Reader(model), anonymous), anonymous)


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


def test_that_what_resembles_nothing_known_is_undecided_unless_it_is_remembered(model: Model) -> None:
    """Of two drawings of each letter the first is remembered; no class is like any of them."""
    images = tiny_data(8, seed=5).images
    letters = Dataset("letters", np.concatenate([images, images]), tuple("ABCDEFGH" * 2))
    means = np.tile(-Reader(model).embed(images).mean(axis=0), (10, 1))
    reader = Reader(replace(model, unlike_below=0.95, class_means=means))
    assert answers_of(reader, letters).score.undecided == 16
    first = are_first_of_class(letters, 1)
    assert answers_with_memory(reader, letters, first, among_all=True).score.undecided == 0
    score = answers_with_memory(reader, letters, np.zeros(16, bool), among_all=True).score
    assert (score.undecided, score.undecided_correct) == (16, 0)


def test_that_the_first_drawings_of_each_class_are_counted_for_each_writer_in_the_order_of_the_file() -> None:
    blank = np.zeros((7, 28, 28), np.uint8)
    labels, writers = tuple("aabaaba"), tuple("xxxxyyx")
    assert are_first_of_class(Dataset("d", blank, labels, writers), 1).tolist() == [1, 0, 1, 0, 1, 1, 0]
    assert are_first_of_class(Dataset("d", blank, labels, writers), 2).tolist() == [1, 1, 1, 0, 1, 1, 0]
    assert are_first_of_class(Dataset("d", blank, labels), 1).tolist() == [1, 0, 1, 0, 0, 0, 0]
    assert not are_first_of_class(Dataset("d", blank, labels), 0).any()


def test_that_remembered_drawings_are_not_counted_and_repeated_ones_are_read(
    model: Model, dataset: Dataset
) -> None:
    """Letters that the model never saw, each drawn twice: the second time it is known from memory."""
    images = np.concatenate([dataset.images[:8]] * 2)
    letters = Dataset("letters", images, tuple("ABCDEFGH" * 2))
    first = are_first_of_class(letters, 1)
    assert first.sum() == 8
    for among_all in (False, True):
        score = answers_with_memory(Reader(model), letters, first, among_all=among_all).score
        assert (score.n, score.correct) == (8, 8)
    assert evaluate(model, letters).correct == 0


def test_that_a_writer_is_read_with_the_own_memory_only(model: Model, dataset: Dataset) -> None:
    images = np.concatenate([dataset.images[:2]] * 4)
    swapped = Dataset("two", images, tuple("ABABBABA"), tuple("xxxxyyyy"))
    found = answers_with_memory(Reader(model), swapped, are_first_of_class(swapped, 1)).score
    assert (found.n, found.correct) == (4, 4)


def test_that_answers_are_limited_to_the_classes_of_the_file(model: Model, dataset: Dataset) -> None:
    kept = [i for i, label in enumerate(dataset.labels) if label in "17"]
    ones_and_sevens = dataset.take(kept)
    nothing = np.zeros(len(kept), bool)
    answers = answers_with_memory(Reader(model), ones_and_sevens, nothing)
    assert {answers.classes[a] for a in answers.answer} <= {"1", "7"}
    unlimited = answers_with_memory(Reader(model), ones_and_sevens, nothing, among_all=True)
    assert np.array_equal(unlimited.answer, answers_of(Reader(model), ones_and_sevens).answer)
    assert answers.score.correct >= unlimited.score.correct


def test_that_everything_may_be_remembered_or_nothing_known(model: Model, dataset: Dataset) -> None:
    letters = Dataset("letters", dataset.images[:3], tuple("ABC"))
    assert answers_with_memory(Reader(model), letters, np.ones(3, bool)).score.n == 0
    score = answers_with_memory(Reader(model), letters, np.zeros(3, bool)).score
    assert (score.n, score.correct) == (3, 0)
