"""Models as values: when golden answers count as the same, and what the digest of the weights sees."""

from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.model import Golden, Model
from qtdigits.core.network_spec import NetworkSpec
from qtdigits.core.recipe import Recipe
from qtdigits.errors import InputError

GOLDEN = Golden(np.zeros((2, 28, 28), np.uint8), np.full((2, 10), 0.1, np.float32))
WEIGHTS = {"output": (np.ones((784, 10), np.float32), np.zeros(10, np.float32))}
MODEL = Model("m", NetworkSpec(), Recipe(dense=""), DIGITS, WEIGHTS, b"", GOLDEN, preprocessing_version=1)


def test_that_rounding_does_not_count_as_another_answer() -> None:
    assert GOLDEN.agrees_with(GOLDEN.probabilities + 0.002)  # the most that was measured
    assert not GOLDEN.agrees_with(GOLDEN.probabilities + 0.02)


def test_that_answers_of_another_shape_or_no_numbers_disagree() -> None:
    assert not GOLDEN.agrees_with(GOLDEN.probabilities[:, :9])
    assert not GOLDEN.agrees_with(np.full_like(GOLDEN.probabilities, np.nan))


def test_that_the_digest_sees_the_weights_and_nothing_else() -> None:
    assert replace(MODEL, name="other").weights_sha256 == MODEL.weights_sha256
    moved = {"output": (WEIGHTS["output"][0] + np.float32(1e-6), WEIGHTS["output"][1])}
    assert replace(MODEL, weights=moved).weights_sha256 != MODEL.weights_sha256


@pytest.mark.parametrize("undecided_below", [-0.01, 1.01, float("nan")])
def test_that_a_threshold_is_a_probability(undecided_below: float) -> None:
    with pytest.raises(InputError, match="from 0 to 1"):
        replace(MODEL, undecided_below=undecided_below)


@pytest.mark.parametrize(
    ("unlike_below", "n_means"), [(0.5, 0), (0.5, 9), (0.5, 11), (0.0, 10), (1.01, 10), (float("nan"), 10)]
)
def test_that_a_model_has_a_mean_of_each_class_or_no_threshold_of_similarity(
    unlike_below: float, n_means: int
) -> None:
    with pytest.raises(InputError):
        replace(MODEL, unlike_below=unlike_below, class_means=np.ones((n_means, 4), np.float32))
