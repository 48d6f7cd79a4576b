"""ONNX files, written node by node from the network spec: converters write invalid files for some activations."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.network_inspection import LEAK, SELU_ALPHA, SELU_SCALE
from qtdigits.core.network_spec import INPUT_SIDE, ConvBlock
from qtdigits.training.export.formats import FACTS, Exported
from qtdigits.version import __version__

OPSET = 17
IR_VERSION = 8
"""Versions that runtimes since 2022 read."""

Outputs = tuple[NDArray[np.float32], ...]
_SIMPLE: dict[str, tuple[str, dict[str, float]]] = {
    "relu": ("Relu", {}),
    "elu": ("Elu", {"alpha": 1.0}),
    "leaky_relu": ("LeakyRelu", {"alpha": LEAK}),
    "selu": ("Selu", {"alpha": SELU_ALPHA, "gamma": SELU_SCALE}),
    "sigmoid": ("Sigmoid", {}),
    "softplus": ("Softplus", {}),
    "tanh": ("Tanh", {}),
}


def write(exported: Exported, path: Path) -> None:
    """Write the network with both outputs; `onnx.checker` has seen it."""
    import onnx

    graph = _Graph(exported)
    model = onnx.helper.make_model(
        graph.finished(),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="QtDigits",
        producer_version=__version__,
        doc_string=f"{exported.model.name}: {exported.network.spec.title}",
    )
    onnx.helper.set_model_props(model, {FACTS: json.dumps(exported.facts, ensure_ascii=False)})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def read(path: Path, images: NDArray[np.uint8]) -> Outputs:
    """The outputs of the file for `(n, 28, 28) uint8`, from onnxruntime."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    given = (images / np.float32(255.0))[..., np.newaxis]
    return tuple(session.run(None, {session.get_inputs()[0].name: given}))


class _Graph:
    """The nodes and constants of a network; each method adds some and returns the name of what comes out."""

    def __init__(self, exported: Exported) -> None:
        self._exported = exported
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._numbers = count(1)

    def finished(self) -> Any:
        from onnx import TensorProto, helper

        network = self._exported.network
        flow = self._flattened(self._convolved())
        for number, layer in enumerate(network.spec.dense, 1):
            flow = self._active(self._dense(flow, f"dense_{number}"), layer.activation)
        self._add("Softmax", self._dense(flow, "output"), to="probabilities", axis=-1)
        n_classes = len(self._exported.model.label_set)
        outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", n_classes])]
        if network.has_embedding:
            size = self._embedding(flow)
            outputs.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", size]))
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", INPUT_SIDE, INPUT_SIDE, 1])
        return helper.make_graph(self._nodes, "qtdigits", [image], outputs, self._constants)

    def _convolved(self) -> str:
        """ONNX has the channels first, `(n, channels, side, side)`."""
        flow, side = self._add("Transpose", "image", perm=[0, 3, 1, 2]), INPUT_SIDE
        for number, block in enumerate(self._exported.network.spec.blocks, 1):
            kernel, bias = self._exported.network.weights[name := f"block_{number}"]
            constants = (
                self._constant(kernel.transpose(3, 2, 0, 1), f"{name}.kernel"),
                self._constant(bias, f"{name}.bias"),
            )
            flow = self._add("Conv", flow, *constants, strides=[block.stride] * 2, pads=_pads(block, side))
            flow = self._active(flow, block.activation)
            if block.pool > 1:
                flow = self._add("MaxPool", flow, kernel_shape=[block.pool] * 2, strides=[block.pool] * 2)
            side = block.output_side(side)
        return flow

    def _flattened(self, flow: str) -> str:
        if self._exported.network.spec.pooling == "average":
            flow = self._add("GlobalAveragePool", flow)
        return self._add("Flatten", self._add("Transpose", flow, perm=[0, 2, 3, 1]))

    def _dense(self, flow: str, name: str) -> str:
        kernel, bias = self._exported.network.weights[name]
        return self._affine(flow, kernel, bias, name)

    def _affine(self, flow: str, kernel: NDArray[np.float32], bias: NDArray[np.float32], name: str) -> str:
        return self._add(
            "Gemm", flow, self._constant(kernel, f"{name}.kernel"), self._constant(bias, f"{name}.bias")
        )

    def _embedding(self, flow: str) -> int:
        """Add the output "embedding" and return its size."""
        features = self._add(
            "Add", flow, self._constant(np.array([self._exported.network.offset]), "no_features")
        )
        whitening = self._exported.network.whitening
        if whitening is None:
            self._add("LpNormalization", features, to="embedding", axis=-1, p=2)
            return int(self._exported.network.weights["output"][0].shape[0])
        unit = self._add("LpNormalization", features, axis=-1, p=2)
        whitened = self._affine(unit, *whitening, name="whitening")
        self._add("LpNormalization", whitened, to="embedding", axis=-1, p=2)
        return int(whitening[1].shape[0])

    def _active(self, flow: str, activation: str) -> str:
        if activation == "linear":
            return flow
        if activation == "silu":
            return self._add("Mul", flow, self._add("Sigmoid", flow))
        if activation == "gelu":  # exact: x/2 (1 + erf(x / √2)); ONNX has a node for it only since opset 20
            half = self._add("Mul", flow, self._constant(np.array([0.5]), "half"))
            scaled = self._add("Mul", flow, self._constant(np.array([np.sqrt(0.5)]), "root_of_half"))
            raised = self._add("Add", self._add("Erf", scaled), self._constant(np.array([1.0]), "one"))
            return self._add("Mul", half, raised)
        node, settings = _SIMPLE[activation]
        return self._add(node, flow, **dict[str, Any](settings))

    def _add(self, node: str, *inputs: str, to: str = "", **settings: Any) -> str:
        from onnx import helper

        name = to or f"{node.lower()}_{next(self._numbers)}"
        self._nodes.append(helper.make_node(node, list(inputs), [name], name=name, **settings))
        return name

    def _constant(self, values: NDArray[Any], name: str) -> str:
        from onnx import numpy_helper

        if name not in {known.name for known in self._constants}:
            array = np.ascontiguousarray(values, np.float32)
            self._constants.append(numpy_helper.from_array(array, name))
        return name


def _pads(block: ConvBlock, side: int) -> list[int]:
    """As TensorFlow pads: where the number of zeros is odd, there is one more after."""
    if block.padding == "valid":
        return [0, 0, 0, 0]
    total = max((block.convolved_side(side) - 1) * block.stride + block.kernel - side, 0)
    return [total // 2, total // 2, total - total // 2, total - total // 2]
