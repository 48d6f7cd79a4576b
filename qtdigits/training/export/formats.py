"""The formats that a model can be exported to, and what an exported file says about itself. Loads no library of any format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtdigits.core.folding import ReadingNetwork
from qtdigits.core.model import Model
from qtdigits.errors import InputError
from qtdigits.version import __version__

FACTS = "qtdigits"
"""The key of what a file says about itself, JSON, where its format has keys for such things."""


@dataclass(frozen=True)
class Format:
    """`packages` are those that the optional extra `export` installs."""

    name: str
    suffix: str
    title: str
    packages: tuple[str, ...] = ()


FORMATS = (
    Format("onnx", ".onnx", "ONNX", ("onnx", "onnxruntime")),
    Format("litert", ".tflite", "LiteRT"),
    Format("keras", ".keras", "Keras"),
    Format("h5", ".h5", "Keras, HDF5"),
    Format("safetensors", ".safetensors", "safetensors", ("safetensors",)),
)
FORMAT_NAMES = tuple(one.name for one in FORMATS)


@dataclass(frozen=True, eq=False)
class Exported:
    """A model on its way into a file: it was loaded with its weights."""

    model: Model
    network: ReadingNetwork

    @property
    def facts(self) -> dict[str, Any]:
        """Everything that the file says about itself, as JSON."""
        model, network = self.model, self.network
        return {
            "program": f"QtDigits {__version__}",
            "name": model.name,
            "classes": list(model.label_set.labels),
            "label_set": model.label_set.to_json(),
            "input": "image, (n, 28, 28, 1) float32: 0 is paper, 1 is ink (ink 255 divided by 255)",
            "outputs": _outputs(network),
            "preprocessing": {"version": model.preprocessing_version, "rule": PREPROCESSING},
            "not_sure_below": model.undecided_below,
            "figures": {name: _figures(score) for name, score in model.scores.items()},
            "network": network.spec.to_json(),
            "weights": "as the model reads: batch normalisation folded in, rounded as its LiteRT program stores them",
            **_embedding(network),
            "recipe": model.recipe.to_json(),
            "provenance": dict(model.provenance),
        }


PREPROCESSING = (
    "MNIST's: the ink is scaled into a box of 20x20 pixels with its aspect kept and placed in 28x28 by its centre of mass; "
    "light ink on dark paper, ink 255"
)


def format_of(path: Path, name: str = "") -> Format:
    """Return the format `name`, or the one that the ending of `path` stands for. Raises `InputError` with those there are."""
    for one in FORMATS:
        if one.name == name or (not name and one.suffix == path.suffix.lower()):
            return one
    wrong = f"There is no format {name!r}." if name else f"The ending of {path.name} stands for no format."
    endings = ", ".join(f"{one.name} ({one.suffix})" for one in FORMATS)
    raise InputError(wrong, f"Choose one of {endings}.")


def _outputs(network: ReadingNetwork) -> dict[str, str]:
    outputs = {"probabilities": "(n, classes) float32, calibrated, in the order of the classes"}
    if network.has_embedding:
        outputs["embedding"] = "(n, d) float32 of unit length; drawings that look alike have a high cosine"
    return outputs


def _embedding(network: ReadingNetwork) -> dict[str, Any]:
    if not network.has_embedding:
        return {}
    steps = ["output of the layer before “output”", "plus offset", "unit length"]
    steps += ["layer “whitening”", "unit length"] if network.whitening is not None else []
    return {"embedding": {"offset": network.offset, "steps": steps}}


def _figures(score: Any) -> dict[str, Any]:
    return {key: score[key] for key in ("n", "correct", "accuracy", "interval") if key in score}
