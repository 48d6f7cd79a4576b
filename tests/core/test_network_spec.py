"""Network specs: notation, checks, and what each layer costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.network_spec import (
    ACTIVATIONS,
    ConvBlock,
    DenseLayer,
    NetworkSpec,
    cost_of,
    format_layers,
    layers_of,
    parse_blocks,
    parse_dense,
)
from qtdigits.core.recipe_files import load_recipe, recipe_names
from qtdigits.errors import InputError

dropouts = st.sampled_from([0.0, 0.1, 0.25, 0.5])
dense_layers = st.builds(DenseLayer, st.integers(1, 512), st.sampled_from(ACTIVATIONS), dropouts)
conv_blocks = st.builds(
    ConvBlock,
    st.integers(1, 64),
    st.integers(1, 5),
    st.integers(1, 2),
    dropouts,
    st.sampled_from(ACTIVATIONS),
)


@given(st.lists(dense_layers, max_size=4).map(tuple))
def test_that_dense_layers_come_back_from_their_notation(layers: tuple[DenseLayer, ...]) -> None:
    assert parse_dense(format_layers(layers)) == layers


@given(st.lists(conv_blocks, max_size=3).map(tuple))
def test_that_blocks_come_back_from_their_notation(blocks: tuple[ConvBlock, ...]) -> None:
    assert parse_blocks(format_layers(blocks)) == blocks


@given(st.lists(conv_blocks, max_size=2).map(tuple), st.lists(dense_layers, max_size=3).map(tuple))
def test_that_a_spec_comes_back_from_json(
    blocks: tuple[ConvBlock, ...], dense: tuple[DenseLayer, ...]
) -> None:
    spec = NetworkSpec(blocks, dense)
    assert NetworkSpec.from_json(spec.to_json()) == spec


def test_that_the_notation_leaves_out_what_is_usual() -> None:
    assert format_layers((DenseLayer(50), DenseLayer(20, "tanh"))) == "50, 20:tanh"
    assert format_layers((ConvBlock(32), ConvBlock(64, pool=2, dropout=0.25))) == "32:3, 64:3:2:0.25"


def test_that_the_reports_networks_have_the_reports_numbers_of_weights() -> None:
    mlp = NetworkSpec(dense=parse_dense("50, 50"))
    cnn = NetworkSpec(parse_blocks("32:3, 64:3:2:0.25"), parse_dense("256:relu:0.5"))
    assert (mlp.title, mlp.n_parameters(10)) == ("MLP 50-50", 42_310)
    assert (cnn.title, cnn.n_parameters(10)) == ("CNN 32-64 + 256", 2_380_938)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("50, many", "Dense layer 2 .*'many' is not a whole number"),
        ("50:relu:0.5:9", "too many parts"),
        ("50:rellu", "no activation 'rellu'"),
        ("0", "neurons is 0"),
        ("50:relu:1", "dropout is 1.0"),
    ],
)
def test_that_a_dense_layer_that_cannot_be_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        parse_dense(text)


def test_that_blocks_that_leave_nothing_of_the_image_are_refused() -> None:
    with pytest.raises(InputError, match="after convolution block 3"):
        NetworkSpec(parse_blocks("8:3:4, 8:3:4, 8:3"))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"blocks": [], "dense": [{"neurons": 5, "code": "x"}]},
        {"blocks": [], "dense": [], "lambda": 1},
        {"blocks": 3},
    ],
)
def test_that_json_that_is_no_spec_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"[Nn]etwork spec"):
        NetworkSpec.from_json(values)


def test_that_padding_and_normalisation_are_part_of_the_notation() -> None:
    (block,) = parse_blocks("64:3:2:0:relu:same:batch")
    assert (block.padding, block.normalisation) == ("same", "batch")
    assert format_layers((block,)) == "64:3:2:0:relu:same:batch"
    assert block.output_side(28) == 14


@pytest.mark.parametrize(
    ("text", "side"),
    [("8:5:1:0:relu:same:none:2", 14), ("8:5:1:0:relu:valid:none:2", 12), ("8:3:2:0:relu:valid:none:3", 4)],
)
def test_that_a_stride_shrinks_the_image(text: str, side: int) -> None:
    (block,) = parse_blocks(text)
    assert block.output_side(28) == side
    assert format_layers((block,)) == text


@pytest.mark.parametrize("text", ["8:3:1:0:relu:half", "8:3:1:0:relu:same:layer"])
def test_that_unknown_padding_or_normalisation_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="cannot be"):
        parse_blocks(text)


def test_that_a_spec_without_pooling_is_read_as_before() -> None:
    spec = NetworkSpec.from_json({"blocks": [], "dense": [{"neurons": 5}]})
    assert spec.pooling == "flatten"
    averaged = NetworkSpec(parse_blocks("8:3:1:0:relu:same:batch"), (), "average")
    assert NetworkSpec.from_json(averaged.to_json()) == averaged
    assert averaged.n_parameters(10) == (9 + 4) * 8 + (8 + 1) * 10


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
