"""Charts of a study: history, parallel coordinates, importances, slices, learning curves, Pareto front; with 95 % intervals.

One widget shows any of them, as a `Picture` of the same series as in the other charts of shares. A click chooses a trial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip, QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent
from qtdigits.core.run.curves import Numbers, Range
from qtdigits.core.score.metrics import wilson_band
from qtdigits.core.search import Search
from qtdigits.core.study import SECOND_AXES, VALIDATION
from qtdigits.gui.plots.calm_plot import multiples, tick_step
from qtdigits.gui.plots.charts import ShareChart, ShareSeries
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.training.study_overview import StudyOverview, TrialOverview, values_of

Ticks = tuple[tuple[float, str], ...]
CLICK_PX = 14
CHOSEN = "chosen trial"
MOST_TICKS = 6
WELL_SPREAD = 20
"""From so many trials on the axis of accuracies leaves out the worst tenth."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What a chart shows; made in any thread.

    `points` are (x, y, number) of the trials that can be pointed at, `highlighted` the series of one that is chosen. Without
    ticks of its own an axis has whole numbers, or shares.
    """

    series: Sequence[ShareSeries]
    x_range: Range
    y_range: Range
    points: Sequence[tuple[float, float, int]] = ()
    highlighted: Callable[[TrialOverview], Sequence[ShareSeries]] = lambda trial: ()
    x_ticks: Ticks | None = None
    y_ticks: Ticks | None = None
    labels: Sequence[tuple[float, float, str]] = ()
    """Texts within the plot."""
    caption: str = ""
    """Instead of that of the chart."""


class StudyChart(ShareChart):
    """`trial_chosen` carries the number of a trial. `tip_of` describes one."""

    trial_chosen = Signal(int)

    def __init__(
        self,
        title: str,
        caption: str,
        empty: str,
        *,
        tip_of: Callable[[int], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, caption, from_top=True, empty=empty, parent=parent)
        self._tip_of = tip_of
        self._picture: Picture | None = None
        self._texts: list[pg.TextItem] = []
        self._texts_drawn: object = None

    def show_picture(self, picture: Picture | None, chosen: TrialOverview | None) -> None:
        self._picture = picture
        if picture and picture.caption:
            self._caption.setText(picture.caption)
        series = picture.series if picture else ()
        highlighted = picture.highlighted(chosen) if picture and chosen else ()
        self.show_series([*series, *highlighted], "" if chosen is None else self._tip_of(chosen.number))

    @override
    def _draw(self) -> None:
        super()._draw()
        picture, theme = self._picture, theme_of(self)
        if picture is None:
            return
        for axis, ticks in (
            (self._plot.run_axis, picture.x_ticks),
            (self._plot.value_axis, picture.y_ticks),
        ):
            axis.setTicks(None if ticks is None else [list(ticks)])
        if self._texts_drawn == (picture.labels, theme):
            return
        self._texts_drawn = picture.labels, theme
        for item in self._texts:
            self._plot.removeItem(item)
        self._texts = []
        ground = QColor(theme.surface)
        ground.setAlphaF(0.8)
        for x, y, text in picture.labels:
            item = pg.TextItem(text, color=theme.text, anchor=(0, 0.5), fill=ground)
            item.setPos(x, y)
            self._texts.append(item)
            self._plot.addItem(item)

    @override
    def _ranges(self) -> tuple[Range, Range]:
        return (self._picture.x_range, self._picture.y_range) if self._picture else super()._ranges()

    def _trial_at(self, place: QPoint) -> int | None:
        """Return the trial at a place of the widget, None where there is none."""
        if self._picture is None or not self._picture.points:
            return None
        spot = QPointF(self._plot.mapToScene(self._plot.mapFrom(self, place)))
        here, pixel = self._plot.view.mapSceneToView(spot), self._plot.view.viewPixelSize()
        x, y, numbers = (np.array(column) for column in zip(*self._picture.points, strict=True))
        distance = np.hypot((x - here.x()) / pixel[0], (y - here.y()) / pixel[1])
        nearest = int(np.nanargmin(distance))
        return int(numbers[nearest]) if distance[nearest] <= CLICK_PX else None

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._trial_at(event.position().toPoint())
        if number is not None and event.button() == Qt.MouseButton.LeftButton:
            self.trial_chosen.emit(number)

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            number = self._trial_at(event.pos())
            QToolTip.showText(event.globalPos(), "" if number is None else self._tip_of(number), self)
            return True
        return super().event(event)


def history_picture(study: StudyOverview) -> Picture | None:
    """The accuracy of each complete trial, by its number, and the best so far."""
    trials = study.complete
    if not trials:
        return None
    x, (y, low, high) = np.array([float(trial.number) for trial in trials]), values_of(trials)
    highest = np.maximum.accumulate(y)
    best = np.maximum.accumulate(np.where(y >= highest, np.arange(len(y)), 0))
    steps = np.repeat(best, 2)[:-1]
    at = np.repeat(x, 2)[1:]
    points = _points(trials, x, y)
    return Picture(
        [
            ShareSeries("trial", x, y, "text_muted", low, high, is_dotted=True, is_faint=True),
            ShareSeries("best so far", at, y[steps], "accent", low[steps], high[steps]),
        ],
        (x[0] - 0.5, x[-1] + 0.5),
        _value_range(trials),
        points,
        _dot_among(points),
    )


def slice_picture(study: StudyOverview, name: str) -> Picture | None:
    """The accuracy of each complete trial by its value of one field."""
    trials = study.complete
    axis = next((axis_of(one) for one in study.spec.search if one.name == name), None)
    if not trials or axis is None:
        return None
    x, (y, low, high) = axis.positions(trials), values_of(trials)
    points = _points(trials, x, y)
    series = [ShareSeries("trial", x, y, "accent", low, high, is_dotted=True, is_faint=True)]
    return Picture(series, (-0.06, 1.06), _value_range(trials), points, _dot_among(points), axis.ticks)


def front_picture(study: StudyOverview) -> Picture | None:
    """The accuracy of each complete trial by its second objective, and those that no other is better than in both."""
    trials = [trial for trial in study.complete if trial.second is not None]
    if not trials:
        return None
    name, unit = SECOND_AXES[study.spec.second]
    x, (y, low, high) = np.array([trial.second or 0 for trial in trials]) / unit, values_of(trials)
    points = _points(trials, x, y)
    front = sorted(i for i, trial in enumerate(trials) if trial.number in study.front)
    front.sort(key=lambda i: float(x[i]))
    ends = float(x.min()), float(x.max())
    margin = 0.05 * (ends[1] - ends[0]) or 0.5
    shown = max(0.0, ends[0] - margin), ends[1] + margin
    step = tick_step(shown[1] - shown[0], MOST_TICKS)
    return Picture(
        [
            ShareSeries("trial", x, y, "text_muted", low, high, is_dotted=True, is_faint=True),
            ShareSeries(
                "none is better in both",
                x[front],
                y[front],
                "accent",
                low[front],
                high[front],
                is_dotted=True,
            ),
        ],
        shown,
        _value_range(trials),
        points,
        _dot_among(points),
        tuple((place, f"{place:g}") for place in multiples(*shown, step)),
        caption=f"accuracy by {name}",
    )


def curves_picture(study: StudyOverview) -> Picture | None:
    """The accuracy of all trials after each epoch; that of the chosen one has an interval if it ranks the trials."""
    trials = [trial for trial in study.trials if trial.curve]
    if not trials:
        return None
    series = []
    for name, colour, shown in (
        ("not pruned", "text_muted", [trial for trial in trials if trial.state != "pruned"]),
        ("pruned", "hold_out", [trial for trial in trials if trial.state == "pruned"]),
    ):
        lines = [_line(trial) for trial in shown]
        if lines:
            x, y = (np.concatenate(column) for column in zip(*lines, strict=True))
            series.append(ShareSeries(name, x, y, colour, is_faint=True))
    values = np.concatenate([list((trial.curve or {}).values()) for trial in trials])
    bottom, top = float(np.quantile(values, 0.1)), float(values.max())

    def highlighted(trial: TrialOverview) -> list[ShareSeries]:
        x, y = (one[:-1] for one in _line(trial))
        if not len(x):
            return []
        low = high = None
        if trial.n and not study.spec.has_file:
            low, high = wilson_band(np.round(y * trial.n).astype(int), np.full(len(y), trial.n))
        return [ShareSeries(CHOSEN, x, y, "accent", low, high)]

    points = [
        (float(e), v, trial.number) for trial in trials for e, v in list((trial.curve or {}).items())[-1:]
    ]
    end = max(max(trial.curve or {1: 0}) for trial in trials)
    return Picture(series, (0.9, max(end, 1.5)), _with_margin(bottom, top), points, highlighted)


def importances_picture(
    found: Mapping[str, tuple[float, float, float]], titles: Mapping[str, str]
) -> Picture | None:
    """The importance of each field, the most important first."""
    if not found:
        return None
    x = np.arange(float(len(found)))
    y, low, high = (np.array(column) for column in zip(*found.values(), strict=True))
    ticks = tuple((float(i), titles.get(name, name)) for i, name in enumerate(found))
    series = [ShareSeries("importance", x, y, "accent", low, high, is_dotted=True)]
    return Picture(series, (-0.5, len(x) - 0.5), (-0.02, 1.02), x_ticks=ticks)


def parallel_picture(study: StudyOverview) -> Picture | None:
    """A line for each complete trial through its values and its accuracy, the best tenth in colour."""
    trials = study.complete
    if not trials:
        return None
    axes = [axis_of(one) for one in study.spec.search]
    values, _, _ = values_of(trials)
    low, high = shown = _value_range(trials)
    step = tick_step(high - low, MOST_TICKS)
    of_values = ParameterAxis(
        lambda trial: ((trial.value or 0) - low) / (high - low),
        tuple(((place - low) / (high - low), percent(place)) for place in multiples(*shown, step)),
    )
    axes.append(of_values)
    lines = np.stack([axis.positions(trials) for axis in axes] + [np.full(len(trials), math.nan)], axis=1)
    x = np.append(np.arange(float(len(axes))), math.nan)
    is_good = values >= np.quantile(values, 0.9)
    series = []
    for name, colour, kept in (("other trials", "text_muted", ~is_good), ("best tenth", "accent", is_good)):
        if kept.any():
            at = np.tile(x, int(kept.sum()))
            series.append(ShareSeries(name, at, lines[kept].ravel(), colour, is_faint=colour != "accent"))
    uprights = np.repeat(np.arange(float(len(axes))), 3)
    series.insert(0, ShareSeries("", uprights, np.tile([0.0, 1.0, math.nan], len(axes)), "border"))
    points = [
        (float(i), float(line[i]), trial.number)
        for trial, line in zip(trials, lines, strict=True)
        for i in range(len(axes))
    ]
    line_of = {trial.number: line for trial, line in zip(trials, lines, strict=True)}

    def highlighted(trial: TrialOverview) -> list[ShareSeries]:
        if trial.interval is None or trial.number not in line_of:
            return []
        ends = [(np.clip(at, low, high) - low) / (high - low) for at in (trial.value or 0.0, *trial.interval)]
        at, bottom, top = (np.array([end]) for end in ends)
        return [
            ShareSeries(CHOSEN, x[:-1], line_of[trial.number][:-1], "hold_out"),
            ShareSeries("", x[-2:-1], at, "hold_out", bottom, top, is_dotted=True),
        ]

    labels = [(i + 0.02, at, text) for i, axis in enumerate(axes) for at, text in axis.ticks]
    names = [*study.spec.titles.values(), "Accuracy"]
    ticks = tuple((float(i), name) for i, name in enumerate(names))
    return Picture(series, (-0.15, len(axes) - 0.6), (-0.05, 1.05), points, highlighted, ticks, (), labels)


@dataclass(frozen=True, eq=False)
class ParameterAxis:
    """Where a value of a searched field stands, from 0 to 1; NaN where a trial has none."""

    place_of: Callable[[TrialOverview], float]
    ticks: Ticks

    def positions(self, trials: Sequence[TrialOverview]) -> Numbers:
        return np.array([self.place_of(trial) for trial in trials])


def axis_of(one: Search) -> ParameterAxis:
    """Return the axis of a searched field: its choices side by side, or its range, with the scale that it is searched on."""
    if one.choices:
        places = {value: (i + 0.5) / len(one.choices) for i, value in enumerate(one.choices)}
        ticks = tuple((place, f"{value}") for value, place in places.items())
        return ParameterAxis(lambda trial: places.get(trial.params.get(one.name, ""), math.nan), ticks)

    def scaled(value: float) -> float:
        return math.log(value) if one.is_log else value

    low, high = scaled(one.low), scaled(one.high)

    def place_of(trial: TrialOverview) -> float:
        value = trial.params.get(one.name)
        return (scaled(float(value)) - low) / (high - low) if value is not None else math.nan

    if one.is_log:
        every = max(1, math.ceil((high - low) / math.log(2) / MOST_TICKS))
        count = math.floor((high - low) / math.log(2) / every + 1e-9) + 1
        shown = [one.low * 2.0 ** (every * i) for i in range(count)]
    else:
        shown = multiples(one.low, one.high, tick_step(one.high - one.low, MOST_TICKS))
    return ParameterAxis(
        place_of, tuple(((scaled(value) - low) / (high - low), f"{value:.3g}") for value in shown)
    )


def ranked_on(study: StudyOverview) -> str:
    """What the accuracies are measured on."""
    names = {VALIDATION: "the validation part"}
    return "a file of drawings" if study.spec.has_file else names.get(study.spec.objective, "your hold-out")


def _points(trials: Sequence[TrialOverview], x: Numbers, y: Numbers) -> list[tuple[float, float, int]]:
    return [(float(a), float(b), trial.number) for a, b, trial in zip(x, y, trials, strict=True)]


def _dot_among(
    points: Sequence[tuple[float, float, int]],
) -> Callable[[TrialOverview], Sequence[ShareSeries]]:
    """Return what highlights a trial: its point again, in another colour."""
    places = {number: (np.array([x]), np.array([y])) for x, y, number in points}

    def highlighted(trial: TrialOverview) -> list[ShareSeries]:
        if trial.interval is None or trial.number not in places:
            return []
        low, high = (np.array([end]) for end in trial.interval)
        return [ShareSeries(CHOSEN, *places[trial.number], "hold_out", low, high, is_dotted=True)]

    return highlighted


def _value_range(trials: Sequence[TrialOverview]) -> Range:
    _, low, high = values_of(trials)
    bottom = np.quantile(low, 0.1) if len(low) > WELL_SPREAD else low.min()
    return _with_margin(float(bottom), float(high.max()))


def _with_margin(bottom: float, top: float) -> Range:
    margin = 0.06 * (top - bottom) or 0.02
    return max(-0.02, bottom - margin), min(1.0 + margin, top + margin)


def _line(trial: TrialOverview) -> tuple[Numbers, Numbers]:
    """The curve of a trial, and a break."""
    curve = trial.curve or {}
    return np.array([*curve, math.nan], float), np.array([*curve.values(), math.nan], float)
