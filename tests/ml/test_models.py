"""From a trained network to a model and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.raster import PREPROCESSING_VERSION
from qtdigits.core.model import Golden, Model
from qtdigits.core.run.history import History
from qtdigits.errors import ModelFileError
from qtdigits.ml.models import N_GOLDEN, from_model, to_model
from qtdigits.ml.networks import build_network, probabilities
from qtdigits.ml.training import TrainedNetwork
from qtdigits.reader import Reader
from tiny_training import TINY_RECIPE, tiny_model


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_model()


def test_that_a_model_says_what_it_is(model: Model) -> None:
    assert model.network == TINY_RECIPE.network
    assert model.preprocessing_version == PREPROCESSING_VERSION
    assert list(model.weights) == ["dense_1", "output"]
    assert len(model.history.epochs) == 2
    assert model.provenance == {"made": "in a test"}


def test_that_the_golden_drawings_are_of_many_kinds(model: Model) -> None:
    images = model.golden.images
    assert images.shape == (N_GOLDEN, 28, 28)
    assert len({image.tobytes() for image in images}) == N_GOLDEN
    assert any(not image.any() for image in images)
    assert any((image == 255).all() for image in images)


def test_that_the_weights_are_exact_in_half_precision(model: Model) -> None:
    for arrays in model.weights.values():
        for array in arrays:
            assert np.array_equal(array, array.astype(np.float16))


def test_that_a_network_comes_back_with_the_same_answers(model: Model) -> None:
    network = from_model(model)
    images = np.random.default_rng(1).integers(0, 256, (5, 28, 28), np.uint8)
    found = probabilities(network, images)
    assert np.allclose(probabilities(from_model(model), images), found)
    assert model.golden.agrees_with(probabilities(network, model.golden.images))


def test_that_weights_that_give_other_answers_are_refused(model: Model) -> None:
    kernel, bias = model.weights["output"]
    other = replace(
        model, weights={**model.weights, "output": (kernel, bias[::-1] + np.arange(10, dtype=np.float32))}
    )
    with pytest.raises(ModelFileError, match="golden answers"):
        from_model(other)


def test_that_golden_answers_of_another_model_are_refused(model: Model) -> None:
    wrong = Golden(model.golden.images, np.roll(model.golden.probabilities, 1, axis=1))
    with pytest.raises(ModelFileError, match="golden answers"):
        from_model(replace(model, golden=wrong))


def test_that_weights_of_another_shape_are_refused_by_layer(model: Model) -> None:
    kernel, bias = model.weights["output"]
    with pytest.raises(ModelFileError, match="layer output have the wrong shape"):
        from_model(replace(model, weights={**model.weights, "output": (kernel.T, bias)}))


def test_that_missing_layers_and_other_label_sets_are_refused(model: Model) -> None:
    with pytest.raises(ModelFileError, match="layers are not those"):
        from_model(replace(model, weights={"output": model.weights["output"]}))
    with pytest.raises(ModelFileError, match="wrong shape"):
        from_model(replace(model, label_set=LabelSet.of("01")))


def test_that_weights_too_large_for_half_precision_are_kept_as_they_are() -> None:
    network = build_network(TINY_RECIPE.network, 10)
    network.get_layer("output").set_weights([np.zeros((16, 10)), np.linspace(1e5, 1e5 + 1, 10)])
    trained = TrainedNetwork(network, TINY_RECIPE, DIGITS, "completed", 1, 1)
    images = np.zeros((20, 28, 28), np.uint8)
    model = to_model(
        trained, name="large", images=images, targets=np.arange(20) % 10, history=History(), provenance={}
    )
    assert model.weights["output"][1].max() > 65504
    assert Reader(model).probabilities(images[0]).argmax() == 9
