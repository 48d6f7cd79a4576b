"""One cycle: up, then down to nearly nothing."""

from __future__ import annotations

import numpy as np

from qtdigits.ml.networks import OneCycle


def test_that_an_extension_begins_at_a_tenth_and_leaves_what_was_before_as_it_was() -> None:
    plain, extended = (
        OneCycle(0.01, steps=100),
        OneCycle(0.01, steps=100, extensions=[(100, 150), (150, 160)]),
    )
    rates = np.array([float(extended(step)) for step in range(161)])
    assert rates[:100].tolist() == [float(plain(step)) for step in range(100)]
    np.testing.assert_allclose(rates[[100, 125, 150, 155]], [0.001, 0.0005, 0.001, 0.0005], rtol=1e-5)
    assert 0 < rates[149] < 0.0001
    assert 0 < rates[160] < 0.0001


def test_that_a_run_extended_before_its_plan_was_over_leaves_the_plan() -> None:
    rates = [float(OneCycle(0.01, steps=100, extensions=[(50, 60)])(step)) for step in (49, 50, 60)]
    np.testing.assert_allclose(rates, [0.01 * 0.51 / 0.85, 0.001, 0.00002], rtol=1e-5)


def test_that_the_rate_rises_to_its_value_and_falls_to_nearly_nothing() -> None:
    schedule = OneCycle(0.01, steps=100)
    rates = np.array([float(schedule(step)) for step in range(101)])
    top = int(rates.argmax())
    assert 14 <= top <= 16
    assert rates[top] <= 0.01 + 1e-9
    assert rates[0] < 0.002
    assert rates[-1] < 0.0001
    assert (np.diff(rates[:top]) > 0).all()
    assert (np.diff(rates[top:]) <= 0).all()
