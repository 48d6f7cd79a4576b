"""A run in a few figures, and what recipes do differently."""

from __future__ import annotations

import json
from dataclasses import replace

from qtdigits.core.recipe import Recipe
from qtdigits.core.run.events import EpochEnded
from qtdigits.core.run.figures import RunFigures, differing, figures_of
from qtdigits.core.run.history import History

EPOCH = EpochEnded("r", 1, 9, 1.0, 0.5, 0.9, 0.6, is_best=True, elapsed_s=2.0, remaining_s=4.0)


def test_that_the_figures_are_those_of_the_best_epoch() -> None:
    history = History()
    history.apply(EPOCH)
    history.apply(
        replace(EPOCH, epoch=2, val_loss=0.5, val_accuracy=0.8, hold_out_loss=0.7, hold_out_accuracy=0.75)
    )
    history.apply(replace(EPOCH, epoch=3, val_accuracy=0.7, is_best=False, elapsed_s=9.0))
    assert figures_of(history) == RunFigures(3, 2, 0.5, 0.8, 0.75, 9.0)


def test_that_an_empty_run_has_no_figures() -> None:
    assert figures_of(History()) == RunFigures()


def test_that_figures_come_back_from_json() -> None:
    history = History()
    history.apply(EPOCH)
    figures = figures_of(history, {"MNIST test": {"accuracy": 0.99, "n": 10_000}})
    assert RunFigures.from_json(json.loads(json.dumps(figures.to_json()))) == figures


def test_that_only_what_differs_is_told() -> None:
    a = Recipe(name="a", epochs=10).to_json()
    b = Recipe(name="a", epochs=12).to_json()
    assert differing([a, b, a]) == {"epochs": (10, 12, 10)}
    assert differing([a]) == {}
    assert differing([]) == {}


def test_that_a_recipe_of_an_older_version_has_defaults_where_it_knew_nothing() -> None:
    old = {"name": "a", "epochs": 10, "gone": 3}
    assert differing([old, Recipe(name="a", epochs=10).to_json()]) == {}
