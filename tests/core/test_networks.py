"""Network specs: their notation, their arithmetic, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.network_spec import (
    ACTIVATIONS,
    ConvBlock,
    DenseLayer,
    NetworkSpec,
    format_layers,
    parse_blocks,
    parse_dense,
)
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
