from __future__ import annotations

import numpy as np
import pytest

from qtdigits.core.run.stretch_figures import figures_over

X = np.arange(1.0, 6.0)
Y = np.array([4.0, 1.0, 3.0, 2.0, 9.0])


def test_that_figures_are_of_the_points_in_the_stretch_and_no_others() -> None:
    found = figures_over(X, Y, (2.0, 4.0))
    assert found is not None
    assert (found.n, found.first, found.last, found.least, found.most) == (3, 1.0, 2.0, 1.0, 3.0)
    assert found.mean == pytest.approx(2.0)
    assert found.change == pytest.approx(1.0)


def test_that_a_value_that_is_no_number_does_not_count() -> None:
    found = figures_over(X, np.where(Y == 9.0, np.nan, Y), (0.0, 10.0))
    assert found is not None
    assert (found.n, found.last, found.most) == (4, 2.0, 4.0)


def test_that_a_stretch_without_points_has_no_figures() -> None:
    assert figures_over(X, Y, (5.5, 9.0)) is None
    assert figures_over(X[:0], Y[:0], (0.0, 9.0)) is None
