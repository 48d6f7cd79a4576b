"""How accuracy develops: the running accuracy of a writer's judgements, and the learning curve with its forecast.

Each outcome of the running accuracy is that of a drawing scored before it could be trained on (test-then-train, also
"prequential": Dawid 1984; Gama, Sebastião and Rodrigues 2013, who set the moving window beside the figure over all).

The learning curve says how errors fall with the number of the writer's drawings that were learned from. It is a power law,
as learning curves mostly are (Cortes, Jackel, Solla, Vapnik and Denker 1994, on handwritten digits; Hestness et al. 2017),
shifted so that it begins at the errors without any learning:

    error(n) = start * (1 + n / scale) ** -slope,   slope >= 0

The drawings at each point are binomial trials of it. Which curves are plausible is computed on a grid (flat in log start,
slope and log scale), not by one best fit, so that a forecast comes with its uncertainty. Forecasting the sample size from
such a fit: Figueroa, Zeng-Treitler, Kandula and Ngo 2012.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.formatting import percent, percent_digits, percent_range
from qtdigits.core.score.metrics import Tally, wilson_band

Floats = NDArray[np.float64]

WINDOW = 50
MOST_POINTS = 600
"""About the width of a panel in pixels; the share over all drawings is smooth where there are many."""


@dataclass(frozen=True, eq=False)
class RunningCurve:
    """`after`, `share`, `low` and `high` are `(n,)`: after so many drawings this share was right, with Wilson's 95 % band.

    `moving_after` and `moving` are `(m,)`: the share of the last `window` drawings; empty until there are so many.
    """

    after: NDArray[np.int64]
    share: Floats
    low: Floats
    high: Floats
    moving_after: NDArray[np.int64]
    moving: Floats


def running_curve(
    outcomes: NDArray[np.bool_], *, window: int = WINDOW, most_points: int = MOST_POINTS
) -> RunningCurve:
    """Return the curves of `(n,)` outcomes. The one over all has at most `most_points`, evenly spread, the newest among them."""
    total = np.concatenate([[0], np.cumsum(outcomes, dtype=np.int64)])
    n = len(outcomes)
    after = np.rint(np.linspace(1, n, min(n, most_points))).astype(np.int64)
    low, high = wilson_band(total[after], after)
    share = total[after] / np.maximum(1, after)
    every = np.arange(window, n + 1)
    moving = (total[every] - total[every - window]) / window
    return RunningCurve(after, share, low, high, every, moving)


MOST_STRETCHES, LEAST_IN_STRETCH = 12, 20


def by_corrections(outcomes: NDArray[np.bool_]) -> tuple[tuple[float, Tally], ...]:
    """Return how many drawings were read right, stretch by stretch, each with the mean number of corrections given before.

    Stretches have equally many drawings: ended by a correction, each would look worse than it is.
    """
    n = min(MOST_STRETCHES, len(outcomes) // LEAST_IN_STRETCH)
    wrong = (~outcomes).astype(np.int64)
    before = np.cumsum(wrong) - wrong
    parts = np.array_split(np.arange(len(outcomes)), n) if n else []
    return tuple((float(before[p].mean()), Tally(len(p), int(outcomes[p].sum()))) for p in parts)


LEAST_PER_POINT = 15
"""Points with fewer drawings than this are merged with their neighbour."""
LEAST_LEARNED = 10
LEAST_IN_ALL = 40
FARTHEST = 5.0
"""A forecast goes as far as so many times the drawings learned from."""
MOST_MORE = 1_000
"""Nor does it ask for more drawings than this."""
LEAST_STEP = 0.75
"""A goal worth naming leaves at most so much of the present errors."""
GOALS = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998)
NEGLIGIBLE = 1e-4
"""Curves so much less plausible than the best one are left out: most of the grid, without an effect on the range."""
RANGE = (0.1, 0.9)
"""A forecast's range: with a probability of 80 % the number lies in it."""


@dataclass(frozen=True, order=True)
class LearningPoint:
    """After learning from `learned` drawings of a writer, `wrong` of `n` new ones were misread."""

    learned: int
    wrong: int
    n: int


@dataclass(frozen=True)
class Forecast:
    """About `more` drawings until `goal` (a share) is read right, likely between `low` and `high`.

    `is_open`: it may be many more than `high`, which is as far as a forecast goes.
    """

    goal: float
    more: int
    low: int
    high: int
    is_open: bool


def merge_points(points: Sequence[LearningPoint]) -> tuple[LearningPoint, ...]:
    """Return points by ascending `learned`; small ones are merged with their neighbour, at their mean.

    The point without learning is never merged with others: it is where the curve begins.
    """
    found: list[LearningPoint] = []
    for point in sorted(p for p in points if p.n):
        last = found[-1] if found else None
        is_alike = last is not None and (
            last.learned == point.learned or (last.learned > 0 and last.n < LEAST_PER_POINT)
        )
        if last is not None and is_alike:
            n = last.n + point.n
            middle = round((last.learned * last.n + point.learned * point.n) / n)
            found[-1] = LearningPoint(middle, last.wrong + point.wrong, n)
        else:
            found.append(point)
    return tuple(found)


def with_drawing(
    points: Sequence[LearningPoint], learned: int, *, is_right: bool
) -> tuple[LearningPoint, ...]:
    """Return `points` after one more drawing, judged when `learned` drawings had been learned from."""
    same = [p for p in points if p.learned == learned]
    wrong, n = sum(p.wrong for p in same) + (not is_right), sum(p.n for p in same) + 1
    return tuple(sorted([*(p for p in points if p.learned != learned), LearningPoint(learned, wrong, n)]))


def before_learning(points: Sequence[LearningPoint]) -> Tally:
    """Return the judgements of models that had learned nothing of the hand."""
    judged = [point for point in points if not point.learned]
    n = sum(point.n for point in judged)
    return Tally(n, n - sum(point.wrong for point in judged))


@dataclass(frozen=True)
class LearningCurve:
    """The plausible curves through `points`. Made by `fit_curve`, which checks that there is enough to go by."""

    points: tuple[LearningPoint, ...]

    def errors(self, learned: Floats) -> tuple[Floats, Floats, Floats]:
        """`(m,)` each: lower end of the 80 % band, median, upper end of the error rate at `learned` `(m,)` drawings.

        Each of the three falls or stays, as every plausible curve does.
        """
        curves = self._errors_of_all(learned)
        return self._range(curves)

    @cached_property
    def goal(self) -> float | None:
        """The next share read right that makes a difference. None when hardly anything is left to gain."""
        now = float(self.errors(np.array([float(self.points[-1].learned)]))[1][0])
        return next((g for g in GOALS if 1 - g <= LEAST_STEP * now), None)

    def forecast(self) -> Forecast | None:
        """For the next goal. None when there is none, or when it is too far away."""
        if self.goal is None:
            return None
        learned = self.points[-1].learned
        need = self._needed(1 - self.goal)
        low, middle, high = (float(found[0]) - learned for found in self._range(need[:, None]))
        farthest = min((FARTHEST - 1) * learned, MOST_MORE)
        if not middle <= farthest:
            return None
        return Forecast(
            self.goal,
            rounded(max(0.0, middle)),
            rounded(max(0.0, low)),
            rounded(min(high, farthest)),
            is_open=bool(high > farthest),
        )

    @cached_property
    def _grid(self) -> tuple[Floats, Floats, Floats, Floats]:
        """start, slope, scale and probability of each curve, `(curves,)`."""
        start, slope, scale = (
            axis.ravel()
            for axis in np.meshgrid(
                np.geomspace(0.003, 0.9, 50), np.linspace(0, 2.5, 41), np.geomspace(5, 320, 7)
            )
        )
        likelihood = np.zeros(len(start))
        for point in self.points:
            error = start * (1 + point.learned / scale) ** -slope
            likelihood += point.wrong * np.log(error) + (point.n - point.wrong) * np.log1p(-error)
        weight = np.exp(likelihood - likelihood.max())
        kept = weight > NEGLIGIBLE
        return start[kept], slope[kept], scale[kept], weight[kept] / weight[kept].sum()

    def _errors_of_all(self, learned: Floats) -> Floats:
        start, slope, scale, _ = self._grid
        errors: Floats = start[:, None] * (1 + learned / scale[:, None]) ** -slope[:, None]
        return errors

    def _needed(self, error: float) -> Floats:
        """`(curves,)`: learned drawings at which each curve reaches `error`; infinite where it never does."""
        start, slope, scale, _ = self._grid
        with np.errstate(divide="ignore", over="ignore"):
            power = np.where(start <= error, 0.0, np.log(start / error) / slope)
            needed: Floats = scale * np.expm1(power)
        return needed

    def _range(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Lower end, median and upper end, `(m,)` each, of `values` `(curves, m)` weighted by the curves' probability."""
        weight = self._grid[3]
        order = np.argsort(values, axis=0)
        total = np.cumsum(weight[order], axis=0)

        def quantile(q: float) -> Floats:
            place = np.minimum((total < q * total[-1]).sum(axis=0), len(weight) - 1)
            chosen: Floats = np.take_along_axis(values, np.take_along_axis(order, place[None], 0), 0)[0]
            return chosen

        return quantile(RANGE[0]), quantile(0.5), quantile(RANGE[1])


def fit_curve(points: Sequence[LearningPoint]) -> LearningCurve | None:
    """The curve, or None where the data are too few (two points, enough learned, enough judged) or show no gain."""
    kept = merge_points(points)
    return LearningCurve(kept) if _is_enough(kept) and not _without_gain(kept) else None


def _is_enough(kept: Sequence[LearningPoint]) -> bool:
    if len(kept) < 2 or kept[-1].learned < LEAST_LEARNED or kept[-1].n < LEAST_PER_POINT:
        return False
    return sum(a.n for a in kept) >= LEAST_IN_ALL


def _without_gain(kept: Sequence[LearningPoint]) -> str:
    """Return the sentence for points of which no fewer are misread than at the beginning, otherwise ""."""
    first, *later = kept
    wrong, n = sum(a.wrong for a in later), sum(a.n for a in later)
    if wrong * first.n < first.wrong * n:
        return ""
    meaning = "there was nothing to gain" if not wrong else "no gain shows yet"
    then = f"with {first.learned:,} learned" if first.learned else "before learning"
    return f"{first.wrong:,} of {first.n:,} misread {then}, {wrong:,} of {n:,} since: {meaning}."


def rounded(n: float) -> int:
    """Round to 5 below 50, to 10 below 200, above to two digits, as no more is known; never to 0."""
    step = 5 if n < 50 else 10 if n < 200 else 10 ** (math.floor(math.log10(n)) - 1)
    return max(step, step * round(n / step))


def learning_text(curve: LearningCurve | None, points: Sequence[LearningPoint], *, in_use: int = 0) -> str:
    """Describe the curve to the writer, or what is missing for one. The model in use has learned from `in_use` drawings."""
    learned = max((a.learned for a in points if a.n), default=0)
    if in_use and not learned:
        return (
            f"The model in use has learned from {in_use:,} of these drawings. What that was worth shows with the next ones: "
            "the curve goes on when they are judged."
        )
    if not learned:
        return "No network has learned from this hand yet: the curve begins with the first model trained on its drawings."
    kept = merge_points(points)
    if not _is_enough(kept):
        return (
            f"Too few drawings yet for a curve: it takes {LEAST_IN_ALL}, some before and some after learning."
        )
    if curve is None:
        return _without_gain(kept)
    forecast = curve.forecast()
    ends = np.array([kept[0].learned, kept[-1].learned], np.float64)
    low, middle, high = curve.errors(ends)
    since = f"{kept[0].learned:,} → {kept[-1].learned:,}" if kept[0].learned else f"{kept[-1].learned:,}"
    so_far = (
        f"{percent_digits(middle[0])} → {percent(middle[1])} misread with {since} drawings learned "
        f"(likely {percent_range(low[1], high[1])})"
    )
    if curve.goal is None:
        return f"{so_far}. Hardly anything is left to gain."
    if forecast is None:
        return f"{so_far}. How many more bring the next step cannot be said yet."
    goal = f"{100 * forecast.goal:g} % read right"
    end = f"more than {forecast.high:,}" if forecast.is_open else f"{forecast.high:,}"
    return f"{so_far}. About {forecast.more:,} more for {goal} (likely {forecast.low:,} to {end})."
