"""A run in a few figures, differing recipes, and what a recipe will cost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from qtdigits.core.recipe import Recipe
from qtdigits.core.run.events import EpochEnded
from qtdigits.core.run.figures import (
    MeasuredSpeed,
    RunFigures,
    differing,
    epoch_choice,
    epoch_estimate,
    figures_at,
    figures_of,
    images_of,
    measured_speeds,
)
from qtdigits.core.run.history import History
from qtdigits.errors import InputError

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


def test_that_figures_of_another_epoch_say_nothing_about_the_model_of_the_best() -> None:
    history = History()
    history.apply(replace(EPOCH, hold_out_accuracy=0.9))
    history.apply(replace(EPOCH, epoch=2, val_accuracy=0.7, hold_out_accuracy=None, is_best=False))
    figures = figures_of(
        history, {"my hold-out": {"accuracy": 0.9, "n": 9}, "MNIST test": {"accuracy": 0.8, "n": 9}}
    )
    assert figures_at(figures, history, "best") is figures
    last = figures_at(figures, history, "last")
    assert (last.val_accuracy, last.hold_out_accuracy, last.best_epoch) == (0.7, None, 1)
    assert list(last.scores) == ["MNIST test"]
    assert figures_at(figures, history, "3").val_accuracy is None
    assert figures_at(figures, None, "last").val_accuracy is None


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "first", "٣", "9" * 12])
def test_that_what_is_no_epoch_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="best, last or a number"):
        epoch_choice(text)


def test_that_only_what_differs_is_told() -> None:
    a = Recipe(name="a", epochs=10).to_json()
    b = Recipe(name="a", epochs=12).to_json()
    assert differing([a, b, a]) == {"epochs": (10, 12, 10)}
    assert differing([a]) == {}
    assert differing([]) == {}


def test_that_a_recipe_of_an_older_version_has_defaults_where_it_knew_nothing() -> None:
    old = {"name": "a", "epochs": 10, "gone": 3}
    assert differing([old, Recipe(name="a", epochs=10).to_json()]) == {}


CNN = Recipe(blocks="8:3:2", dense="", mnist_images=10_000, drawings_weight=0)


def figures(epochs=2, elapsed_s=30.0, n=9_000):
    return RunFigures(epochs=epochs, elapsed_s=elapsed_s, data={"MNIST": n})


def estimate(recipe, paces):
    return epoch_estimate(recipe, paces, n_classes=10, n_drawings=0)


def test_that_a_run_with_the_same_network_tells_how_long_an_epoch_takes():
    (pace,) = measured_speeds([("yesterday", CNN.to_json(), figures())], 10)
    found = estimate(CNN.with_values(mnist_images=20_000), [pace])
    assert found.seconds == pytest.approx(30.0)
    assert (found.title, found.is_measured) == ("yesterday", True)


def test_that_the_latest_of_several_runs_counts():
    runs = [("new", CNN.to_json(), figures(elapsed_s=10.0)), ("old", CNN.to_json(), figures())]
    assert estimate(CNN, measured_speeds(runs, 10)).title == "new"


def test_that_another_network_is_estimated_by_the_cost_of_a_reading():
    wider = CNN.with_values(blocks="16:3:2")
    found = estimate(wider, measured_speeds([("yesterday", CNN.to_json(), figures())], 10))
    assert found.seconds == pytest.approx(2 * 15.0)
    assert not found.is_measured


def test_that_nothing_is_concluded_from_what_is_quite_different():
    paces = measured_speeds([("yesterday", CNN.to_json(), figures())], 10)
    assert estimate(CNN.with_values(blocks="", dense="8"), paces) is None
    assert estimate(CNN.with_values(augmentation=1.0), paces) is None
    assert estimate(CNN, []) is None


def test_that_runs_that_hardly_ran_and_recipes_that_nobody_knows_are_passed_over():
    runs = [
        ("cancelled", CNN.to_json(), figures(epochs=0)),
        ("blink", CNN.to_json(), figures(elapsed_s=0.2)),
        ("odd", {**CNN.to_json(), "optimizer": "of another version"}, figures()),
    ]
    assert measured_speeds(runs, 10) == []


def test_that_images_of_an_epoch_are_those_that_are_trained_on():
    recipe = CNN.with_values(
        validation_fraction=0.5, synthetic_images=2_000, scribbles=100, drawings_weight=3
    )
    assert images_of(recipe, n_drawings=10) == 6_000 + 100 + 30
    signs = recipe.with_values(characters_weight=1.0, invented_characters=10)
    assert images_of(signs, n_drawings=10) == 6_130 + 150
    assert images_of(signs.with_values(signs_share=0.5), n_drawings=10) == 2 * 6_130


def test_that_a_pace_knows_whether_drawings_were_varied():
    (pace,) = measured_speeds([("varied", CNN.with_values(augmentation=0.5).to_json(), figures())], 10)
    assert isinstance(pace, MeasuredSpeed)
    assert pace.is_varied
