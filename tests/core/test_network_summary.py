from __future__ import annotations

import pytest

from qtdigits.core.network_spec import NetworkSpec, cost_of, layers_of, parse_blocks, parse_dense
from qtdigits.core.recipe_files import load_recipe, recipe_names


def test_that_layers_of_a_convolutional_network_are_told_with_shape_weights_and_cost():
    spec = NetworkSpec(parse_blocks("32:3, 64:3:2:0.25"), parse_dense("256:relu:0.5"))
    first, second, dense, answer = layers_of(spec, 10)
    assert (first.title, first.details, first.shape_text) == ("Convolution 1", "3×3, relu", "26×26×32")
    assert (first.n_parameters, first.multiply_adds) == (320, 26 * 26 * 9 * 32)
    assert second.details == "3×3, relu, max of 2×2, dropout 0.25"
    assert second.shape == (12, 12, 64)
    assert second.multiply_adds == 24 * 24 * 9 * 32 * 64
    assert (dense.shape, dense.multiply_adds) == ((256,), 9216 * 256)
    assert (answer.title, answer.shape_text, answer.n_parameters) == ("Answer", "10", 2570)


def test_that_strides_and_batch_normalisation_are_told():
    (block, _) = layers_of(NetworkSpec(parse_blocks("16:5:1:0:relu:same:batch:2"), ()), 10)
    assert block.details == "5×5, every 2 px, batch norm, relu"
    assert block.shape == (14, 14, 16)
    assert block.multiply_adds == 14 * 14 * 25 * 16


@pytest.mark.parametrize("name", recipe_names())
def test_that_the_layers_have_all_the_weights_of_the_network(name):
    spec = load_recipe(name).network
    layers = layers_of(spec, 10)
    assert sum(layer.n_parameters for layer in layers) == spec.n_parameters(10)
    assert cost_of(layers) == sum(layer.multiply_adds for layer in layers) > 0
