"""The second head of a training: it shapes the embedding, and nothing of it is left in the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import NO_CLASS, synthetic_digits
from qtdigits.core.embedding import unit_rows
from qtdigits.core.run.control import Control
from qtdigits.core.run.history import History
from qtdigits.ml.characters import look_alikes
from qtdigits.ml.models import to_model
from qtdigits.ml.networks import outputs_of
from qtdigits.ml.training import TrainedNetwork, train
from qtdigits.ml.training_data import NOT_ASKED, TrainingData
from qtdigits.reader import Reader
from qtdigits.training.characters import turned
from tiny_training import TINY_RECIPE, tiny_data

RECIPE = TINY_RECIPE.with_values(
    dense="48, 16:linear", epochs=8, batch_size=60, characters_weight=1.0, optimizer="adam", keep="last"
)


def signs(seed: int, n: int = 400) -> Dataset:
    """Digits in four rotations, the unturned ones left out: characters that no digit looks like."""
    inks, labels = synthetic_digits(n, seed)
    drawn = turned(Dataset("signs", render_many(inks), tuple(labels), inks=tuple(inks)))
    return drawn.take(np.arange(n, 4 * n))


def with_characters(data: TrainingData, characters: Dataset) -> TrainingData:
    """Return tiny data with the drawings of characters, which the network is not asked about."""
    labels = (*DIGITS.labels, *sorted(set(characters.labels)))
    more = len(characters)
    return replace(
        data,
        images=np.concatenate([data.images, characters.images]),
        targets=np.concatenate([data.targets, np.full(more, NOT_ASKED)]),
        training=np.concatenate([data.training, len(data.images) + np.arange(more)]),
        characters=np.concatenate([data.targets, [labels.index(label) for label in characters.labels]]),
        character_labels=labels,
    )


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return with_characters(tiny_data(), signs(seed=5))


def trained_on(data: TrainingData) -> tuple[TrainedNetwork, History]:
    history = History()
    return train(RECIPE, DIGITS, data, run="r", emit=history.apply, control=Control()), history


@pytest.fixture(scope="module")
def trained(data: TrainingData) -> tuple[TrainedNetwork, History]:
    return trained_on(data)


def test_that_nothing_of_the_second_head_is_in_the_model(
    data: TrainingData, trained: tuple[TrainedNetwork, History]
) -> None:
    network, history = trained
    model = to_model(
        network, name="m", images=data.images, targets=data.targets, history=history, provenance={}
    )
    assert list(model.weights) == ["dense_1", "dense_2", "output"]
    assert [array.shape for array in model.weights["output"]] == [(16, 10), (10,)]
    reader = Reader(model)
    assert reader.read_many(data.images[:5]).shape == (5, 10)
    assert np.isfinite(reader.embed(data.images[:5])).all()


def test_that_the_embedding_tells_characters_apart_that_the_label_set_lacks(
    trained: tuple[TrainedNetwork, History],
) -> None:
    without, _ = trained_on(tiny_data())
    assert one_shot_accuracy(trained[0]) > one_shot_accuracy(without) + 0.1


def one_shot_accuracy(trained: TrainedNetwork) -> float:
    """Read drawings nobody has seen by the most similar of one drawing of each character."""
    network = trained.network
    embedder = type(network)(network.input, network.layers[-1].input)
    characters = signs(seed=9, n=200)
    found = outputs_of(embedder, characters.images)[0]
    found = unit_rows(found)
    labels = np.array(characters.labels)
    names, remembered = np.unique(labels, return_index=True)
    others = np.setdiff1d(np.arange(len(labels)), remembered)
    answers = names[(found[others] @ found[remembered].T).argmax(axis=1)]
    return float(np.mean(answers == labels[others]))


def test_that_the_curves_are_those_of_the_label_set(
    data: TrainingData, trained: tuple[TrainedNetwork, History]
) -> None:
    epochs = trained[1].epochs
    assert epochs["loss"][-1] < 1.0  # with the second head's it would be above 2
    assert epochs["accuracy"][-1] > 0.7


def test_that_a_network_is_taught_nothing_by_what_it_is_not_asked_about(data: TrainingData) -> None:
    recipe = RECIPE.with_values(epochs=1)
    unnamed = replace(data, characters=np.full(len(data.targets), NO_CLASS))
    first, second = (
        train(
            recipe,
            DIGITS,
            replace(unnamed, training=np.flatnonzero(data.targets == NOT_ASKED)[:n]),
            run="r",
            emit=lambda event: None,
            control=Control(),
        ).network.get_weights()
        for n in (60, 120)
    )
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_that_look_alikes_are_no_wrong_answers() -> None:
    hidden = look_alikes(("0", "7", "A", "O", "o"))
    assert [(i, j) for i, j in np.argwhere(hidden).tolist()] == [
        (0, 3),
        (0, 4),
        (3, 0),
        (3, 4),
        (4, 0),
        (4, 3),
    ]


def test_that_letters_under_other_names_are_no_wrong_answers_but_other_signs_are() -> None:
    labels = (
        "a",
        "b",
        "Latin/character01",
        "Latin/character02 turned 90°",
        "Greek/character01",
        "Korean/character01",
    )
    hidden = look_alikes(labels)
    assert (hidden == hidden.T).all()
    assert hidden[0].tolist() == [False, False, True, True, True, False]
    assert hidden[2].tolist() == [True, True, False, False, True, False]
    assert not hidden[5].any()
