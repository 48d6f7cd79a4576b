"""Calibration: the temperature that was put in is found again, and no answer changes."""

from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.network_spec import NetworkSpec, parse_dense
from qtdigits.ml.networks import build_network, probabilities
from qtdigits.ml.training import apply_temperature, temperature_of


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_that_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (20_000, 10))
    true = np.exp(logits / temperature)
    true /= true.sum(axis=1, keepdims=True)
    targets = (true.cumsum(axis=1) > rng.random((len(true), 1))).argmax(axis=1)
    said = np.exp(logits)
    said /= said.sum(axis=1, keepdims=True)
    assert temperature_of(said.astype(np.float32), targets) == pytest.approx(temperature, rel=0.05)


def test_that_a_network_made_colder_is_surer_of_the_same_answers() -> None:
    network = build_network(NetworkSpec(dense=parse_dense("8")), 10)
    images = np.random.default_rng(1).integers(0, 256, (32, 28, 28), np.uint8)
    before = probabilities(network, images)
    apply_temperature(network, 0.5)
    after = probabilities(network, images)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    squared = before**2 / (before**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(after, squared, atol=1e-5)
