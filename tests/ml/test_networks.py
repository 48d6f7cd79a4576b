"""Keras networks are what their specs say, and learn by every optimizer, schedule and loss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qtdigits.core.network_spec import ACTIVATIONS, NetworkSpec, parse_blocks, parse_dense
from qtdigits.core.recipe import LOSSES, OPTIMIZERS, recipe_of
from qtdigits.core.recipe_files import load_recipe
from qtdigits.ml.backend import keras
from qtdigits.ml.networks import OneCycle, build_network, compile_network, probabilities


@pytest.mark.parametrize(
    ("blocks", "dense"),
    [
        ("", ""),
        ("", "50, 50"),
        ("32:3, 64:3:2:0.25", "256:relu:0.5"),
        ("4:5:2, 6:2:1:0.1:tanh", ""),
        ("2:3", "5:elu:0.3, 4"),
        ("4:5:1:0:relu:same:batch:2, 6:3:2:0:relu:valid:batch, 3:3:1:0:relu:same:none:3", "7"),
    ],
)
@pytest.mark.parametrize("n_classes", [2, 10, 36])
def test_that_a_network_has_the_weights_of_its_spec(blocks: str, dense: str, n_classes: int) -> None:
    spec = NetworkSpec(parse_blocks(blocks), parse_dense(dense))
    network = build_network(spec, n_classes)
    assert network.count_params() == spec.n_parameters(n_classes)
    assert network.output_shape == (None, n_classes)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_that_every_activation_gives_probabilities(activation: str) -> None:
    spec = NetworkSpec(parse_blocks(f"2:3:2:0:{activation}"), parse_dense(f"8:{activation}"))
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    found = probabilities(build_network(spec, 10), images)
    assert found.shape == (3, 10)
    assert found.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_that_every_optimizer_takes_a_step_on_every_loss(optimizer: str, loss: str) -> None:
    recipe = recipe_of({"dense": "4", "optimizer": optimizer, "loss": loss})
    network = build_network(recipe.network, 10)
    compile_network(network, recipe, steps_per_epoch=10)
    network.run_eagerly = True
    before = network.get_weights()
    images = np.random.default_rng(0).random((8, 28, 28, 1), np.float32)
    value = network.train_on_batch(images, np.eye(10, dtype=np.float32)[:8])[0]
    assert math.isfinite(value)
    assert any(not np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


def test_that_a_learning_rate_of_zero_means_the_optimizers_own() -> None:
    for given, expected in ((0.0, 0.001), (0.25, 0.25)):
        recipe = recipe_of({"optimizer": "adam", "learning_rate": given})
        network = build_network(recipe.network, 10)
        compile_network(network, recipe, steps_per_epoch=10)
        assert float(network.optimizer.learning_rate) == pytest.approx(expected)


def test_that_the_layers_are_named_by_their_place() -> None:
    network = build_network(load_recipe("cnn-32-64").network, 10)
    assert [layer.name for layer in network.layers if layer.weights] == [
        "block_1",
        "block_2",
        "dense_1",
        "output",
    ]
    assert network.get_layer("block_2_dropout").rate == 0.25
    assert isinstance(network.get_layer("block_2_pool"), keras.layers.MaxPooling2D)


def test_that_an_extension_begins_at_a_tenth_and_leaves_what_was_before_as_it_was() -> None:
    plain, extended = (
        OneCycle(0.01, steps=100),
        OneCycle(0.01, steps=100, extensions=[(100, 150), (150, 160)]),
    )
    rates = np.array([float(extended(step)) for step in range(161)])
    assert rates[:100].tolist() == [float(plain(step)) for step in range(100)]
    np.testing.assert_allclose(rates[[100, 125, 150, 155]], [0.001, 0.0005, 0.001, 0.0005], rtol=1e-5)
    assert 0 < rates[149] < 0.0001
    assert 0 < rates[160] < 0.0001


def test_that_a_run_extended_before_its_plan_was_over_leaves_the_plan() -> None:
    rates = [float(OneCycle(0.01, steps=100, extensions=[(50, 60)])(step)) for step in (49, 50, 60)]
    np.testing.assert_allclose(rates, [0.01 * 0.51 / 0.85, 0.001, 0.00002], rtol=1e-5)


def test_that_the_rate_rises_to_its_value_and_falls_to_nearly_nothing() -> None:
    schedule = OneCycle(0.01, steps=100)
    rates = np.array([float(schedule(step)) for step in range(101)])
    top = int(rates.argmax())
    assert 14 <= top <= 16
    assert rates[top] <= 0.01 + 1e-9
    assert rates[0] < 0.002
    assert rates[-1] < 0.0001
    assert (np.diff(rates[:top]) > 0).all()
    assert (np.diff(rates[top:]) <= 0).all()
