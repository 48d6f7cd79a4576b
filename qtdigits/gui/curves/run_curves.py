"""The curves of one run, as the plots take them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import Qt

from qtdigits.core.formatting import duration
from qtdigits.core.run.axes import (
    ACCURACY,
    AUC,
    LEARNING_RATE,
    LOSS,
    THROUGHPUT,
    Quantity,
    Range,
    uncovered_end,
    x_text,
)
from qtdigits.core.run.curves import Numbers, Smoothed, XAxis, XPositions
from qtdigits.core.run.history import History
from qtdigits.gui.curves.curve_painting import Look
from qtdigits.gui.curves.curve_settings import CurveSettings
from qtdigits.gui.curves.curve_view import Curve

DOTTED, DASHED = Qt.PenStyle.DotLine, Qt.PenStyle.DashLine

LOOKS = {
    "batches": Look("batches", is_faint=True),
    "smoothed": Look("smoothed"),
    "training": Look("training", is_bold=True, dash=DOTTED),
    "validation": Look("validation", is_bold=True, marker="circle"),
    "hold-out": Look("hold-out", is_bold=True, marker="diamond"),
    "rate": Look("smoothed", is_bold=True),
}


WHOLE_RUN_EPOCHS = 30
"""Up to so many epochs the axis shows the whole run from the start; longer runs are uncovered in doubling steps."""
FIRST_TIME_S = 10.0


@dataclass(frozen=True, eq=False)
class ShownRun:
    """A run whose curves are shown. `steps_per_epoch` and `epochs` are 0 where nobody knows them."""

    title: str
    history: History
    steps_per_epoch: float = 0
    epochs: int = 0
    is_running: bool = False


class RunCurves:
    """Makes the curves of a run. `place` is its number among several that lie over one another, None for one alone.

    One alone has a colour for each kind of curve. Of several each has a colour, kinds are told apart by dash and marker, and
    batches are only shown smoothed.
    """

    def __init__(self, run: ShownRun, *, place: int | None = None) -> None:
        self.run = run
        self._place = place
        self._smoothed: dict[str, Smoothed] = {}

    def places(self, axis: XAxis) -> XPositions:
        steps = self.run.steps_per_epoch or self.run.history.steps_per_epoch
        return XPositions(self.run.history, steps_per_epoch=steps, axis=axis)

    def curves(self, quantity: Quantity, settings: CurveSettings) -> list[Curve]:
        """The dense ones first, so that the others lie above them."""
        made = self._curves(quantity, settings)
        if settings.x_axis is XAxis.CLOCK:
            made = [_placed(curve) for curve in made]
        return [curve for curve in made if curve.kind not in settings.hidden]

    def whereabouts(self, axis: XAxis, x: float) -> str:
        """Where `x` of an axis is on each of them, that one first: epoch 2.00 · step 20 · 0:03 elapsed · 28 Nov 17:00:05."""
        said, distance = [x_text(axis, x)], np.abs(self.places(axis).batches() - x)
        if np.isfinite(distance).any():
            nearest = np.nanargmin(distance)
            there = {
                other: float(self.places(other).batches()[nearest]) for other in XAxis if other is not axis
            }
            said += [x_text(other, place) for other, place in there.items() if math.isfinite(place)]
        return " · ".join(said)

    def standing(self) -> str:
        """validation loss 0.2651, at best 0.2389 in epoch 9 · 0.7 s an epoch; "" before the first epoch has ended."""
        history, epochs = self.run.history, self.run.history.epochs
        if not len(epochs):
            return ""
        text = f"validation loss {LOSS.text(epochs['val_loss'][-1])}"
        if history.best_epoch and history.epochs_since_best:
            best = epochs["val_loss"][epochs["epoch"] == history.best_epoch][0]
            text += f", at best {LOSS.text(best)} in epoch {history.best_epoch}"
        epoch_s = epochs["elapsed_s"][-1] / epochs["epoch"][-1]
        return f"{text} · {duration(epoch_s) if epoch_s >= 60 else f'{epoch_s:.1f} s'} an epoch"

    def _curves(self, quantity: Quantity, settings: CurveSettings) -> list[Curve]:
        places = self.places(settings.x_axis)
        if quantity is AUC:
            return [
                self._curve("validation", *_known(places.epoch_ends(), self.run.history.epochs["val_auc"]))
            ]
        batches = self.run.history.batches
        x, y = places.batches(), batches[quantity.name]
        if quantity is LEARNING_RATE:
            return [self._curve("rate", *_known(x, y))]
        if quantity is THROUGHPUT:
            x, y = _known(x, y)
        is_alone = self._place is None
        made = [self._curve("batches", x, y)] if is_alone or not settings.smoothing else []
        if settings.smoothing > 0:
            smooth = self._smoothed.get(quantity.name)
            if smooth is None or smooth.weight != settings.smoothing:
                smooth = self._smoothed[quantity.name] = Smoothed(settings.smoothing)
            made.append(self._curve("smoothed", x, smooth.update(y), sets_range=False))
        if quantity in (LOSS, ACCURACY):
            made += self._epoch_curves(quantity, places)
        return made

    def _epoch_curves(self, quantity: Quantity, places: XPositions) -> list[Curve]:
        epochs, ends = self.run.history.epochs, places.epoch_ends()
        made = [
            self._curve("training", places.epoch_middles(), epochs[quantity.name], sets_range=False),
            self._curve("validation", ends, epochs[f"val_{quantity.name}"]),
        ]
        x, y = _known(ends, epochs[f"hold_out_{quantity.name}"])
        if len(x):
            made.append(self._curve("hold-out", x, y))
        return made

    def _curve(self, kind: str, x: Numbers, y: Numbers, *, sets_range: bool = True) -> Curve:
        look = LOOKS[kind]
        if self._place is None:
            return Curve(kind, x, y, look, sets_range)
        is_faint = kind in ("batches", "smoothed")
        of_run = Look(f"run {self._place}", is_faint, look.is_bold, look.dash, look.marker)
        return Curve(kind, x, y, of_run, sets_range, self.run.title)


def whole_stretch(runs: Sequence[RunCurves], axis: XAxis, *, latest: int) -> Range:
    """What is shown of runs unless a person has zoomed; `latest`: so many of the newest points, 0 for all."""
    places = [run.places(axis) for run in runs]
    begin = min((place.start() for place in places if place.reached()), default=0.0)
    end = max(_end_of(run.run, place, axis) for run, place in zip(runs, places, strict=True))
    if not latest:
        return begin, end
    known = (x[np.isfinite(x)] for x in (place.batches() for place in places))
    longest = max(known, key=lambda x: x[-1] if len(x) else -1.0)
    reached = max(place.reached() for place in places) or end
    return (float(longest[-latest]) if len(longest) > latest else begin), reached


def _end_of(run: ShownRun, places: XPositions, axis: XAxis) -> float:
    reached = places.reached()
    if not run.is_running:
        return reached or 1.0
    if axis in (XAxis.TIME, XAxis.CLOCK):
        return places.start() + uncovered_end(reached - places.start(), first=FIRST_TIME_S)
    unit = 1.0 if axis is XAxis.EPOCH else run.steps_per_epoch
    return uncovered_end(reached, first=WHOLE_RUN_EPOCHS * unit, whole=run.epochs * unit)


def _placed(curve: Curve) -> Curve:
    """Without the points of which nobody knows when they came."""
    y, x = _known(curve.y, curve.x)
    return replace(curve, x=x, y=y)


def _known(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """The points whose `y` is a number."""
    known = np.isfinite(y)
    return (x, y) if known.all() else (x[known], y[known])
