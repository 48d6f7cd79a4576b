"""What a recipe will cost on this machine, going by the trainings that were made on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from qtdigits.core.network.network_summary import cost_of, layers_of
from qtdigits.core.recipe.recipes import Recipe, recipe_of
from qtdigits.core.run.run_figures import RunFigures, recipe_values
from qtdigits.errors import InputError

FARTHEST = 8.0
"""From a network that is so many times as costly or cheap nothing is concluded: other things than multiplying decide then."""


@dataclass(frozen=True)
class Pace:
    """A training that was measured: seconds for each image, with a network of `multiply_adds` a reading."""

    title: str
    network: tuple[str, str, str]
    multiply_adds: int
    is_varied: bool
    s_per_image: float


@dataclass(frozen=True)
class Estimate:
    """`is_measured`: by the same network; otherwise scaled from `title` by the cost of a reading."""

    seconds: float
    title: str
    is_measured: bool


def paces_of(runs: Iterable[tuple[str, Mapping[str, Any], RunFigures]], n_classes: int) -> list[Pace]:
    """Of runs with their titles and recipes, the latest first, those that trained for at least an epoch and a second."""
    paces = []
    for title, values, figures in runs:
        n_images = sum(figures.data.values()) * figures.epochs
        if figures.elapsed_s < 1 or not n_images:
            continue
        try:
            recipe = recipe_of({k: v for k, v in recipe_values(values).items() if k != "name"})
        except InputError:  # of another version of the program
            continue
        paces.append(
            Pace(
                title,
                _network(recipe),
                cost_of(layers_of(recipe.network, n_classes)),
                recipe.augmentation > 0,
                figures.elapsed_s / n_images,
            )
        )
    return paces


def epoch_estimate(
    recipe: Recipe, paces: Iterable[Pace], *, n_classes: int, n_drawings: int
) -> Estimate | None:
    """How long an epoch will take; None where nothing alike was measured."""
    cost = cost_of(layers_of(recipe.network, n_classes))
    alike = [pace for pace in paces if pace.is_varied == (recipe.augmentation > 0)]
    same = [pace for pace in alike if pace.network == _network(recipe)]
    n_images = images_of(recipe, n_drawings)
    if same:
        return Estimate(n_images * same[0].s_per_image, same[0].title, is_measured=True)
    near = min(alike, key=lambda pace: _distance(pace.multiply_adds, cost), default=None)
    if near is None or _distance(near.multiply_adds, cost) > math.log(FARTHEST):
        return None
    seconds = n_images * near.s_per_image * cost / near.multiply_adds
    return Estimate(seconds, near.title, is_measured=False)


def images_of(recipe: Recipe, n_drawings: int) -> int:
    """About how many images an epoch has."""
    kept = 1 - recipe.validation_fraction
    drawings = n_drawings * recipe.drawings_weight
    return round((recipe.mnist_images + recipe.synthetic_images) * kept + recipe.scribbles + drawings)


def _network(recipe: Recipe) -> tuple[str, str, str]:
    return recipe.blocks, recipe.dense, recipe.pooling


def _distance(one: int, other: int) -> float:
    return abs(math.log(max(1, one) / max(1, other)))
