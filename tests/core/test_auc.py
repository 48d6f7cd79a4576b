from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.score.metrics import macro_auc


def by_counting_pairs(targets, probabilities):
    areas = []
    for k in range(probabilities.shape[1]):
        inside, outside = probabilities[targets == k, k], probabilities[targets != k, k]
        won = [(a > b) + (a == b) / 2 for a, b in product(inside, outside)]
        areas += [np.mean(won)] if won else []
    return np.mean(areas) if areas else math.nan


@given(
    st.lists(
        st.tuples(st.integers(0, 2), *[st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])] * 3), max_size=25
    )
)
def test_that_it_is_the_share_of_pairs_in_the_right_order_and_ties_count_half(rows):
    targets = np.array([row[0] for row in rows], np.int64)
    probabilities = np.array([row[1:] for row in rows], np.float32).reshape(-1, 3)
    found, expected = macro_auc(targets, probabilities), by_counting_pairs(targets, probabilities)
    assert found == pytest.approx(expected, nan_ok=True)


def test_that_order_counts_and_not_how_sure_a_network_is():
    targets = np.array([0, 0, 1, 1])
    sure = np.array([[0.99, 0.01], [0.98, 0.02], [0.02, 0.98], [0.01, 0.99]])
    unsure = 0.5 + (sure - 0.5) / 100
    assert macro_auc(targets, sure) == macro_auc(targets, unsure) == 1.0
    assert macro_auc(targets, sure[::-1]) == 0.0


def test_that_nothing_to_tell_apart_has_no_figure():
    assert math.isnan(macro_auc(np.array([1, 1]), np.ones((2, 3))))
    assert math.isnan(macro_auc(np.empty(0, np.int64), np.empty((0, 3))))
