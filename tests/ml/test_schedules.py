"""One cycle: up, then down to nearly nothing."""

from __future__ import annotations

import numpy as np

from qtdigits.ml.schedules import OneCycle


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
