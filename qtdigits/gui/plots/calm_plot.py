"""A plot that stays calm: colours of the window, no auto-range, no menu; the mouse moves and zooms x unless y is meant."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtWidgets import QGraphicsItem, QWidget
from typing_extensions import override

from qtdigits.core.run.curves import Scale
from qtdigits.gui.plots.axes import RunAxis, ValueAxis
from qtdigits.gui.widgets.colours import theme_of

AXIS_WIDTH_PX = 58
LEAST_HEIGHT_PX = 96
PAN_PART = 0.1
"""Of what is in view; a key or a notch of the wheel moves the view by it."""
NOTCH = 120
LEAST_HIGH_DRAG_PX = 24
"""A marked rectangle that is less high is a stretch of the run, with whatever values are in it."""


class CalmView(pg.ViewBox):
    """A view without auto-range, whose mouse gestures change x unless they are meant for y."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self.disableAutoRange()
        self.pans_heights = self.marks_rectangle = False

    @override
    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        """Zoom x; with Ctrl the heights; a wheel that turns sideways, or with Shift, moves the view."""
        with_ctrl, with_shift = (
            bool(ev.modifiers() & key)
            for key in (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier)
        )
        if axis is None and (with_shift or ev.orientation() == Qt.Orientation.Horizontal):
            self.translateBy(x=-ev.delta() / NOTCH * PAN_PART * self.viewRect().width())
            ev.accept()
        else:
            super().wheelEvent(ev, int(with_ctrl) if axis is None else axis)

    @override
    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        is_left = ev.button() == Qt.MouseButton.LeftButton
        if ev.isStart():
            is_marking = self.marks_rectangle and is_left and axis is None
            self.setMouseMode(self.RectMode if is_marking else self.PanMode)
        is_marking = self.state["mouseMode"] == self.RectMode
        super().mouseDragEvent(ev, axis if is_marking or axis is not None or self.pans_heights else 0)
        if ev.isFinish():
            self.setMouseMode(self.PanMode)

    @override
    def showAxRect(self, ax: QRectF, **kwargs: Any) -> None:
        """Zoom to a marked rectangle."""
        rect = ax.normalized()
        is_high = rect.height() >= LEAST_HIGH_DRAG_PX * self.viewPixelSize()[1]
        heights = (rect.top(), rect.bottom()) if is_high else None
        self.setRange(xRange=(rect.left(), rect.right()), yRange=heights, padding=0)


class CalmPlot(pg.PlotWidget):
    """A `PlotWidget` in the colours of the window, with a horizontal grid, no menu, and ranges that are only set from outside.

    `is_cached`: axes are painted once for each range; not for pictures on paper, which may be larger than the screen.
    """

    def __init__(self, *, scale: Scale, is_cached: bool = True, parent: QWidget | None = None) -> None:
        self.value_axis, self.run_axis = ValueAxis(scale), RunAxis()
        self.view = CalmView()
        super().__init__(
            parent, viewBox=self.view, axisItems={"left": self.value_axis, "bottom": self.run_axis}
        )
        self.hideButtons()
        self.setMenuEnabled(False)
        self.value_axis.setWidth(AXIS_WIDTH_PX)
        self.value_axis.setGrid(255)
        self.getPlotItem().layout.setContentsMargins(0, 6, 20, 0)
        for axis in (self.value_axis, self.run_axis):
            axis.setZValue(-1)  # the grid below the curves
            if is_cached:
                axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.setMinimumHeight(LEAST_HEIGHT_PX)
        self.setFrameShape(self.Shape.NoFrame)
        self.dress()

    def dress(self) -> None:
        """Take on the colours and the font of the widget."""
        self.theme = theme_of(self)
        self._dressed_in = self.theme, self.font()
        self.setBackground(self.theme.surface)
        for axis in (self.value_axis, self.run_axis):
            axis.dress(self.theme, self.font())
        self.run_axis.setHeight(self.fontMetrics().height() + 8)

    @override
    def sizeHint(self) -> QSize:
        return QSize(500, LEAST_HEIGHT_PX)  # a scene wishes for as much as it would hold

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        changed = event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange)
        if changed and self.plotItem is not None and self._dressed_in != (theme_of(self), self.font()):
            self.dress()
