"""A model as a value: everything that a model file holds, without any library's objects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.network_spec import NetworkSpec
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.history import History
from qtdigits.errors import InputError

LayerWeights = tuple[NDArray[np.float32], ...]

NO_MEANS = np.empty((0, 0), np.float32)

GOLDEN_TOLERANCE = 1e-2
"""The largest difference of a probability from the golden one.

LiteRT folds batch normalisation into weights that are rounded to half precision. Measured: 3e-4 at most for most models, but
up to 2e-3 on noise for a network that was taught to be unsure of it and then sharpened by its temperature.
"""


@dataclass(frozen=True, eq=False)
class Golden:
    """Some inputs `(n, 28, 28) uint8` and the probabilities `(n, k) float32` that the model must give for them."""

    images: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    def agrees_with(self, probabilities: NDArray[np.float32]) -> bool:
        """Whether `(n, k)` probabilities are the golden ones, within `GOLDEN_TOLERANCE` each; NaN and other shapes are not."""
        expected = self.probabilities
        if expected.shape != np.shape(probabilities):
            return False
        return bool(np.allclose(expected, probabilities, rtol=0, atol=GOLDEN_TOLERANCE))


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model.

    `weights` maps the name of each layer to its arrays, in the order of the layers. It is empty when only reading was
    asked for. `flatbuffer` is the LiteRT program, empty where none may be run: then the weights are computed with.
    `scores` maps a set's name to a `Score.to_json()`. `provenance` says what it was trained on and with. A reading whose
    highest probability is below `undecided_below`, or that is less similar to each of the `class_means`, `(k, d)`
    embeddings, than `unlike_below`, is "not sure" (0: none is). `path` is None until the model is
    stored. Raises `InputError` for thresholds that are not from 0 to 1, and for another number of means than of classes.
    """

    name: str
    network: NetworkSpec
    recipe: Recipe
    label_set: LabelSet
    weights: Mapping[str, LayerWeights]
    flatbuffer: bytes
    golden: Golden
    preprocessing_version: int
    history: History = field(default_factory=History)
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    undecided_below: float = 0.0
    unlike_below: float = 0.0
    class_means: NDArray[np.float32] = field(default_factory=lambda: NO_MEANS)

    def __post_init__(self) -> None:
        for threshold in (self.undecided_below, self.unlike_below):
            if not 0.0 <= threshold <= 1.0:
                raise InputError(f"A reading cannot be undecided below {threshold}; it must be from 0 to 1.")
        if len(self.class_means) != (len(self.label_set) if self.unlike_below else 0):
            raise InputError(
                f"A model of {len(self.label_set)} classes cannot have the means of {len(self.class_means)}."
            )

    @property
    def created_at(self) -> datetime | None:
        """When it was trained, None if unknown."""
        text = self.provenance.get("created_at")
        moment = datetime.fromisoformat(text) if text else None
        return moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment

    @property
    def last_learned_sample(self) -> int | None:
        """The id of the last stored drawing that it may have been trained on, None if unknown."""
        last = self._drawings.get("last_sample")
        return last if isinstance(last, int) else None

    @property
    def scored_writer(self) -> str:
        """Whose hold-out it was scored on, "" if unknown."""
        return str(self._drawings.get("writer") or "")

    @property
    def _drawings(self) -> Mapping[str, Any]:
        drawings = self.provenance.get("drawings")
        return drawings if isinstance(drawings, Mapping) else {}

    @property
    def has_learned_from_stored(self) -> bool:
        """Whether its provenance names stored drawings, so that its score on those means little."""
        sources = self.provenance.get("sources") or ()
        return self.last_learned_sample is not None or any(s.get("name") == "drawings" for s in sources)

    @property
    def weights_sha256(self) -> str:
        """A digest over the weight arrays alone, in layer order: equal weights have equal digests. See docs/model-file.md."""
        digest = hashlib.sha256()
        for arrays in self.weights.values():
            for array in arrays:
                plain = np.ascontiguousarray(array, "<f4")
                digest.update(f"{array.shape}{plain.dtype.str}".encode())
                digest.update(plain.tobytes())
        return digest.hexdigest()

    def with_program(self, flatbuffer: bytes) -> Model:
        """Return this model with another LiteRT program; without one, there is no embedding to compare with `class_means`."""
        if flatbuffer:
            return replace(self, flatbuffer=flatbuffer)
        return replace(self, flatbuffer=b"", unlike_below=0.0, class_means=NO_MEANS)

    def stored_at(self, path: Path) -> Model:
        return replace(self, path=path)
