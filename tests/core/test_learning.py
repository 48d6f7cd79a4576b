"""Running accuracy, and the learning curve with its forecast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtdigits.core.score.learning import (
    MOST_MORE,
    LearningPoint,
    by_corrections,
    fit_curve,
    learning_text,
    merge_points,
    rounded,
    running_curve,
    with_drawing,
)
from qtdigits.core.score.metrics import wilson_band, wilson_interval

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
    assert (curve.after[-1], curve.moving_after[-1]) == (100_000, 100_000)
    assert curve.share[-1] == outcomes.mean()


amounts = st.builds(
    lambda learned, n, share: LearningPoint(learned, round(share * n), n),
    st.integers(0, 400),
    st.integers(0, 200),
    st.floats(0, 1),
)
amount_lists = st.lists(amounts, max_size=6)
FALLING = (
    LearningPoint(0, 12, 60),
    LearningPoint(20, 6, 60),
    LearningPoint(60, 4, 120),
    LearningPoint(120, 3, 200),
)


def judged(start, scale, slope, rng, sizes=((0, 30), (20, 30), (40, 50), (100, 100))):
    """Drawings of a writer whose errors follow the curve exactly."""
    return [LearningPoint(a, int(rng.binomial(n, start * (1 + a / scale) ** -slope)), n) for a, n in sizes]


@given(amount_lists)
def test_that_merging_loses_no_drawing_and_leaves_one_of_each_amount(found):
    kept = merge_points(found)
    assert sum(a.n for a in kept) == sum(a.n for a in found)
    assert sum(a.wrong for a in kept) == sum(a.wrong for a in found)
    learned = [a.learned for a in kept]
    assert learned == sorted(set(learned))


@settings(max_examples=30)
@given(amount_lists)
def test_that_more_drawings_never_mean_more_errors(found):
    curve = fit_curve(found)
    if curve is None:
        return
    low, middle, high = curve.errors(np.array([0.0, 5, 20, 100, 500]))
    for band in (low, middle, high):
        assert (np.diff(band) <= 0).all()
    assert (low <= middle).all()
    assert (middle <= high).all()


def test_that_the_curve_goes_through_plenty_of_data():
    rng = np.random.default_rng(3)
    curve = fit_curve(judged(0.1, 20, 1, rng, ((0, 20_000), (20, 20_000), (100, 20_000), (300, 20_000))))
    middle = curve.errors(np.array([0.0, 50, 200]))[1]
    np.testing.assert_allclose(middle, [0.1, 0.1 / 3.5, 0.1 / 11], rtol=0.15)


@pytest.mark.parametrize(
    "found",
    [
        [],
        [LearningPoint(0, 5, 500)],
        [LearningPoint(0, 2, 20), LearningPoint(20, 0, 15)],
        [LearningPoint(0, 10, 100), LearningPoint(5, 4, 100)],
        [LearningPoint(0, 10, 100), LearningPoint(50, 0, 8)],
    ],
)
def test_that_too_few_data_are_refused(found):
    assert fit_curve(found) is None


def test_that_a_forecast_of_a_known_curve_contains_the_truth():
    """Four of five of the ranges have to; the curves are drawn at random with a fixed seed."""
    rng = np.random.default_rng(11)
    inside = []
    for _ in range(60):
        start, scale, slope = rng.uniform(0.05, 0.25), rng.uniform(10, 60), rng.uniform(0.4, 1.5)
        curve = fit_curve(judged(start, scale, slope, rng))
        forecast = curve.forecast() if curve else None
        if forecast is not None:
            needed = scale * ((start / (1 - forecast.goal)) ** (1 / slope) - 1) - 100
            inside.append(
                forecast.low - 5 <= max(5, needed) and (forecast.is_open or needed <= 1.1 * forecast.high)
            )
    assert len(inside) >= 30
    assert np.mean(inside) >= 0.8


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            [LearningPoint(0, 30, 300), LearningPoint(30, 30, 300), LearningPoint(100, 30, 300)],
            "30 of 300 misread before learning, 60 of 600 since: no gain shows yet.",
        ),
        (
            [LearningPoint(0, 2, 40), LearningPoint(30, 8, 40)],
            "2 of 40 misread before learning, 8 of 40 since: no gain shows yet.",
        ),
        (
            [LearningPoint(0, 0, 60), LearningPoint(40, 0, 60)],
            "0 of 60 misread before learning, 0 of 60 since: there was nothing to gain.",
        ),
    ],
)
def test_that_errors_which_do_not_fall_promise_nothing(found, said):
    assert fit_curve(found) is None
    assert learning_text(None, found) == said


def test_that_when_hardly_anything_is_misread_nothing_more_is_asked_for():
    learned = [LearningPoint(0, 60, 200), LearningPoint(100, 0, 400)]
    assert fit_curve(learned).forecast() is None
    assert learning_text(fit_curve(learned), learned).endswith("Hardly anything is left to gain.")


def test_that_nothing_is_said_of_a_time_of_which_nothing_is_known():
    known = [LearningPoint(50, 30, 100), LearningPoint(90, 5, 100)]
    assert "% misread with 50 → 90 drawings learned" in learning_text(fit_curve(known), known)


@settings(max_examples=60)
@given(amount_lists)
def test_that_a_forecast_asks_for_no_more_than_a_person_would_draw(found):
    curve = fit_curve(found)
    forecast = curve.forecast() if curve else None
    if forecast is not None:
        assert 0 < forecast.low <= forecast.more <= forecast.high <= MOST_MORE


def test_that_the_next_goal_is_one_that_makes_a_difference():
    curve = fit_curve(FALLING)
    now = curve.errors(np.array([120.0]))[1][0]
    assert 1 - curve.forecast().goal <= 0.75 * now


def test_that_the_sentence_says_what_is_missing():
    assert "No network has learned from this hand yet" in learning_text(None, [LearningPoint(0, 3, 50)])
    assert "has learned from 108 of these" in learning_text(None, [LearningPoint(0, 3, 50)], in_use=108)
    few = [LearningPoint(0, 1, 10), LearningPoint(20, 0, 5)]
    assert "Too few drawings yet" in learning_text(fit_curve(few), few)


def test_that_the_sentence_says_what_was_gained_and_how_much_is_to_come():
    text = learning_text(fit_curve(FALLING), FALLING)
    assert "% misread with 120 drawings learned (likely " in text
    assert " %). About " in text
    assert "more for 99 % read right" in text
    assert "(likely " in text


@pytest.mark.parametrize(
    ("n", "shown"), [(0.0, 5), (7, 5), (43, 45), (64, 60), (197, 200), (1234, 1200), (318, 320)]
)
def test_that_no_more_digits_are_shown_than_are_known(n, shown):
    assert rounded(n) == shown


@given(amount_lists, st.integers(0, 400), st.booleans())
def test_that_one_more_drawing_is_one_more_at_its_amount(found, learned, is_right):
    after = merge_points(with_drawing(found, learned, is_right=is_right))
    assert sum(a.n for a in after) == sum(a.n for a in found) + 1
    assert sum(a.wrong for a in after) == sum(a.wrong for a in found) + (not is_right)
    assert [a.learned for a in with_drawing((), learned, is_right=is_right)] == [learned]


def test_that_accuracy_by_corrections_counts_those_given_before() -> None:
    outcomes = np.array([False] * 20 + [True] * 40)
    stretches = by_corrections(outcomes)
    assert [(mean, tally.n, tally.correct) for mean, tally in stretches] == [
        (9.5, 20, 0),
        (20.0, 20, 20),
        (20.0, 20, 20),
    ]
    assert by_corrections(outcomes[:10]) == ()
    assert len(by_corrections(np.ones(5000, bool))) == 12
