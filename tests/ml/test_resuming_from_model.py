"""Training from a trained model: it starts with its weights, early layers stay frozen, new classes find a place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.model import Model
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.control import Control
from qtdigits.errors import ModelFileError
from qtdigits.ml.batches import augmented_batches, wanted_outputs
from qtdigits.ml.models import from_model, weights_of
from qtdigits.ml.networks import build_network, probabilities
from qtdigits.ml.resuming import freeze, imprint, initialise_from, with_teacher_answers
from qtdigits.ml.training import TrainedNetwork, train
from qtdigits.training.characters import turned
from tiny_training import tiny_data, tiny_model

CNN = recipe_of(
    {
        "blocks": "4:3:2:0:relu:same:batch, 6:3:2:0:relu:same:batch",
        "dense": "",
        "epochs": 1,
        "batch_size": 20,
        "learning_rate": 0.01,
    },
    name="tiny-cnn",
)


@pytest.fixture(scope="module")
def base() -> Model:
    return tiny_model(CNN)


def gone_on(base: Model, **changes: object) -> TrainedNetwork:
    recipe = CNN.with_values(start="champion", keep="last", **changes)
    return train(
        recipe, DIGITS, tiny_data(seed=5), run="more", emit=lambda event: None, control=Control(), base=base
    )


def test_that_a_network_takes_up_the_answers_of_its_base(base: Model) -> None:
    network = build_network(base.network, len(DIGITS))
    initialise_from(network, base, DIGITS)
    assert base.golden.agrees_with(probabilities(network, base.golden.images))


def test_that_a_new_class_takes_nothing_from_the_others_before_it_is_trained_on(base: Model) -> None:
    more = DIGITS.with_labels(["A", "B"])
    network = build_network(base.network, len(more))
    initialise_from(network, base, more)
    images = tiny_data().images[:200]
    before, after = probabilities(from_model(base), images), probabilities(network, images)
    assert after.shape == (200, 12)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    assert len(set(before.argmax(axis=1))) > 1


def test_that_five_drawings_imprint_a_new_class_and_leave_the_known_ones(base: Model) -> None:
    data, more = tiny_data(), DIGITS.with_labels(["π"])
    inks, labels = synthetic_digits(120, seed=8)
    drawn = turned(Dataset("π", render_many(inks), tuple(labels), inks=tuple(inks)))
    signs = drawn.images[np.array(drawn.labels) == "4 turned 90°"]
    places = len(data.images) + np.arange(5)
    with_signs = replace(
        data,
        images=np.concatenate([data.images, signs[:5]]),
        targets=np.concatenate([data.targets, np.full(5, 10)]),
        training=np.concatenate([data.training, places]),
    )
    network = build_network(base.network, len(more))
    initialise_from(network, base, more)
    imprint(network, base, more, with_signs)
    kernel, bias = network.get_layer("output").get_weights()
    known_kernel, known_bias = base.weights["output"]
    np.testing.assert_array_equal(kernel[:, :10], known_kernel)
    np.testing.assert_array_equal(bias[:10], known_bias)
    of_signs, of_digits = (probabilities(network, images) for images in (signs[:5], data.images))
    best_known = np.log(of_signs[:, :10].max(axis=1))
    assert np.mean(np.log(of_signs[:, 10]) - best_known) == pytest.approx(0.0, abs=1e-2)
    assert of_signs[:, 10].mean() > 2 * of_digits[:, 10].mean()


def test_that_a_base_with_another_network_is_refused(base: Model) -> None:
    network = build_network(CNN.with_values(blocks="5:3:2").network, len(DIGITS))
    with pytest.raises(ModelFileError, match="another shape"):
        initialise_from(network, base, DIGITS)
    with pytest.raises(ModelFileError, match="no layer"):
        initialise_from(network, replace(base, weights={}), DIGITS)


def test_that_early_blocks_and_statistics_stay_as_they_are(base: Model) -> None:
    model = weights_of(base, gone_on(base, last_blocks=1))
    changed = {
        name
        for name, arrays in model.weights.items()
        if any(not np.array_equal(a, b) for a, b in zip(arrays, base.weights[name], strict=True))
    }
    assert changed == {"block_2", "output"}


def test_that_all_blocks_are_trained_where_nothing_else_is_said(base: Model) -> None:
    network = from_model(base)
    freeze(network, last_blocks=0)
    assert {layer.name for layer in network.layers if layer.weights and layer.trainable} == {
        "block_1",
        "block_2",
        "output",
    }


def test_that_the_last_epoch_is_kept_where_the_recipe_says_so(base: Model) -> None:
    trained = gone_on(base, epochs=3, learning_rate=10.0, optimizer="sgd")
    assert (trained.epochs, trained.best_epoch) == (3, 3)


def test_that_remembered_images_are_to_be_answered_as_the_base_did(base: Model) -> None:
    data = tiny_data()
    network = from_model(base)
    remembering = with_teacher_answers(base, replace(data, remembered=data.training[:30]), CNN, DIGITS)
    wanted = wanted_outputs(remembering, 10)
    np.testing.assert_allclose(
        wanted[data.training[:30]], probabilities(network, data.images[data.training[:30]]), atol=1e-4
    )
    rest = data.training[30:]
    np.testing.assert_array_equal(wanted[rest].argmax(axis=1), data.targets[rest])
    assert with_teacher_answers(base, data, CNN, DIGITS) is data


def test_that_the_answers_are_those_to_the_images_that_are_trained_on(base: Model) -> None:
    data = tiny_data()
    network = from_model(base)
    recipe = CNN.with_values(augmentation=1.0)
    remembering = with_teacher_answers(base, replace(data, remembered=data.training[:30]), recipe, DIGITS)
    changed = (remembering.images != data.images).any(axis=(1, 2))
    assert changed[data.training[:30]].all()
    assert changed.sum() == 30
    shown = remembering.images[data.training[:30]]
    assert remembering.answers is not None
    np.testing.assert_allclose(remembering.answers, probabilities(network, shown), atol=1e-4)

    batches = augmented_batches(
        remembering, n_classes=10, batch_size=20, seed=3, augmentation=recipe.augmentation_settings
    )
    steps = remembering.steps_per_epoch(20)
    seen = np.concatenate([np.asarray(images) for images, _ in batches.take(steps)])[..., 0]
    as_they_were = {(image / np.float32(255)).tobytes() for image in shown}
    assert sum(image.tobytes() in as_they_were for image in seen) >= 30


def test_that_another_models_answers_can_be_kept(base: Model) -> None:
    data = tiny_data()
    changed = gone_on(base).network
    rehearsed = replace(data, remembered=data.training[:30])
    more = DIGITS.with_labels(["A"])
    wanted = with_teacher_answers(base, rehearsed, CNN, more).answers
    assert wanted is not None
    shown = data.images[data.training[:30]]
    np.testing.assert_array_equal(
        wanted.argmax(axis=1), probabilities(from_model(base), shown).argmax(axis=1)
    )
    assert not np.allclose(wanted[:, :10], probabilities(changed, shown), atol=0.01)
