"""The layers that a Keras model's configuration lists, read by ourselves: an allow-list, no code from the file.

Keras would build whatever class a configuration names. Here it is data: the layers of one chain from image to answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from qtdigits.errors import InputError

MOST_LAYERS = 128
ALLOWED = frozenset(
    {
        "InputLayer",
        "Rescaling",
        "Reshape",
        "Flatten",
        "Conv2D",
        "Dense",
        "MaxPooling2D",
        "GlobalAveragePooling2D",
        "BatchNormalization",
        "Dropout",
        "SpatialDropout2D",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "Softmax",
    }
)
REMEDY = "Networks of Dense, Conv2D, MaxPooling2D, BatchNormalization, Dropout, Flatten and Rescaling can be imported."


@dataclass(frozen=True)
class KerasLayer:
    """A layer in a chain. `place` counts the layers of its class in the configuration from 0, as files of weights do."""

    kind: str
    name: str
    settings: Mapping[str, Any]
    place: int

    def refuse(self, why: str) -> NoReturn:
        """Raise the `InputError` that names this layer; `why` is a clause about it."""
        raise InputError(f"The layer {self.name!r} ({self.kind}) {why}.", REMEDY)

    def require(self, setting: str, *allowed: object) -> None:
        """Refuse the layer unless the setting is missing or one of these values."""
        value = self.settings.get(setting, allowed[0])
        if value not in allowed:
            self.refuse(f"has {setting} = {value!r}")

    def whole(self, setting: str, most: int) -> int:
        """Return a setting that is a whole number, or a pair of equal ones."""
        value = self.settings.get(setting)
        if isinstance(value, list) and value and all(part == value[0] for part in value):
            value = value[0]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            self.refuse(f"has {setting} = {value!r}")
        return value

    def number(self, setting: str, default: float) -> float:
        value = self.settings.get(setting, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(f"has {setting} = {value!r}")
        return float(value)


def layers_in(config: Mapping[str, Any]) -> tuple[KerasLayer, ...]:
    """Return the layers of a Sequential model, or of a functional one that is a chain, in order.

    Raises `InputError` that names the layer that is not allowed.
    """
    try:
        kind, inner = config["class_name"], config["config"]
        listed = inner if isinstance(inner, list) else inner["layers"]
        if kind not in {"Sequential", "Functional", "Model"}:
            raise InputError(f"It is a {kind}, not a Sequential or a functional model.", REMEDY)
        if len(listed) > MOST_LAYERS:
            raise InputError(f"It has {len(listed)} layers, more than {MOST_LAYERS}.", REMEDY)
        if kind != "Sequential":
            names = _chain(inner, {_name_of(layer): layer for layer in listed})
            return tuple(layer for layer in _layers(listed, names) if layer.name in names)
        return tuple(_layers(listed, [_name_of(layer) for layer in listed]))
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise InputError("Its configuration does not have the form of a Keras model.", REMEDY) from error


def _layers(listed: Sequence[Mapping[str, Any]], wanted: Sequence[str]) -> list[KerasLayer]:
    """Return the wanted layers, counted among all that are listed."""
    count: dict[str, int] = {}
    found: dict[str, KerasLayer] = {}
    for layer in listed:
        kind, name = str(layer["class_name"]), _name_of(layer)
        if name in wanted:
            found[name] = made = KerasLayer(kind, name, dict(layer["config"]), count.get(kind, 0))
            if kind not in ALLOWED or layer.get("registered_name") not in {None, kind}:
                made.refuse("is not allowed")
        count[kind] = count.get(kind, 0) + 1
    return [found[name] for name in wanted]


def _name_of(layer: Mapping[str, Any]) -> str:
    return str(layer["config"].get("name") or layer.get("name") or layer["class_name"])


def _chain(inner: Mapping[str, Any], layers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names from the input to the output of the probabilities."""
    outputs = inner["output_layers"]
    if isinstance(outputs, dict):
        outputs = [outputs["probabilities"]] if "probabilities" in outputs else list(outputs.values())
    elif outputs and isinstance(outputs[0], str):
        outputs = [outputs]
    if len(outputs) != 1:
        raise InputError(f"It has {len(outputs)} outputs, not one.", REMEDY)
    name, names = outputs[0][0], []
    while True:
        if name in names:
            raise InputError("Its layers go round in a circle.", REMEDY)
        names.append(name)
        before = _inputs_of(layers[name])
        if not before:
            return names[::-1]
        if len(before) > 1:
            raise InputError(f"The layer {name!r} has {len(before)} inputs, not one.", REMEDY)
        name = before[0]


def _inputs_of(layer: Mapping[str, Any]) -> list[str]:
    """Return what a layer is applied to, as Keras 3 or Keras 2 writes it."""
    nodes = layer.get("inbound_nodes") or []
    if len(nodes) > 1:
        raise InputError(f"The layer {_name_of(layer)!r} is used {len(nodes)} times.", REMEDY)
    if not nodes:
        return []
    if isinstance(nodes[0], dict):
        given = nodes[0]["args"]
        tensors = given[0] if isinstance(given[0], list) else given
        return [str(tensor["config"]["keras_history"][0]) for tensor in tensors]
    return [str(tensor[0]) for tensor in nodes[0]]
