"""Mixing sources: splits are honest, weights count in training only, and the record says what was used."""

from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import NO_CLASS
from qtdigits.errors import TrainingError
from qtdigits.ml.training_data import TrainingData
from qtdigits.training.mixing import Source, mix, writer_split


def numbered(name: str, n: int, *, start: int = 0, writers: tuple[str, ...] = ()) -> Dataset:
    """Images that tell their number: the first two pixels hold it."""
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = divmod(np.arange(start, start + n), 256)
    return Dataset(name, images, tuple(str(i % 10) for i in range(n)), writers)


def mixed(
    *sources: Source, fraction: float = 0.2, seed: int = 1
) -> tuple[TrainingData, list[dict[str, object]]]:
    return mix(sources, DIGITS, fraction=fraction, seed=seed, is_rehearsal=False)[:2]


def numbers(data: TrainingData, indices: np.ndarray) -> list[int]:
    return numbers_of(data.images[indices])


def numbers_of(images: np.ndarray) -> list[int]:
    return [int(image[0, 0]) * 256 + int(image[0, 1]) for image in images]


def test_that_nothing_is_both_trained_on_and_validated_on() -> None:
    data, _ = mixed(Source(numbered("MNIST", 200)), Source(numbered("drawings", 50, start=1000), weight=10))
    training, validation = set(numbers(data, data.training)), set(numbers(data, data.validation))
    assert not training & validation
    assert training | validation == {*range(200), *range(1000, 1050)}


def test_that_weights_count_in_training_and_not_in_validation() -> None:
    data, _ = mixed(Source(numbered("MNIST", 200)), Source(numbered("drawings", 50, start=1000), weight=10))
    trained, counts = np.unique(numbers(data, data.training), return_counts=True)
    assert set(counts[trained < 1000]) == {1}
    assert set(counts[trained >= 1000]) == {10}
    assert len(set(numbers(data, data.validation))) == len(data.validation)


def test_that_images_keep_their_labels() -> None:
    data, _ = mixed(Source(numbered("a", 100)), Source(numbered("b", 100, start=1000)))
    assert [number % 10 for number in numbers(data, np.arange(200))] == data.targets.tolist()


def test_that_validation_is_a_part_of_every_class_and_stays_the_same() -> None:
    data, _ = mixed(Source(numbered("MNIST", 200)))
    again, _ = mixed(Source(numbered("MNIST", 200)))
    other, _ = mixed(Source(numbered("MNIST", 200)), seed=2)
    assert np.bincount(data.targets[data.validation]).tolist() == [4] * 10
    assert data.validation.tolist() == again.validation.tolist() != other.validation.tolist()


def test_that_a_collection_is_split_by_writer() -> None:
    writers = tuple(f"w{i // 20}" for i in range(200))
    data, records = mixed(
        Source(numbered("collection", 200, writers=writers)), Source(numbered("MNIST", 100, start=1000))
    )
    trained = {writers[i] for i in numbers(data, data.training) if i < 200}
    validated = {writers[i] for i in numbers(data, data.validation) if i < 200}
    assert len(validated) == 2
    assert not trained & validated
    assert records[0]["n_writers"] == 10


def test_that_few_writers_are_not_split_by_writer() -> None:
    data, _ = mixed(Source(numbered("mine", 100, writers=("me",) * 60 + ("you",) * 40)))
    assert len(data.validation) == 20


def test_that_one_writer_always_stays_in_training() -> None:
    is_chosen = writer_split(("a", "b", "c"), 0.99, seed=1)
    assert is_chosen.sum() == 2


def test_that_the_record_has_counts_and_digests() -> None:
    data, records = mixed(
        Source(numbered("MNIST", 100), sha256="abc"), Source(numbered("drawings", 50), weight=3)
    )
    assert [(r["name"], r["n_training"] + r["n_validation"], r["weight"]) for r in records] == [
        ("MNIST", 100, 1),
        ("drawings", 50, 3),
    ]
    assert sum(int(str(r["n_validation"])) for r in records) == len(data.validation) == 30
    assert dict(data.sources) == {r["name"]: r["n_training"] for r in records}
    assert records[0]["sha256"] == "abc"
    _, changed = mixed(
        Source(numbered("MNIST", 100), sha256="abc"), Source(numbered("drawings", 50, start=1), weight=3)
    )
    assert changed[1]["sha256"] != records[1]["sha256"]


def test_that_a_few_drawings_of_each_class_can_be_validated_too() -> None:
    data, _ = mixed(Source(numbered("drawings", 12)))
    assert (len(data.training), len(data.validation)) == (10, 2)


@pytest.mark.parametrize("n", [0, 1])
def test_that_too_little_to_split_is_refused_in_words(n: int) -> None:
    with pytest.raises(TrainingError, match="too few"):
        mixed(Source(numbered("drawings", n)))


def test_that_the_drawings_of_writers_who_are_not_trained_on_are_given_apart() -> None:
    by = tuple(f"writer {number % 10}" for number in range(100))
    sources = (Source(numbered("MNIST", 100)), Source(numbered("ink", 100, start=1000, writers=by)))
    data, _, new_writers = mix(sources, DIGITS, fraction=0.2, seed=1, is_rehearsal=False)
    assert set(new_writers) == {"ink"}
    left_out = set(numbers_of(new_writers["ink"].images))
    assert len(left_out) == 20
    assert not left_out & set(numbers(data, data.training))


def test_that_outliers_are_trained_on_without_a_class_and_never_validated_on() -> None:
    letters = numbered("letters", 40, start=1000)
    data, records = mixed(Source(numbered("MNIST", 100)), Source(letters, is_outlier=True))
    is_none = data.targets == NO_CLASS
    assert is_none.sum() == 40
    assert is_none[data.training].sum() + len(data.outliers) == 40
    assert not is_none[data.validation].any()
    assert set(data.outliers) == set(np.flatnonzero(is_none)) - set(data.training)
    assert len(data.outliers) > 0
    assert records[1]["is_outlier"] is True


def test_that_outliers_alone_are_nothing_to_train_on() -> None:
    with pytest.raises(TrainingError, match="too few"):
        mixed(Source(numbered("letters", 40), is_outlier=True))
