"""What was gained since a hand was learned, and whether that may be chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.score.comparison import Gain, right_text
from qtdigits.core.score.metrics import Tally

tallies = st.integers(1, 500).flatmap(lambda n: st.builds(Tally, st.just(n), st.integers(0, n)))


@pytest.mark.parametrize(
    ("now", "before", "interval"),
    [
        ((70, 56), (80, 48), (0.0524, 0.3339)),
        ((10, 9), (10, 3), (0.1705, 0.8090)),
        ((10, 10), (10, 0), (0.6075, 1.0)),
    ],
)
def test_that_the_interval_is_newcombes(
    now: tuple[int, int], before: tuple[int, int], interval: tuple[float, float]
) -> None:
    """The examples of his table II (Statistics in Medicine 17, 1998, page 877)."""
    assert Gain(Tally(*before), Tally(*now)).interval == pytest.approx(interval, abs=1e-4)


@given(tallies, tallies)
def test_that_the_change_lies_in_its_interval_and_losing_mirrors_gaining(before: Tally, now: Tally) -> None:
    gain, loss = Gain(before, now), Gain(now, before)
    low, high = gain.interval
    assert -1 <= low <= gain.change <= high <= 1
    assert loss.interval == pytest.approx((-high, -low))
    assert loss.is_beyond_chance == gain.is_beyond_chance


def test_that_chance_is_rarely_taken_for_a_gain() -> None:
    """Fixed seed; 5 % is promised, the standard error of 2,000 is 0.5 points."""
    rng = np.random.default_rng(5)
    pairs = zip(rng.binomial(74, 0.9, 2000), rng.binomial(50, 0.9, 2000), strict=True)
    wrong = sum(Gain(Tally(74, int(a)), Tally(50, int(b))).is_beyond_chance for a, b in pairs)
    assert wrong / 2000 < 0.06


def test_that_it_says_how_much_was_gained_and_why_to_believe_it() -> None:
    assert Gain(Tally(74, 61), Tally(50, 50)).sentence == (
        "Before, 61 of 74 were read right, 82.4 % (72.2 to 89.4 %). "
        "The gain of 17.6 points is more than chance explains (95 % interval +7.6 to +27.8)."
    )
    assert "The gain of 10.0 points may still be chance (95 % " in Gain(Tally(20, 18), Tally(20, 20)).sentence
    assert "The loss of 10.0 points may still be chance (95 % " in Gain(Tally(20, 20), Tally(20, 18)).sentence
    assert "Nothing was gained or lost so far" in Gain(Tally(20, 18), Tally(10, 9)).sentence
    assert right_text(Tally(1, 1)).startswith("1 of 1 was read right, 100.0 % (20.7 to 100.0 %)")
