"""How the errors of one writer fall with the number of that writer's drawings that were learned from, and what is to come.

The curve is a power law, as learning curves mostly are (Cortes, Jackel, Solla, Vapnik and Denker 1994, on handwritten
digits; Hestness et al. 2017), shifted so that it begins at the errors without any learning:

    error(n) = start * (1 + n / scale) ** -slope,   slope >= 0

The drawings of each amount are binomial trials of it. Which curves are plausible is computed on a grid (flat in log start,
slope and log scale), not by one best fit, so that a forecast comes with what is not known about it. Forecasting the sample
size from such a fit: Figueroa, Zeng-Treitler, Kandula and Ngo 2012.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.score.metrics import Z_95

LEAST_PER_AMOUNT = 15
"""Fewer drawings than this of one amount say next to nothing; together with another amount they count."""
LEAST_LEARNED = 10
LEAST_IN_ALL = 40
FARTHEST = 5.0
"""A forecast goes as far as so many times the drawings learned from; beyond that it would be invention."""
MOST_MORE = 1_000
"""Nor does it ask for more drawings than this: nobody would make them."""
LEAST_STEP = 0.75
"""A goal worth naming leaves at most so much of the present errors."""
GOALS = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998)
NEGLIGIBLE = 1e-4
"""Curves so much less plausible than the best one are left out: most of the grid, and nothing of the range."""
RANGE = (0.1, 0.9)
"""A forecast's range: with a probability of 80 % the number lies in it."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Amount:
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


def merged(amounts: Sequence[Amount]) -> tuple[Amount, ...]:
    """Ascending, one of each amount; what is too little to stand alone is put to its neighbour, at their mean amount.

    Amount 0 is never mixed with others: it is where the curve begins.
    """
    found: list[Amount] = []
    for amount in sorted(a for a in amounts if a.n):
        last = found[-1] if found else None
        is_alike = last is not None and (
            last.learned == amount.learned or (last.learned > 0 and last.n < LEAST_PER_AMOUNT)
        )
        if last is not None and is_alike:
            n = last.n + amount.n
            middle = round((last.learned * last.n + amount.learned * amount.n) / n)
            found[-1] = Amount(middle, last.wrong + amount.wrong, n)
        else:
            found.append(amount)
    return tuple(found)


def with_drawing(amounts: Sequence[Amount], learned: int, *, is_right: bool) -> tuple[Amount, ...]:
    """`amounts` after one more drawing, judged when so many had been learned from."""
    same = [a for a in amounts if a.learned == learned]
    wrong, n = sum(a.wrong for a in same) + (not is_right), sum(a.n for a in same) + 1
    return tuple(sorted([*(a for a in amounts if a.learned != learned), Amount(learned, wrong, n)]))


@dataclass(frozen=True)
class LearningCurve:
    """The plausible curves through `amounts`. Made by `fitted`, which refuses where there is too little to go by."""

    amounts: tuple[Amount, ...]

    def errors(self, learned: Floats) -> tuple[Floats, Floats, Floats]:
        """`(m,)` each: lower end of the 80 % band, median, upper end of the error rate at `learned` `(m,)` drawings.

        Each of the three falls or stays, as every plausible curve does.
        """
        curves = self._errors_of_all(learned)
        return self._range(curves)

    @cached_property
    def goal(self) -> float | None:
        """The next share read right that makes a difference. None when hardly anything is left to gain."""
        now = float(self.errors(np.array([float(self.amounts[-1].learned)]))[1][0])
        return next((g for g in GOALS if 1 - g <= LEAST_STEP * now), None)

    def forecast(self) -> Forecast | None:
        """For the next goal. None when there is none, or when it is too far away."""
        if self.goal is None:
            return None
        learned = self.amounts[-1].learned
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
        for a in self.amounts:
            error = start * (1 + a.learned / scale) ** -slope
            likelihood += a.wrong * np.log(error) + (a.n - a.wrong) * np.log1p(-error)
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


def fitted(amounts: Sequence[Amount]) -> LearningCurve | None:
    """The curve, or None where the data are too few (two amounts, enough learned, enough judged) or show no gain."""
    kept = merged(amounts)
    return LearningCurve(kept) if _is_enough(kept) and not _without_gain(kept) else None


def _is_enough(kept: Sequence[Amount]) -> bool:
    if len(kept) < 2 or kept[-1].learned < LEAST_LEARNED or kept[-1].n < LEAST_PER_AMOUNT:
        return False
    return sum(a.n for a in kept) >= LEAST_IN_ALL


def _without_gain(kept: Sequence[Amount]) -> str:
    """What is to be said where no fewer are misread than at the beginning, otherwise nothing: no curve falls there."""
    first, *later = kept
    wrong, n = sum(a.wrong for a in later), sum(a.n for a in later)
    if wrong * first.n < first.wrong * n:
        return ""
    meaning = "there was nothing to gain" if not wrong else "no gain shows yet"
    then = f"with {first.learned:,} learned" if first.learned else "before learning"
    return f"{first.wrong:,} of {first.n:,} misread {then}, {wrong:,} of {n:,} since: {meaning}."


def rounded(n: float) -> int:
    """No more digits than are known: to 5 below 50, to 10 below 200, above to two digits; never 0."""
    step = 5 if n < 50 else 10 if n < 200 else 10 ** (math.floor(math.log10(n)) - 1)
    return max(step, step * round(n / step))


def sentence(curve: LearningCurve | None, amounts: Sequence[Amount], *, in_use: int = 0) -> str:
    """What the curve says to the writer, or what is missing for it to say anything.

    The model in use has learned from `in_use` drawings.
    """
    learned = max((a.learned for a in amounts if a.n), default=0)
    if in_use and not learned:
        return (
            f"The model in use has learned from {in_use:,} of these drawings. What that was worth shows with the next ones: "
            "the curve goes on when they are judged."
        )
    if not learned:
        return "Nothing was learned from this hand yet: the curve begins with the first model trained on its drawings."
    kept = merged(amounts)
    if not _is_enough(kept):
        return (
            f"Too few drawings yet for a curve: it takes {LEAST_IN_ALL}, some before and some after learning."
        )
    if curve is None:
        return _without_gain(kept)
    forecast = curve.forecast()
    ends = np.array([kept[0].learned, kept[-1].learned], np.float64)
    low, middle, high = 100 * np.array(curve.errors(ends))
    since = f"{kept[0].learned:,} → {kept[-1].learned:,}" if kept[0].learned else f"{kept[-1].learned:,}"
    so_far = (
        f"{middle[0]:.1f} → {middle[1]:.1f} % misread with {since} drawings learned "
        f"(likely {low[1]:.1f} to {high[1]:.1f} %)"
    )
    if curve.goal is None:
        return f"{so_far}. Hardly anything is left to gain."
    if forecast is None:
        return f"{so_far}. How many more bring the next step cannot be said yet."
    goal = f"{100 * forecast.goal:g} % read right"
    end = f"more than {forecast.high:,}" if forecast.is_open else f"{forecast.high:,}"
    return f"{so_far}. About {forecast.more:,} more for {goal} (likely {forecast.low:,} to {end})."


WINDOW = 50
MOST_POINTS = 600
"""A curve of more points shows no more: that is about what a panel has in pixels."""


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
    """Curves of `(n,)` outcomes, thinned to about `most_points` points each; the newest point is always there."""
    total = np.concatenate([[0], np.cumsum(outcomes, dtype=np.int64)])
    after = _spread(1, len(outcomes), most_points)
    low, high = wilson_band(total[after], after)
    share = total[after] / np.maximum(1, after)
    every = np.arange(window, len(outcomes) + 1)
    moving = (total[every] - total[every - window]) / window
    kept = _extremes(moving, most_points)
    return RunningCurve(after, share, low, high, every[kept], moving[kept])


def wilson_band(correct: NDArray[np.int64], n: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """`metrics.wilson_interval` for arrays, both `(n,)`; (0, 1) where nothing was counted."""
    counted = np.maximum(1, n)
    p, zz = correct / counted, Z_95 * Z_95
    centre = p + zz / (2 * counted)
    half = Z_95 * np.sqrt(p * (1 - p) / counted + zz / (4 * counted * counted))
    low = np.where(correct == 0, 0.0, np.maximum(0.0, (centre - half) / (1 + zz / counted)))
    high = np.where(correct == n, 1.0, np.minimum(1.0, (centre + half) / (1 + zz / counted)))
    return np.where(n == 0, 0.0, low), np.where(n == 0, 1.0, high)


def _spread(first: int, last: int, most: int) -> NDArray[np.int64]:
    """Whole numbers from `first` to `last`, both among them, at most `most` of them, evenly spread."""
    n = max(0, last - first + 1)
    if n <= most:
        return np.arange(first, last + 1)
    return np.rint(np.linspace(first, last, most)).astype(np.int64)


def _extremes(values: Floats, most: int) -> NDArray[np.int64]:
    """Positions of the lowest and the highest of each of `most / 2` equal pieces, ascending, and the last position.

    A dip that lasts a few drawings must not fall between two points.
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    size = -(-2 * n // most)
    pieces = np.pad(values, (0, -n % size), mode="edge").reshape(-1, size)
    starts = size * np.arange(len(pieces))
    found = np.concatenate([starts + pieces.argmin(axis=1), starts + pieces.argmax(axis=1), [n - 1]])
    return np.unique(np.minimum(found, n - 1)).astype(np.int64)
