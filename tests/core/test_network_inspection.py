"""Layer outputs in numpy, and occlusion."""

from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.network_inspection import (
    SIDE_PX,
    WITH,
    WITHOUT,
    first_filters,
    heat_map,
    layer_names,
    layer_outputs,
    occlude,
)
from qtdigits.core.network_spec import NetworkSpec, parse_blocks, parse_dense
from qtdigits.errors import InputError
from qtdigits.paths import shipped_models_dir
from qtdigits.store.model_files import load_model

ONE_FILTER = NetworkSpec(parse_blocks("1:3"), ())


def edge_weights():
    """One filter that answers to the left edges of strokes, and an output that does not care."""
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[:, 0], kernel[:, 2] = -1, 1
    return {
        "block_1": (kernel, np.zeros(1, np.float32)),
        "output": (np.zeros((26 * 26, 10), np.float32), np.zeros(10, np.float32)),
    }


def upright_stroke():
    raster = np.zeros((28, 28), np.uint8)
    raster[4:24, 12:16] = 255
    return raster


@pytest.mark.parametrize("name", ["default", "cnn-32-64", "mlp-50-50"])
def test_that_the_last_layer_of_a_shipped_model_gives_its_golden_answers(name):
    model = load_model(shipped_models_dir() / f"{name}.h5")
    for image, expected in zip(model.golden.images, model.golden.probabilities, strict=True):
        last = layer_outputs(model.network, model.weights, image)[-1]
        assert last.name == "output"
        np.testing.assert_allclose(last.values, expected, rtol=0, atol=1e-5)


def test_that_a_filter_for_left_edges_answers_where_they_are_and_nowhere_else():
    (block, _) = layer_outputs(ONE_FILTER, edge_weights(), upright_stroke())
    answers = block.values[..., 0]
    assert answers.shape == (26, 26)
    rows, columns = np.nonzero(answers)
    # the middle of the filter is at +1: columns 10 and 11 of the map look at 11 and 12 of the image
    assert set(columns.tolist()) == {10, 11}
    assert answers.max() == pytest.approx(3.0)
    assert rows.min() == 2
    assert rows.max() == 23


def test_that_it_goes_no_further_than_it_is_asked_to():
    weights = edge_weights()
    del weights["output"]
    found = layer_outputs(ONE_FILTER, weights, upright_stroke(), upto="block_1")
    assert [layer.name for layer in found] == ["block_1"]


def test_that_layers_are_named_as_in_model_files():
    spec = NetworkSpec(parse_blocks("2:3, 2:3"), parse_dense("5"))
    assert layer_names(spec) == ("block_1", "block_2", "dense_1", "output")


def test_that_the_filters_of_a_perceptron_are_pictures_of_the_whole_drawing():
    spec = NetworkSpec((), parse_dense("3"))
    kernel = np.arange(784 * 3, dtype=np.float32).reshape(784, 3)
    filters = first_filters(spec, {"dense_1": (kernel, np.zeros(3, np.float32))})
    assert filters.shape == (3, 28, 28)
    assert filters[1, 0, 1] == kernel[1, 1]
    assert filters[2, 1, 0] == kernel[28, 2]


@pytest.mark.parametrize("missing", ["block_1", "output"])
def test_that_weights_of_another_network_are_refused(missing):
    weights = edge_weights()
    del weights[missing]
    with pytest.raises(InputError, match="not those of this network"):
        layer_outputs(ONE_FILTER, weights, upright_stroke())


def test_that_weights_of_the_wrong_shape_are_refused():
    weights = edge_weights() | {"output": (np.zeros((5, 10), np.float32), np.zeros(10, np.float32))}
    with pytest.raises(InputError, match="not those of this network"):
        layer_outputs(ONE_FILTER, weights, upright_stroke())


def drawing():
    raster = np.zeros((28, 28), np.uint8)
    raster[6:22, 13:15] = 200
    return raster


def brightness(images):
    """A reader of one class that is as sure as there is ink in the upper half."""
    return images[:, :14].sum(axis=(1, 2)) / np.float32(14 * 28 * 255)


def heat(ink):
    raster = drawing()
    under = occlude(raster, ink=ink)
    return heat_map(under.corners, brightness(under.images), float(brightness(raster[np.newaxis])[0]))


@pytest.mark.parametrize("ink", [WITHOUT, WITH])
def test_that_every_image_is_the_drawing_with_one_patch(ink):
    raster = drawing()
    found = occlude(raster, ink=ink)
    for image, (row, column) in zip(found.images, found.corners, strict=True):
        patch = np.s_[row : row + SIDE_PX, column : column + SIDE_PX]
        assert (image[patch] == ink).all()
        outside = image.copy()
        outside[patch] = raster[patch]
        assert (outside == raster).all()


def test_that_patches_that_take_nothing_away_are_not_read():
    found = occlude(drawing(), ink=WITHOUT)
    reached = [(r, c) for r, c in found.corners if r + SIDE_PX > 6 and r < 22 and c + SIDE_PX > 13 and c < 15]
    assert 0 < len(found.corners) == len(reached)
    assert not len(occlude(np.zeros((28, 28), np.uint8), ink=WITHOUT).images)


def test_that_patches_reach_every_pixel():
    assert len(occlude(np.zeros((28, 28), np.uint8), ink=WITH).corners) == len(
        occlude(drawing(), ink=WITH).corners
    )
    assert (heat(WITH)[:14] < 0).all()


def test_that_heat_is_where_the_answer_hangs_on_ink():
    found = heat(WITHOUT)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert row < 14
    assert column in (13, 14)
    assert (found[14 + SIDE_PX :] == 0).all()
    assert (found[:, :8] == 0).all()


def test_that_a_pixel_has_the_mean_of_the_patches_over_it():
    corners = np.array([[0, 0], [0, 2]])
    found = heat_map(corners, np.array([0.4, 0.8], np.float32), 0.9)
    # only one patch begins in the corner, and its pixel is covered by no other
    assert found[0, 0] == pytest.approx(0.5)
    # both of these cover it, and a third that would have changed nothing
    assert found[0, 4] == pytest.approx((0.5 + 0.1 + 0.0) / 3)


def test_that_what_speaks_against_the_answer_is_cold():
    found = heat_map(np.array([[10, 10]]), np.array([0.9], np.float32), 0.5)
    assert found.min() < 0
    assert found.max() == 0
