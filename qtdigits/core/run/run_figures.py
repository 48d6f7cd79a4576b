"""A run in a few figures, and what several runs do differently."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from qtdigits.core.recipe.recipe_fields import FIELD_BY_NAME, Value
from qtdigits.core.run.history import History


@dataclass(frozen=True)
class RunFigures:
    """What a list of runs says of one. `val_…` and `hold_out_accuracy` are those of the best epoch, None where nobody knows.

    `scores`: the name of a set → (accuracy, number of drawings), of the model that came out. `data`: what was trained on by
    source, as in `RunStarted`. `message`: why there is no model. `steps_per_epoch`: 0 where nobody knows. `data_sha256`:
    `DataMark.fingerprint`, and `digests` the SHA-256 of each source, both as soon as the data was read.
    """

    epochs: int = 0
    best_epoch: int = 0
    val_loss: float | None = None
    val_accuracy: float | None = None
    hold_out_accuracy: float | None = None
    elapsed_s: float = 0.0
    scores: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    data: Mapping[str, int] = field(default_factory=dict)
    n_parameters: int = 0
    message: str = ""
    steps_per_epoch: int = 0
    data_sha256: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunFigures:
        """The inverse of `to_json`; what a newer version has added is ignored.

        Raises `TypeError` or `ValueError` for another form.
        """
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        scores = {name: (float(a), int(n)) for name, (a, n) in known.pop("scores", {}).items()}
        return cls(**known, scores=scores)


def figures_of(history: History, scores: Mapping[str, Mapping[str, Any]] | None = None) -> RunFigures:
    """`scores` as in `RunFinished`."""
    epochs = history.epochs
    found = np.flatnonzero(epochs["epoch"] == history.best_epoch)

    def of_best(name: str) -> float | None:
        return _known(epochs[name][found[0]]) if len(found) else None

    ends = [*history.batches["elapsed_s"][-1:], *epochs["elapsed_s"][-1:], 0.0]
    return RunFigures(
        epochs=len(epochs),
        best_epoch=history.best_epoch,
        val_loss=of_best("val_loss"),
        val_accuracy=of_best("val_accuracy"),
        hold_out_accuracy=of_best("hold_out_accuracy"),
        elapsed_s=float(max(ends)),
        scores={
            name: (float(score["accuracy"]), int(score["n"]))
            for name, score in (scores or {}).items()
            if score.get("n")
        },
    )


def recipe_values(recipe: Mapping[str, Any]) -> dict[str, Value]:
    """All fields of a recipe that was written down, by whatever version; what it does not have is at its default."""
    return {"name": str(recipe.get("name", ""))} | {
        name: recipe.get(name, known.default) for name, known in FIELD_BY_NAME.items()
    }


def differing(recipes: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Value, ...]]:
    """The fields in which recipes are not all alike, each with the value of every recipe."""
    tables = [recipe_values(recipe) for recipe in recipes]
    columns = {name: tuple(table[name] for table in tables) for name in (tables[0] if tables else {})}
    return {name: values for name, values in columns.items() if len(set(values)) > 1}


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
