from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.network_inspection import layer_names, layer_outputs
from qtdigits.core.network_spec import ACTIVATIONS, NetworkSpec, parse_blocks, parse_dense
from qtdigits.ml.backend import keras
from qtdigits.ml.networks import build_network

NETWORKS = {
    "same padding, strides, batch normalisation": NetworkSpec(
        parse_blocks("3:4:1:0:relu:same:batch:2, 4:5:2:0.3:relu:same:none:3"), parse_dense("6:tanh:0.5")
    ),
    "valid padding, strides, pooling that leaves a rest": NetworkSpec(
        parse_blocks("3:4:3:0:relu:valid:batch:2, 2:2"), parse_dense("5"), "average"
    ),
    "every activation, convolved": NetworkSpec(
        parse_blocks(", ".join(f"2:1:1:0:{name}" for name in ACTIVATIONS)), (), "average"
    ),
    "every activation, dense": NetworkSpec((), parse_dense(", ".join(f"7:{name}" for name in ACTIVATIONS))),
}


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_that_every_layer_puts_out_what_keras_says(spec):
    rng = np.random.default_rng(5)
    network = build_network(spec, 4)
    network.set_weights(
        [rng.uniform(0.2, 1.0, w.shape) * rng.choice([-1, 1], w.shape) for w in network.get_weights()]
    )
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(np.abs(layer.moving_variance))
    weights = {layer.name: tuple(map(np.asarray, layer.get_weights())) for layer in network.layers}
    raster = rng.integers(0, 256, (28, 28), np.uint8)
    image = (raster[np.newaxis, ..., np.newaxis] / 255).astype(np.float32)

    for found in layer_outputs(spec, weights, raster):
        last = [layer for layer in network.layers if f"{layer.name}_".startswith(f"{found.name}_")][-1]
        expected = np.asarray(keras.Model(network.input, last.output)(image, training=False))[0]
        np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-5, err_msg=found.name)
    assert [found.name for found in layer_outputs(spec, weights, raster)] == list(layer_names(spec))
