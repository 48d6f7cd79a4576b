"""What a curve does over a stretch of its run, in figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qtdigits.core.run.axes import Range
from qtdigits.core.run.curves import Numbers


@dataclass(frozen=True)
class StretchFigures:
    """Of the `n` points of a stretch: the first and the last value, the least, the most, and the mean."""

    n: int
    first: float
    last: float
    least: float
    most: float
    mean: float

    @property
    def change(self) -> float:
        """From the first to the last point, in the unit of the values."""
        return self.last - self.first


def figures_over(x: Numbers, y: Numbers, stretch: Range) -> StretchFigures | None:
    """Of the points with `x`, ascending, in the stretch, its ends included. None where there is none."""
    low, high = stretch
    seen = y[np.searchsorted(x, low) : np.searchsorted(x, high, "right")]
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return None
    return StretchFigures(
        n=len(seen),
        first=float(seen[0]),
        last=float(seen[-1]),
        least=float(seen.min()),
        most=float(seen.max()),
        mean=float(seen.mean()),
    )
