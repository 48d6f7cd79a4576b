"""Charts of shares: running accuracy, learning curve, reliability diagram. They are looked at, not zoomed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QToolTip, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent, percent_range
from qtdigits.core.run.curves import Downsampled, Numbers, Quantity, Range, Scale, XAxis, nice_above
from qtdigits.core.score.calibration import NO_CONFIDENCES, Bin, Reliability
from qtdigits.core.score.learning import (
    MOST_POINTS,
    WINDOW,
    LearningCurve,
    LearningPoint,
    RunningCurve,
    merge_points,
)
from qtdigits.core.score.metrics import Tally, wilson_band
from qtdigits.gui.plots.calm_plot import CalmPlot
from qtdigits.gui.plots.legend import FAINT_PART
from qtdigits.gui.widgets.colours import Theme, mixed, theme_of
from qtdigits.gui.widgets.parts import elided_label, label

SHARE = Scale(Quantity("share", "Share", is_share=True))
BAND_PART, BAR_PART = 0.16, 0.35
"""How much of its colour a band and a bar have; the rest is the ground."""
MOST_SMOOTH_POINTS = 500
LEAST_SPREAD = 0.04
COUNTS_PX = 46
NO_DRAWINGS = "The curve begins with the first drawing that is judged."


@dataclass(frozen=True, eq=False)
class ShareSeries:
    """A line through `(n,)` points, `y` as shares of 1, with a band from `low` to `high` where these are given.

    `colour` names a colour of the theme. `is_dotted`: points with error bars instead of a line with a band. `is_faint`: most of
    its colour is that of the ground. NaN in `y` breaks the line.
    """

    name: str
    x: Numbers
    y: Numbers
    colour: str
    low: Numbers | None = None
    high: Numbers | None = None
    is_dotted: bool = False
    is_faint: bool = False

    @property
    def kind(self) -> tuple[object, ...]:
        """Two of the same kind are drawn by the same items."""
        return self.name, self.colour, self.is_faint, self.is_dotted or len(self.x) == 1, self.is_sparse

    @property
    def is_sparse(self) -> bool:
        """Few enough points to be drawn with smooth edges."""
        return len(self.x) <= MOST_SMOOTH_POINTS


class DrawnShares:
    """What shows a `ShareSeries` on a plot: a line with a band, or dots with error bars."""

    def __init__(self, plot: CalmPlot, one: ShareSeries, theme: Theme) -> None:
        self._shown: ShareSeries | None = None
        colour = getattr(theme, one.colour)
        if one.is_faint:
            colour = mixed(colour, theme.surface, FAINT_PART).name()
        pen = pg.mkPen(colour)  # of one pixel: Qt draws a wider one ten times slower
        dots = {"symbol": "o", "symbolSize": 6, "symbolBrush": QColor(colour), "symbolPen": None}
        self._line = pg.PlotDataItem(
            name=one.name,
            pen=None if one.is_dotted else pen,
            antialias=one.is_sparse,
            connect="finite",
            dynamicRangeLimit=None,
            **(dots if one.is_dotted or len(one.x) == 1 else {}),
        )
        self._bars = pg.ErrorBarItem(pen=pen)
        self._band = pg.PlotCurveItem(pen=None, brush=_band(colour), fillLevel="enclosed")
        for item in (self._bars, self._band, self._line):
            plot.addItem(item)

    def show(self, one: ShareSeries) -> None:
        """Show its points: another series of the same kind."""
        if one is self._shown:
            return
        self._shown = one
        self._line.setData(one.x, one.y)
        if one.low is None or one.high is None:
            return
        if one.is_dotted:
            self._bars.setData(x=one.x, y=one.y, top=one.high - one.y, bottom=one.y - one.low)
        else:
            there_and_back = np.concatenate([one.x, one.x[::-1]])
            self._band.setData(there_and_back, np.concatenate([one.low, one.high[::-1]]))


class Chart(QWidget):
    """A caption, a legend, and plots; or a sentence where there is nothing to show."""

    def __init__(
        self, title: str, caption: str, empty: str, *, size: QSize, parent: QWidget | None = None
    ) -> None:
        """`empty`: what is said where there is nothing to show. `size`: what it likes to have."""
        super().__init__(parent)
        self._size = size
        self.setAccessibleName(title)
        self.setAccessibleDescription(empty)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._empty = empty
        self._is_stale = False
        self._legend = label(role="muted")
        self._plots = QWidget()
        top = QHBoxLayout()
        self._caption = elided_label(role="muted")
        self._caption.setText(caption)
        top.addWidget(self._caption, 1)
        top.addWidget(self._legend)
        column = self._column = QVBoxLayout(self._plots)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        nothing = label(empty, role="muted", wraps=True)
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(nothing)
        self._pages.addWidget(self._plots)

    def _add_plot(self, height_px: int | None = None) -> CalmPlot:
        plot = CalmPlot(scale=SHARE)
        plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if height_px is not None:
            plot.setMinimumHeight(0)
            plot.setFixedHeight(height_px)
        self._column.addWidget(plot)
        return plot

    def _show(self, *, is_empty: bool, description: str) -> None:
        self._pages.setCurrentIndex(0 if is_empty else 1)
        self.setAccessibleDescription(self._empty if is_empty else description)
        self._is_stale = True
        if self.isVisible():
            self._draw_now()

    def _draw_now(self) -> None:
        """What nobody sees is drawn when it is shown."""
        if self._is_stale:
            self._is_stale = False
            self._draw()

    def _draw(self) -> None:
        """Draw what there is in the colours of the widget."""
        raise NotImplementedError

    @override
    def sizeHint(self) -> QSize:
        return self._size

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._pages.currentIndex() == 1:
            self._draw()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw_now()


class ShareChart(Chart):
    """Shares over a count. `from_top`: 100 % is the fixed end of the axis (accuracy), otherwise 0 % (errors)."""

    def __init__(
        self,
        title: str,
        caption: str,
        *,
        from_top: bool,
        empty: str = NO_DRAWINGS,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, caption, empty, size=QSize(320, 160), parent=parent)
        self._fixed = 1.0 if from_top else 0.0
        self._series: tuple[ShareSeries, ...] = ()
        self._drawn: list[DrawnShares] = []
        self._drawn_kinds: list[object] = []
        self._plot = self._add_plot()
        self._plot.run_axis.show_axis(XAxis.STEP)

    def show_series(self, series: Sequence[ShareSeries], description: str) -> None:
        """`description` is what the chart shows, in words."""
        self._series = tuple(one for one in series if len(one.x))
        self._show(is_empty=not self._series, description=description)

    @override
    def _draw(self) -> None:
        kinds: list[object] = [theme_of(self), *(one.kind for one in self._series)]
        if kinds != self._drawn_kinds:
            self._drawn_kinds = kinds
            self._plot.clear()
            self._drawn = [DrawnShares(self._plot, one, theme_of(self)) for one in self._series]
            self._legend.setText(
                "&nbsp;&nbsp; ".join(self._legend_entry(one) for one in self._series if one.name)
            )
        for drawn, one in zip(self._drawn, self._series, strict=True):
            drawn.show(one)
        x_range, y_range = self._ranges()
        self._plot.view.setRange(xRange=x_range, yRange=y_range, padding=0)

    def _ranges(self) -> tuple[Range, Range]:
        end = max((float(one.x[-1]) for one in self._series), default=1.0) or 1.0
        spread = self._spread()
        ends = (1.0 - spread, 1.0) if self._fixed else (0.0, spread)
        margin = 0.02 * spread
        return (0.0, end), (ends[0] - margin, ends[1] + margin)

    def _legend_entry(self, one: ShareSeries) -> str:
        colour = getattr(theme_of(self), one.colour)
        return f'<span style="color: {colour}">{"●" if one.is_dotted else "━"}</span> {one.name}'

    def _spread(self) -> float:
        """The first points swing: the range is set by what most of the points need, and by the newest end of the bands."""
        distances = [np.abs(self._fixed - one.y) for one in self._series]
        tops = [1.35 * float(np.sort(d)[int(0.95 * (len(d) - 1)) if len(d) > 20 else -1]) for d in distances]
        bands = [one.low if self._fixed else one.high for one in self._series]
        ends = [abs(self._fixed - float(band[-1])) for band in bands if band is not None]
        return nice_above(min(1.0, max([*tops, *ends, LEAST_SPREAD])))


class RunningAccuracyChart(ShareChart):
    """How the share of drawings read right came about, judgement by judgement."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Running accuracy", "read right, by drawings judged", from_top=True, parent=parent)

    def show_curve(self, curve: RunningCurve, description: str, *, before: Tally) -> None:
        """`before`: what was judged before the model in use learned this hand, empty where there was no such time."""
        after, moving_after = curve.after.astype(float), curve.moving_after.astype(float)
        everything = ShareSeries("all", after, curve.share, "accent", curve.low, curve.high)
        visible = Downsampled(start=0, end=moving_after[-1] if len(moving_after) else 1, columns=MOST_POINTS)
        recent = ShareSeries(f"last {WINDOW}", *visible.update(moving_after, curve.moving), "hold_out")
        level = []
        if before.n and len(after):
            share, low, high = (np.array([value, value]) for value in (before.accuracy, *before.interval))
            level = [ShareSeries("before", np.array([0.0, after[-1]]), share, "text_muted", low, high)]
        self.show_series([*level, everything, recent], description)


class LearningCurveChart(ShareChart):
    """How many drawings are misread by how many were learned from: what was judged, and what to expect."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Learning curve", "misread, by drawings learned from", from_top=False, parent=parent)

    def show_curve(
        self, curve: LearningCurve | None, amounts: Sequence[LearningPoint], description: str
    ) -> None:
        """`curve`: fitted to the amounts, None where there are too few."""
        if not amounts:
            self.show_series((), description)
            return
        kept = merge_points(amounts)
        learned, wrong, n = (np.array([getattr(a, name) for a in kept]) for name in ("learned", "wrong", "n"))
        bars = wilson_band(wrong, n)
        judged = ShareSeries("judged", learned.astype(float), wrong / n, "text_muted", *bars, is_dotted=True)
        expected = []
        if curve is not None:
            # From no learning to twice what was learned from; denser where the curve bends.
            x = 2 * curve.points[-1].learned * np.linspace(0, 1, 25) ** 2
            low, middle, high = curve.errors(x)
            expected = [ShareSeries("expected", x, middle, "accent", low, high)]
        self.show_series([*expected, judged], description)


class ReliabilityChart(Chart):
    """A dot and Wilson's 95 % interval for each bin of confidence; on the diagonal, answers are right as often as they say.

    Below it the number of answers in each bin, by its logarithm: nearly all of a good network's lie in the last one.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        size, caption = QSize(340, 300), "right, by how sure the answer was"
        super().__init__("Calibration", caption, NO_CONFIDENCES, size=size, parent=parent)
        self._bins: Reliability = ()
        self._diagram, self._counts = self._add_plot(), self._add_plot(COUNTS_PX + 28)
        quarters = [(step / 4, f"{25 * step} %") for step in range(5)]
        self._diagram.value_axis.setTicks([quarters])
        self._diagram.run_axis.setTicks([[(share, "") for share, _ in quarters]])
        self._diagram.run_axis.setHeight(4)
        self._counts.value_axis.setTicks([[(0.5, "n")]])
        self._counts.value_axis.setGrid(False)
        self._counts.run_axis.setTicks([quarters])
        self.setMinimumHeight(230)

    def show_bins(self, bins: Reliability) -> None:
        self._bins = bins
        self._show(is_empty=not bins, description="; ".join(map(bin_text, bins)))

    @override
    def _draw(self) -> None:
        theme, bins = theme_of(self), self._bins
        for plot in (self._diagram, self._counts):
            plot.clear()
            plot.view.setRange(xRange=(0, 1), yRange=(-0.02, 1.02), padding=0)
        if not bins:
            return
        dash = pg.mkPen(theme.text_muted, style=Qt.PenStyle.DashLine)
        self._diagram.addItem(pg.PlotDataItem([0, 1], [0, 1], pen=dash))
        x, y = np.array([b.confidence for b in bins]), np.array([b.accuracy for b in bins])
        low, high = np.array([b.interval for b in bins]).T
        pen = pg.mkPen(theme.accent, width=1.5)
        self._diagram.addItem(pg.ErrorBarItem(x=x, y=y, top=high - y, bottom=y - low, pen=pen))
        self._diagram.addItem(
            pg.PlotDataItem(
                x,
                y,
                name="right",
                pen=None,
                symbol="o",
                symbolSize=7,
                symbolBrush=theme.accent,
                symbolPen=None,
            )
        )
        most = math.log1p(max(b.n for b in bins))
        self._counts.addItem(
            pg.BarGraphItem(
                x0=[b.low + 0.002 for b in bins],
                x1=[b.high - 0.002 for b in bins],
                height=[max(0.04, math.log1p(b.n) / most) for b in bins],
                brush=mixed(theme.accent, theme.surface, BAR_PART),
                pen=None,
            )
        )

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            place = self._diagram.mapFrom(self, event.pos())
            x = self._diagram.view.mapSceneToView(self._diagram.mapToScene(place)).x()
            found = next((bin_text(b) for b in self._bins if b.low <= x < b.high), "")
            QToolTip.showText(event.globalPos(), found, self)
            return True
        return super().event(event)


def bin_text(found: Bin) -> str:
    """Such as "93 to 100 % sure (98.4 % on average): 99.1 % of 5,812 right"."""
    return (
        f"{percent_range(found.low, found.high, 0)} sure ({percent(found.confidence)} on average): "
        f"{percent(found.accuracy)} of {found.n:,} right"
    )


def _band(colour: str) -> QColor:
    faint = QColor(colour)
    faint.setAlphaF(BAND_PART)
    return faint
