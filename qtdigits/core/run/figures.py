"""A run in a few figures, the fields in which runs differ, and the time that a recipe will take on this machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from qtdigits.core.drawing.samples import DRAWINGS, MNIST_TEST, MY_HOLD_OUT, VALIDATION
from qtdigits.core.network_spec import cost_of, layers_of
from qtdigits.core.recipe import FIELD_BY_NAME, INVENTED_DRAWINGS, Recipe, Value, recipe_of
from qtdigits.core.run.history import History
from qtdigits.errors import InputError

FARTHEST = 8.0
"""A network that is more than so many times as costly or cheap is no basis for an estimate."""


@dataclass(frozen=True)
class RunFigures:
    """The figures of a run in a list. `val_…` and `hold_out_accuracy` are those of the best epoch, None if unknown.

    `scores`: the name of a set → (accuracy, number of drawings), of the model that came out. `data`: what was trained on by
    source, as in `RunStarted`. `message`: why there is no model. `steps_per_epoch`: 0 if unknown. `data_sha256`:
    `DataFingerprint.fingerprint`, and `digests` the SHA-256 of each source, both as soon as the data was read.
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
    """Summarise a history; `scores` as in `RunFinished`."""
    epochs = history.epochs
    ends = [*history.batches["elapsed_s"][-1:], *epochs["elapsed_s"][-1:], 0.0]
    return RunFigures(
        epochs=len(epochs),
        best_epoch=history.best_epoch,
        **_values_at(history, history.best_epoch),
        elapsed_s=float(max(ends)),
        scores={
            name: (float(score["accuracy"]), int(score["n"]))
            for name, score in (scores or {}).items()
            if score.get("n") and "accuracy" in score
        },
    )


BEST, LAST = "best", "last"
"""Which epoch figures are of: the best, the last, or one by its number."""


def epoch_choice(text: str) -> str:
    """Return "best", "last" or the number of an epoch. Raises `InputError`."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if text not in (BEST, LAST) and not number:
        raise InputError(f"{text!r} is no epoch.", "Give best, last or a number from 1.")
    return str(number or text)


def figures_at(figures: RunFigures, history: History | None, epoch: str) -> RunFigures:
    """Return the figures with those of another epoch, None where the run did not get there.

    What its model scored on the same sets is left out: that is of the best.
    """
    if epoch == BEST:
        return figures
    history = history or History()
    last = int(history.epochs["epoch"][-1]) if len(history.epochs) else 0
    scores = {name: score for name, score in figures.scores.items() if name not in (VALIDATION, MY_HOLD_OUT)}
    return replace(figures, **_values_at(history, last if epoch == LAST else int(epoch)), scores=scores)


def _values_at(history: History, epoch: int) -> dict[str, Any]:
    """Return the figures that are measured after each epoch."""
    epochs = history.epochs
    found = np.flatnonzero(epochs["epoch"] == epoch)
    values = {
        name: float(epochs[name][found[0]]) if len(found) else math.nan
        for name in ("val_loss", "val_accuracy", "hold_out_accuracy")
    }
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


SCORE_ORDER = (MY_HOLD_OUT, MNIST_TEST, VALIDATION)
"""The accuracy on drawn digits is the headline; other sets follow in the order in which they come."""


def ordered(names: Iterable[str]) -> list[str]:
    """Return the names of score sets, what counts most first."""
    rank = {name: place for place, name in enumerate(SCORE_ORDER)}
    return sorted(names, key=lambda name: rank.get(name, len(rank)))


def data_text(data: Mapping[str, int]) -> str:
    """MNIST 54,000 + 212 drawings."""
    parts = [f"{n:,} drawings" if name == DRAWINGS else f"{name} {n:,}" for name, n in data.items() if n]
    return " + ".join(parts)


def recipe_values(recipe: Mapping[str, Any]) -> dict[str, Value]:
    """Return all fields of a recipe that was stored by any version; what it does not have is at its default."""
    return {"name": str(recipe.get("name", ""))} | {
        name: recipe.get(name, known.default) for name, known in FIELD_BY_NAME.items()
    }


def differing(recipes: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Value, ...]]:
    """Return the fields in which recipes are not all alike, each with the value of every recipe."""
    tables = [recipe_values(recipe) for recipe in recipes]
    columns = {name: tuple(table[name] for table in tables) for name in (tables[0] if tables else {})}
    return {name: values for name, values in columns.items() if len(set(values)) > 1}


@dataclass(frozen=True)
class MeasuredSpeed:
    """The measured speed of a training: seconds for each image, with a network of `multiply_adds` a reading."""

    title: str
    network: tuple[str, str, str]
    multiply_adds: int
    is_varied: bool
    s_per_image: float


@dataclass(frozen=True)
class Estimate:
    """The seconds of an epoch. `is_measured`: with the same network; otherwise scaled from `title` by the cost of a reading."""

    seconds: float
    title: str
    is_measured: bool


def measured_speeds(
    runs: Iterable[tuple[str, Mapping[str, Any], RunFigures]], n_classes: int
) -> list[MeasuredSpeed]:
    """Return the speeds of runs (title, recipe, figures) that trained for at least an epoch and a second, in their order."""
    speeds = []
    for title, values, figures in runs:
        n_images = sum(figures.data.values()) * figures.epochs
        if figures.elapsed_s < 1 or not n_images:
            continue
        try:
            recipe = recipe_of({k: v for k, v in recipe_values(values).items() if k != "name"})
        except InputError:  # of another version of the program
            continue
        speeds.append(
            MeasuredSpeed(
                title,
                _network(recipe),
                cost_of(layers_of(recipe.network, n_classes)),
                recipe.augmentation > 0,
                figures.elapsed_s / n_images,
            )
        )
    return speeds


def epoch_estimate(
    recipe: Recipe, speeds: Iterable[MeasuredSpeed], *, n_classes: int, n_drawings: int
) -> Estimate | None:
    """Estimate how long an epoch will take, by the first speed that fits; None where nothing alike was measured."""
    cost = cost_of(layers_of(recipe.network, n_classes))
    alike = [speed for speed in speeds if speed.is_varied == (recipe.augmentation > 0)]
    same = [speed for speed in alike if speed.network == _network(recipe)]
    n_images = images_of(recipe, n_drawings)
    if same:
        return Estimate(n_images * same[0].s_per_image, same[0].title, is_measured=True)
    near = min(alike, key=lambda speed: _distance(speed.multiply_adds, cost), default=None)
    if near is None or _distance(near.multiply_adds, cost) > math.log(FARTHEST):
        return None
    seconds = n_images * near.s_per_image * cost / near.multiply_adds
    return Estimate(seconds, near.title, is_measured=False)


def images_of(recipe: Recipe, n_drawings: int) -> int:
    """Estimate how many images an epoch has."""
    kept = 1 - recipe.validation_fraction
    drawings = n_drawings * recipe.drawings_weight
    read = (recipe.mnist_images + recipe.synthetic_images) * kept + recipe.scribbles + drawings
    signs = recipe.invented_characters * INVENTED_DRAWINGS if recipe.characters_weight else 0
    return round(read + (signs and max(signs, recipe.signs_share / (1 - recipe.signs_share) * read)))


def _network(recipe: Recipe) -> tuple[str, str, str]:
    return recipe.blocks, recipe.dense, recipe.pooling


def _distance(one: int, other: int) -> float:
    return abs(math.log(max(1, one) / max(1, other)))
