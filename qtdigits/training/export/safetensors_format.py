"""safetensors files: the arrays by name, and all that is needed to rebuild the network around them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.embedding import unit_rows
from qtdigits.core.network_inspection import features, softmax
from qtdigits.core.network_spec import NetworkSpec
from qtdigits.training.export.formats import FACTS, Exported

Outputs = tuple[NDArray[np.float32], ...]


def write(exported: Exported, path: Path) -> None:
    """Write "block_1.kernel" `(height, width, in, out)`, "dense_1.kernel" `(in, out)`, "….bias" and so on."""
    from safetensors.numpy import save_file

    network = exported.network
    layers = dict(network.weights)
    if network.whitening is not None:
        layers["whitening"] = network.whitening
    arrays = {
        f"{layer}.{part}": np.ascontiguousarray(array)
        for layer, (kernel, bias) in layers.items()
        for part, array in (("kernel", kernel), ("bias", bias))
    }
    save_file(arrays, path, metadata={FACTS: json.dumps(exported.facts, ensure_ascii=False)})


def read(path: Path, images: NDArray[np.uint8]) -> Outputs:
    """The outputs for `(n, 28, 28) uint8` of the network that is rebuilt from the file alone, computed with numpy."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        facts = json.loads(file.metadata()[FACTS])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    layers = {name.partition(".")[0] for name in arrays}
    weights = {name: (arrays[f"{name}.kernel"], arrays[f"{name}.bias"]) for name in layers}
    found = features(NetworkSpec.from_json(facts["network"]), weights, images)
    kernel, bias = weights["output"]
    probabilities = np.stack([softmax(row) for row in found @ kernel + bias])
    if "embedding" not in facts:
        return (probabilities,)
    embedding = unit_rows(found + np.float32(facts["embedding"]["offset"]))
    if "whitening" in weights:
        embedding = unit_rows(embedding @ weights["whitening"][0] + weights["whitening"][1])
    return probabilities, embedding
