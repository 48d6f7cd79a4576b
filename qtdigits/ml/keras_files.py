"""Files of Keras's own: `.keras`, and the older HDF5."""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.folding import ReadingNetwork
from qtdigits.core.keras_config import KerasLayer
from qtdigits.core.keras_network import WeightsOf
from qtdigits.core.network_inspection import LEAK
from qtdigits.ml.backend import keras
from qtdigits.ml.models import embedding_of
from qtdigits.ml.networks import build_network
from qtdigits.quiet import quiet
from qtdigits.store.hdf5 import set_attribute

FACTS = "qtdigits"
METADATA_MEMBER = "metadata.json"


def write(network: ReadingNetwork, facts: Mapping[str, Any], path: Path) -> None:
    """Write a Keras model with the outputs "probabilities" and "embedding" in the format of the ending of `path`.

    `facts` go into the metadata of a `.keras` file, or an attribute of the HDF5 file, under "qtdigits".
    """
    n_classes = network.weights["output"][1].shape[0]
    built = build_network(network.spec, n_classes)
    for name, arrays in network.weights.items():
        built.get_layer(name).set_weights(list(arrays))
    outputs = {"probabilities": built.output}
    if network.has_embedding:
        outputs["embedding"] = embedding_of(built, network.whitening, offset=network.offset)
    model = keras.Model(built.input, outputs, name=network.spec.kind)
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that HDF5 is the older format
        model.save(path)
    if path.suffix == ".keras":
        _add_metadata(path, facts)
    else:
        set_attribute(path, FACTS, json.dumps(facts, ensure_ascii=False))


def read(path: Path, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    """The outputs for `(n, 28, 28) uint8` of a file that `write` wrote, loaded by Keras itself. Not for files of others."""
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    found = model((images[..., np.newaxis] / 255.0).astype(np.float32), training=False)
    return tuple(
        np.asarray(found[name], np.float32) for name in ("probabilities", "embedding") if name in found
    )


def chain_of(layers: Sequence[KerasLayer], weights_of: WeightsOf) -> Any:
    """Rebuild an imported chain layer by layer, by constructors written here, to compare our network with it."""
    made = [_constructed(layer) for layer in layers]
    network = keras.Sequential(made)
    if not network.built:
        network.build((None, *layers[0].settings["batch_input_shape"][1:]))
    for layer, one in zip(layers, made, strict=True):
        if not isinstance(one, keras.KerasTensor) and getattr(one, "weights", None):
            one.set_weights(list(weights_of(layer)))
    return network


_CONSTRUCTED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "Dense": (keras.layers.Dense, ("units", "activation", "use_bias")),
    "Conv2D": (
        keras.layers.Conv2D,
        ("filters", "kernel_size", "strides", "padding", "activation", "use_bias"),
    ),
    "MaxPooling2D": (keras.layers.MaxPooling2D, ("pool_size", "strides", "padding")),
    "BatchNormalization": (keras.layers.BatchNormalization, ("epsilon", "center", "scale")),
    "Rescaling": (keras.layers.Rescaling, ("scale", "offset")),
    "Reshape": (keras.layers.Reshape, ("target_shape",)),
    "Activation": (keras.layers.Activation, ("activation",)),
    "LeakyReLU": (partial(keras.layers.LeakyReLU, negative_slope=LEAK), ()),
    "Dropout": (partial(keras.layers.Dropout, 0.0), ()),
    "SpatialDropout2D": (partial(keras.layers.Dropout, 0.0), ()),
    "Flatten": (keras.layers.Flatten, ()),
    "GlobalAveragePooling2D": (keras.layers.GlobalAveragePooling2D, ()),
    "ReLU": (keras.layers.ReLU, ()),
    "ELU": (keras.layers.ELU, ()),
    "Softmax": (keras.layers.Softmax, ()),
}
"""The settings of a layer that change its answers; all were checked before."""


def _constructed(layer: KerasLayer) -> Any:
    given = layer.settings
    if layer.kind == "InputLayer":
        return keras.Input(tuple(given.get("batch_shape", given.get("batch_input_shape"))[1:]))
    constructor, names = _CONSTRUCTED[layer.kind]
    return constructor(**{name: given[name] for name in names if given.get(name) is not None})


def _add_metadata(path: Path, facts: Mapping[str, Any]) -> None:
    """Keras stores its members uncompressed; so does this."""
    part = path.with_suffix(".part")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(part, "w") as made:
        for member in given.infolist():
            content = given.read(member)
            if member.filename == METADATA_MEMBER:
                values = {**json.loads(content), FACTS: dict(facts)}
                content = json.dumps(values, ensure_ascii=False).encode()
            made.writestr(member, content)
    shutil.move(part, path)
