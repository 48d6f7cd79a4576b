from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.score.learning import running_curve, wilson_band
from qtdigits.core.score.metrics import wilson_interval

outcomes_lists = st.lists(st.booleans(), max_size=120)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1))
def test_that_the_band_is_wilsons_interval_at_every_point(pairs):
    correct = np.array([min(pair) for pair in pairs])
    n = np.array([max(pair) for pair in pairs])
    low, high = wilson_band(correct, n)
    expected = [wilson_interval(int(c), int(k)) for c, k in zip(correct, n, strict=True)]
    np.testing.assert_allclose(np.stack([low, high], 1), expected, atol=1e-12)


@given(outcomes_lists)
def test_that_each_point_is_the_share_of_the_drawings_up_to_it(outcomes):
    curve = running_curve(np.array(outcomes, bool))
    assert curve.after.tolist() == list(range(1, len(outcomes) + 1))
    for n, share, low, high in zip(curve.after, curve.share, curve.low, curve.high, strict=True):
        assert share == pytest.approx(sum(outcomes[:n]) / n)
        assert low <= share + 1e-12
        assert share <= high + 1e-12


@given(outcomes_lists, st.integers(1, 60))
def test_that_the_moving_curve_looks_at_the_last_drawings_only(outcomes, window):
    curve = running_curve(np.array(outcomes, bool), window=window)
    assert curve.moving_after.tolist() == list(range(window, len(outcomes) + 1))
    for n, share in zip(curve.moving_after, curve.moving, strict=True):
        assert share == pytest.approx(sum(outcomes[n - window : n]) / window)


def test_that_a_hundred_thousand_drawings_make_no_more_points_than_can_be_seen():
    outcomes = np.random.default_rng(1).random(100_000) < 0.97
    curve = running_curve(outcomes, most_points=600)
    assert len(curve.after) <= 600
    assert len(curve.moving) <= 601
    assert (curve.after[-1], curve.moving_after[-1]) == (100_000, 100_000)
    assert curve.share[-1] == outcomes.mean()


def test_that_a_short_dip_survives_thinning():
    outcomes = np.ones(100_000, bool)
    outcomes[54_321:54_331] = False
    curve = running_curve(outcomes, window=50)
    assert curve.moving.min() == pytest.approx(0.8)
