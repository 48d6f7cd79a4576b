"""Live curves of a run: loss above, accuracy below, over epochs."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from qtdigits.core.history import History
from qtdigits.gui.curve_plot import WIDE_PEN_MOST_POINTS, CurvePlot, Numbers
from qtdigits.gui.overriding import override
from qtdigits.gui.parts import label
from qtdigits.gui.theme import Theme

REDRAW_MS = 33
"""One plot at a time, so that each is redrawn 15 times a second and no redraw holds up the canvas for long."""
SETTLED_PART = 0.1
"""The first tenth of a run falls too fast to set the range by."""
WHOLE_RUN_EPOCHS = 30
"""Up to so many epochs the axis shows the whole run from the start; longer runs are uncovered in doubling steps."""


class Curves(QWidget):
    """Shows a `History` that grows. Telling it so costs nothing; it redraws by a timer, and only what can be seen."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._history = History()
        self._steps_per_epoch = 1
        self._epochs = 10
        self._is_running = True
        self._legend = Legend(("batches", "training", "validation", "best epoch"))
        self._loss = self._plot("lossPlot", "Loss over epochs", is_share=False)
        self._accuracy = self._plot("accuracyPlot", "Accuracy over epochs", is_share=True)
        self._stale: list[CurvePlot] = []
        self._redraw_timer = QTimer(self, interval=REDRAW_MS)
        self._redraw_timer.timeout.connect(self._redraw_next)
        self._lay_out()
        self.set_theme(theme)

    def begin(self, history: History, *, steps_per_epoch: int, epochs: int) -> None:
        """Show another run from now on."""
        self._history = history
        self._steps_per_epoch = max(1, steps_per_epoch)
        self._epochs = max(1, epochs)
        self._is_running = True
        self._set_pens()
        for plot in (self._loss, self._accuracy):
            plot.forget()
        self.redraw()

    @Slot()
    def history_grew(self) -> None:
        self._stale += [plot for plot in (self._loss, self._accuracy) if plot not in self._stale]
        if not self._redraw_timer.isActive() and self.isVisible():
            self._redraw_timer.start()

    def finish(self) -> None:
        """The run is over: the axis ends where the curves end."""
        self._is_running = False
        self.redraw()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for plot in (self._loss, self._accuracy):
            plot.set_theme(theme)
        faint = QColor(theme.text_muted)
        faint.setAlphaF(0.55)
        self._pens = {
            "batches": QPen(faint, 1),
            "training": QPen(QColor(theme.text_muted), 2),
            "validation": QPen(QColor(theme.accent), 2),
        }
        best = QPen(QColor(theme.good), 1.5, Qt.PenStyle.DashLine)
        self._legend.set_pens({**self._pens, "best epoch": best}, QColor(theme.text_muted))
        self._set_pens()
        self.redraw()

    @Slot()
    def redraw(self) -> None:
        """Bring both plots up to the history at once."""
        self._stale = [self._loss, self._accuracy]
        while self._stale:
            self._redraw_next()

    @Slot()
    def _redraw_next(self) -> None:
        if not self._stale:
            self._redraw_timer.stop()
            return
        plot = self._stale.pop(0)
        name = "loss" if plot is self._loss else "accuracy"
        batches, epochs = self._history.batches, self._history.epochs
        batch_x = batches["step"] / self._steps_per_epoch
        plot.set_curve("batches", batch_x, batches[name])
        # The mean over an epoch stands in its middle, the validation at its end.
        plot.set_curve("training", epochs["epoch"] - 0.5, epochs[name])
        plot.set_curve("validation", epochs["epoch"], epochs[f"val_{name}"])
        plot.set_best(self._history.best_epoch or None)
        settled = batches[name][batch_x >= SETTLED_PART * batch_x[-1:].sum()]
        plot.show_range(x_end=self._x_end(batch_x), values=(settled, epochs[f"val_{name}"]))

    def _plot(self, name: str, title: str, *, is_share: bool) -> CurvePlot:
        plot = CurvePlot(is_share=is_share)
        plot.setObjectName(name)
        plot.setAccessibleName(title)
        plot.setToolTip("Wheel or drag to look closer, double click to see all")
        for curve in ("batches", "training", "validation"):
            plot.add_curve(curve, is_dense=curve == "batches")
        plot.view_changed.connect(self.redraw)
        return plot

    def _lay_out(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        top = QHBoxLayout()
        top.addWidget(label("Loss", role="heading"))
        top.addWidget(self._legend, 1)
        box.addLayout(top)
        box.addWidget(self._loss, 1)
        box.addSpacing(6)
        box.addWidget(label("Accuracy", role="heading"))
        box.addWidget(self._accuracy, 1)

    def _set_pens(self) -> None:
        width_px = 2 if self._epochs <= WIDE_PEN_MOST_POINTS else 1
        for plot in (self._loss, self._accuracy):
            for name, pen in self._pens.items():
                plot.set_pen(name, pen.color(), width_px=1 if name == "batches" else width_px)

    def _x_end(self, batch_x: Numbers) -> float:
        reached = max([*batch_x[-1:], *self._history.epochs["epoch"][-1:], 0.0])
        if not self._is_running:
            return float(reached) or 1.0
        shown = WHOLE_RUN_EPOCHS * 2 ** np.ceil(np.log2(max(1.0, reached / WHOLE_RUN_EPOCHS)))
        return float(min(self._epochs, shown))

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.redraw()


class Legend(QWidget):
    """Names of curves with a piece of their line, right-aligned in one row."""

    LINE_PX = 18
    GAP_PX = 6
    BETWEEN_PX = 18

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._pens: dict[str, QPen] = {}
        self._text = QColor()
        self.setAccessibleName(f"Curves: {', '.join(names)}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_pens(self, pens: dict[str, QPen], text: QColor) -> None:
        self._pens, self._text = pens, text
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(10, self.fontMetrics().height() + 4)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, right, middle = self.fontMetrics(), float(self.width()), self.height() / 2
        for name in reversed(self._names):
            start = right - metrics.horizontalAdvance(name)
            line = start - self.GAP_PX - self.LINE_PX
            if line < 0:
                break
            painter.setPen(self._text)
            painter.drawText(QPointF(start, middle + metrics.capHeight() / 2), name)
            painter.setPen(self._pens[name])
            painter.drawLine(QPointF(line, middle), QPointF(line + self.LINE_PX, middle))
            right = line - self.BETWEEN_PX
