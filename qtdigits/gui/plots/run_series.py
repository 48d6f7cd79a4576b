"""The curves of one run, as the plots take them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qtdigits.core.formatting import duration
from qtdigits.core.run.curves import (
    ACCURACY,
    AUC,
    LEARNING_RATE,
    LOSS,
    THROUGHPUT,
    Numbers,
    Quantity,
    Range,
    Smoothed,
    XAxis,
    XPositions,
    next_axis_end,
)
from qtdigits.core.run.history import History
from qtdigits.gui.plots.curve_controls import CurveSettings
from qtdigits.gui.plots.legend import STYLES, Style

WHOLE_RUN_EPOCHS = 30
"""Up to so many epochs the axis shows the whole run from the start; longer runs are uncovered in doubling steps."""
FIRST_TIME_S = 10.0


@dataclass(frozen=True, eq=False)
class Series:
    """Points of a curve, `x` ascending, both `(n,)`; within a run the arrays only grow.

    `kind`: what of a training it shows; `run`: of which, "" where there is only one. `sets_range`: the calm range has it in view.
    """

    kind: str
    x: Numbers
    y: Numbers
    style: Style
    sets_range: bool = True
    run: str = ""

    @property
    def name(self) -> str:
        return f"{self.run}: {self.kind}" if self.run else self.kind


@dataclass(frozen=True, eq=False)
class ShownRun:
    """A run whose curves are shown. `steps_per_epoch` and `epochs` are 0 where they are unknown."""

    title: str
    history: History
    steps_per_epoch: float = 0
    epochs: int = 0
    is_running: bool = False


class RunSeries:
    """Makes the series of a run. `place` is its number among several that lie over one another, None for one alone.

    One alone has a colour for each kind of curve. Of several each has a colour, kinds are told apart by dash and marker, and
    batches are only shown smoothed.
    """

    def __init__(self, run: ShownRun, *, place: int | None = None) -> None:
        self.run = run
        self.place = place
        self._smoothed: dict[str, Smoothed] = {}

    def positions(self, axis: XAxis) -> XPositions:
        steps = self.run.steps_per_epoch or self.run.history.steps_per_epoch
        return XPositions(self.run.history, steps_per_epoch=steps, axis=axis)

    def series(self, quantity: Quantity, settings: CurveSettings) -> list[Series]:
        """The dense ones first, so that the others lie above them."""
        made = self._series(quantity, settings)
        if settings.x_axis is XAxis.CLOCK:
            made = [_with_known_x(series) for series in made]
        return [series for series in made if series.kind not in settings.hidden]

    def position_text(self, axis: XAxis, x: float) -> str:
        """Where `x` of an axis is on each of them, that one first: epoch 2.00 · step 20 · 0:03 elapsed · 28 Nov 17:00:05."""
        said, distance = [axis.text(x)], np.abs(self.positions(axis).batches() - x)
        if np.isfinite(distance).any():
            at = np.nanargmin(distance)
            others = {a: float(self.positions(a).batches()[at]) for a in XAxis if a is not axis}
            said += [other.text(place) for other, place in others.items() if math.isfinite(place)]
        return " · ".join(said)

    def status_text(self) -> str:
        """validation loss 0.2651, at best 0.2389 in epoch 9 · 0.7 s an epoch; "" before the first epoch has ended."""
        history, epochs = self.run.history, self.run.history.epochs
        if not len(epochs):
            return ""
        text = f"validation loss {LOSS.text(epochs['val_loss'][-1])}"
        if history.best_epoch and history.epochs_since_best:
            best = epochs["val_loss"][epochs["epoch"] == history.best_epoch][0]
            text += f", at best {LOSS.text(best)} in epoch {history.best_epoch}"
        epoch_s = epochs["elapsed_s"][-1] / max(1e-9, self.positions(XAxis.EPOCH).epoch_ends()[-1])
        return f"{text} · {duration(epoch_s) if epoch_s >= 60 else f'{epoch_s:.1f} s'} an epoch"

    def _series(self, quantity: Quantity, settings: CurveSettings) -> list[Series]:
        positions, history = self.positions(settings.x_axis), self.run.history
        if quantity is AUC:
            return [self._one("validation", *_known(positions.epoch_ends(), history.epochs["val_auc"]))]
        x, y = positions.batches(), history.batches[quantity.name]
        if quantity is LEARNING_RATE:
            return [self._one("rate", *_known(x, y))]
        if quantity is THROUGHPUT:
            x, y = _known(x, y)
        made = [self._one("batches", x, y)] if self.place is None or not settings.smoothing else []
        if settings.smoothing > 0:
            smooth = self._smoothed.get(quantity.name)
            if smooth is None or smooth.weight != settings.smoothing:
                smooth = self._smoothed[quantity.name] = Smoothed(settings.smoothing)
            made.append(self._one("smoothed", x, smooth.update(y), sets_range=False))
        if quantity in (LOSS, ACCURACY):
            epochs, ends = history.epochs, positions.epoch_ends()
            made += [
                self._one("training", positions.epoch_middles(), epochs[quantity.name], sets_range=False),
                self._one("validation", ends, epochs[f"val_{quantity.name}"]),
            ]
            x, y = _known(ends, epochs[f"hold_out_{quantity.name}"])
            made += [self._one("hold-out", x, y)] if len(x) else []
        return made

    def _one(self, kind: str, x: Numbers, y: Numbers, *, sets_range: bool = True) -> Series:
        style = STYLES[kind]
        if self.place is None:
            return Series(kind, x, y, style, sets_range)
        is_faint = kind in ("batches", "smoothed")
        return Series(
            kind,
            x,
            y,
            replace(style, role=f"run {self.place}", is_faint=is_faint),
            sets_range,
            self.run.title,
        )


def whole_range(runs: Sequence[RunSeries], axis: XAxis, *, latest: int) -> Range:
    """What is shown of runs unless a person has zoomed; `latest`: so many of the newest points, 0 for all."""
    positions = [run.positions(axis) for run in runs]
    begin = min((place.start() for place in positions if place.reached()), default=0.0)
    end = max(_end_of(run.run, place, axis) for run, place in zip(runs, positions, strict=True))
    if not latest:
        return begin, end
    known = (x[np.isfinite(x)] for x in (place.batches() for place in positions))
    longest = max(known, key=lambda x: x[-1] if len(x) else -1.0)
    reached = max(place.reached() for place in positions) or end
    return (float(longest[-latest]) if len(longest) > latest else begin), reached


def _end_of(run: ShownRun, positions: XPositions, axis: XAxis) -> float:
    reached = positions.reached()
    if not run.is_running:
        return reached or 1.0
    if axis in (XAxis.TIME, XAxis.CLOCK):
        return positions.start() + next_axis_end(reached - positions.start(), first=FIRST_TIME_S)
    unit = 1.0 if axis is XAxis.EPOCH else run.steps_per_epoch
    return next_axis_end(reached, first=WHOLE_RUN_EPOCHS * unit, whole=run.epochs * unit)


def _with_known_x(series: Series) -> Series:
    y, x = _known(series.y, series.x)
    return replace(series, x=x, y=y)


def _known(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """The points whose `y` is a number."""
    known = np.isfinite(y)
    return (x, y) if known.all() else (x[known], y[known])
