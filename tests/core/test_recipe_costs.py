from __future__ import annotations

import pytest

from qtdigits.core.recipe import Recipe
from qtdigits.core.run.figures import MeasuredSpeed, RunFigures, epoch_estimate, images_of, paces_of

CNN = Recipe(blocks="8:3:2", dense="", mnist_images=10_000, drawings_weight=0)


def figures(epochs=2, elapsed_s=30.0, n=9_000):
    return RunFigures(epochs=epochs, elapsed_s=elapsed_s, data={"MNIST": n})


def estimate(recipe, paces):
    return epoch_estimate(recipe, paces, n_classes=10, n_drawings=0)


def test_that_a_run_with_the_same_network_tells_how_long_an_epoch_takes():
    (pace,) = paces_of([("yesterday", CNN.to_json(), figures())], 10)
    found = estimate(CNN.with_values(mnist_images=20_000), [pace])
    assert found.seconds == pytest.approx(30.0)
    assert (found.title, found.is_measured) == ("yesterday", True)


def test_that_the_latest_of_several_runs_counts():
    runs = [("new", CNN.to_json(), figures(elapsed_s=10.0)), ("old", CNN.to_json(), figures())]
    assert estimate(CNN, paces_of(runs, 10)).title == "new"


def test_that_another_network_is_estimated_by_the_cost_of_a_reading():
    wider = CNN.with_values(blocks="16:3:2")
    found = estimate(wider, paces_of([("yesterday", CNN.to_json(), figures())], 10))
    assert found.seconds == pytest.approx(2 * 15.0)
    assert not found.is_measured


def test_that_nothing_is_concluded_from_what_is_quite_different():
    paces = paces_of([("yesterday", CNN.to_json(), figures())], 10)
    assert estimate(CNN.with_values(blocks="", dense="8"), paces) is None
    assert estimate(CNN.with_values(augmentation=1.0), paces) is None
    assert estimate(CNN, []) is None


def test_that_runs_that_hardly_ran_and_recipes_that_nobody_knows_are_passed_over():
    runs = [
        ("cancelled", CNN.to_json(), figures(epochs=0)),
        ("blink", CNN.to_json(), figures(elapsed_s=0.2)),
        ("odd", {**CNN.to_json(), "optimizer": "of another version"}, figures()),
    ]
    assert paces_of(runs, 10) == []


def test_that_images_of_an_epoch_are_those_that_are_trained_on():
    recipe = CNN.with_values(
        validation_fraction=0.5, synthetic_images=2_000, scribbles=100, drawings_weight=3
    )
    assert images_of(recipe, n_drawings=10) == 6_000 + 100 + 30


def test_that_a_pace_knows_whether_drawings_were_varied():
    (pace,) = paces_of([("varied", CNN.with_values(augmentation=0.5).to_json(), figures())], 10)
    assert isinstance(pace, MeasuredSpeed)
    assert pace.is_varied
