from __future__ import annotations

import json

import numpy as np
import pytest

from qtdigits.core.score.calibration import reliability_from_json, reliability_of, reliability_to_json
from qtdigits.core.score.metrics import expected_calibration_error, wilson_interval


def test_that_every_answer_is_in_the_bin_of_its_confidence():
    confidence = np.array([0.05, 0.61, 0.69, 0.95, 1.0], np.float32)
    is_right = np.array([False, True, False, True, True])
    first, middle, last = reliability_of(confidence, is_right, bins=10)
    assert (first.low, first.high, first.n, first.correct) == (0.0, 0.1, 1, 0)
    assert (middle.n, middle.correct, middle.accuracy) == (2, 1, 0.5)
    assert middle.confidence == pytest.approx(0.65)
    assert middle.interval == wilson_interval(1, 2)
    assert (last.high, last.n, last.correct) == (1.0, 2, 2)


def test_that_bins_give_the_expected_calibration_error():
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.1, 1, 500).astype(np.float32)
    is_right = rng.random(500) < confidence**2
    bins = reliability_of(confidence, is_right)
    assert sum(found.n for found in bins) == 500
    error = sum(abs(found.n * found.confidence - found.correct) for found in bins) / 500
    assert error == pytest.approx(expected_calibration_error(confidence, is_right), abs=1e-6)


def test_that_bins_survive_a_file():
    bins = reliability_of(np.array([0.3, 0.9], np.float32), np.array([True, True]))
    again = reliability_from_json(json.loads(json.dumps(reliability_to_json(bins))))
    assert [(b.n, b.correct, round(b.confidence, 5)) for b in again] == [(1, 1, 0.3), (1, 1, 0.9)]
    assert reliability_from_json(()) == reliability_of(np.empty(0, np.float32), np.empty(0, bool)) == ()


def test_that_rows_of_another_form_are_refused():
    with pytest.raises(ValueError, match="unpack"):
        reliability_from_json([[0.0, 0.1, 3]])
