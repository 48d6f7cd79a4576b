"""A confusion matrix to point at and choose cells of."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent
from qtdigits.core.score.metrics import Score
from qtdigits.gui.widgets.colours import mixed, theme_of
from qtdigits.gui.widgets.painting import ARROW_STEPS

LEAST_CELL_PX = 3.0
LEAST_SIDE_PX = 200
LEAST_COUNT_CELL_PX = 12.0
LEAST_LABEL_CELL_PX = 6.0
"""In smaller cells only the labels of the one that is pointed at are shown."""
MOST_CELL_PX = 40.0
LEAST_WRONG = 6
"""The least number of mistakes with the full colour, so that one in a small set does not look glaring."""
FAINTEST = 0.10
"""Strength of the colour of a cell with one drawing; it grows with the logarithm of the count."""

_CHOOSING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class ConfusionMatrix(QWidget):
    """Rows are what was drawn, columns what was read. Right answers are blue, wrong ones orange, the darker the more.

    The pointer or the arrow keys go from cell to cell; `cell_described` says in words what is in it ("" outside). A click, Enter
    or the space bar choose a cell: `cell_chosen` carries row and column.
    """

    cell_described = Signal(str)
    cell_chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes: tuple[str, ...] = ()
        self._counts: NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self._most_right = self._most_wrong = 1
        self._current: tuple[int, int] | None = None
        self._chosen: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Confusion matrix")

    def set_score(self, score: Score) -> None:
        before, shown = self._counts, (self._classes, self._most_right, self._most_wrong)
        self._classes, self._counts = score.classes, score.confusion
        right = np.diagonal(score.confusion)
        self._most_right = max(2, int(right.max(initial=0)))
        self._most_wrong = max(LEAST_WRONG, int((score.confusion - np.diag(right)).max(initial=0)))
        self._set_current(None)
        self.set_chosen(None)
        self.setAccessibleDescription(confusions_text(score))
        if shown == (self._classes, self._most_right, self._most_wrong):
            for row, column in np.argwhere(self._counts != before):
                self.update(self.cell_rect(int(row), int(column)).toAlignedRect())
            return
        self.setMaximumWidth(round((len(score.classes) + 1) * MOST_CELL_PX + self.fontMetrics().height() + 2))
        self.updateGeometry()
        self.update()

    def set_chosen(self, cell: tuple[int, int] | None) -> None:
        """Mark the cell whose drawings are shown."""
        if cell != self._chosen:
            self._chosen = cell
            self.update()

    def describe(self, row: int, column: int) -> str:
        """Such as "4 read as 9: 12 of 980 (1.2 %)"."""
        count, total = int(self._counts[row, column]), int(self._counts[row].sum())
        share = f" ({percent(count / total)})" if total else ""
        what = "read rightly" if row == column else f"read as {self._classes[column]}"
        return f"{self._classes[row]} {what}: {count:,} of {total:,}{share}"

    def cell_at(self, position: QPointF) -> tuple[int, int] | None:
        """Return row and column at a place in the widget."""
        corner, cell = self._geometry()
        column = math.floor((position.x() - corner.x()) / cell)
        row = math.floor((position.y() - corner.y()) / cell)
        k = len(self._classes)
        return (row, column) if 0 <= row < k and 0 <= column < k else None

    def cell_rect(self, row: int, column: int) -> QRectF:
        corner, cell = self._geometry()
        return QRectF(corner.x() + column * cell, corner.y() + row * cell, cell, cell)

    def _geometry(self) -> tuple[QPointF, float]:
        """Return the top left corner of the first cell and the side of a cell. One more row and column hold the labels."""
        k = len(self._classes) + 1
        title = self.fontMetrics().height() + 2.0
        room = min((self.width() - title) / k, (self.height() - title) / k)
        cell = max(LEAST_CELL_PX, min(MOST_CELL_PX, room))
        return QPointF(title + cell, title + cell), cell

    def _set_current(self, cell: tuple[int, int] | None) -> None:
        if cell != self._current:
            self._current = cell
            self.cell_described.emit(self.describe(*cell) if cell else "")
            self.update()

    def _paint_titles(self, painter: QPainter, corner: QPointF, side: float) -> None:
        painter.setPen(QColor(theme_of(self).text_muted))
        height = self.fontMetrics().height() + 2.0
        painter.drawText(QRectF(corner.x(), 0, side, height), Qt.AlignmentFlag.AlignCenter, "read as")
        painter.save()
        painter.translate(0, corner.y() + side)
        painter.rotate(-90)
        painter.drawText(QRectF(0, 0, side, height), Qt.AlignmentFlag.AlignCenter, "drawn")
        painter.restore()

    def _paint_labels(self, painter: QPainter, corner: QPointF, cell: float) -> None:
        theme = theme_of(self)
        for i, label in enumerate(self._classes):
            is_current = self._current is not None and i in self._current
            if cell < LEAST_LABEL_CELL_PX and not is_current:
                continue
            painter.setPen(QColor(theme.text if is_current else theme.text_muted))
            above = QRectF(corner.x() + i * cell, corner.y() - cell, cell, cell)
            beside = QRectF(corner.x() - cell, corner.y() + i * cell, cell, cell)
            painter.drawText(above, Qt.AlignmentFlag.AlignCenter, label)
            painter.drawText(beside, Qt.AlignmentFlag.AlignCenter, label)

    def _paint_cells(self, painter: QPainter, corner: QPointF, cell: float, stale: QRectF) -> None:
        for (row, column), count in np.ndenumerate(self._counts):
            rect = QRectF(corner.x() + column * cell, corner.y() + row * cell, cell, cell)
            if stale.intersects(rect):
                self._paint_cell(painter, rect, int(count), is_right=row == column)

    def _paint_small_cells(self, painter: QPainter, corner: QPointF, cell: float) -> None:
        """Paint all cells as one picture: of two hundred classes there are 40,000, too small for a figure."""
        k = len(self._classes)
        on_diagonal, colours = np.eye(k, dtype=bool), np.zeros((k, k), np.uint32)
        for is_right in (True, False):
            chosen = on_diagonal == is_right
            for count in np.unique(self._counts[chosen]):
                colour = self._fill(int(count), is_right=is_right).rgb()
                colours[chosen & (self._counts == count)] = colour
        image = QImage(colours.tobytes(), k, k, 4 * k, QImage.Format.Format_RGB32)
        painter.drawImage(QRectF(corner.x(), corner.y(), cell * k, cell * k), image)

    def _paint_cell(self, painter: QPainter, rect: QRectF, count: int, *, is_right: bool) -> None:
        inner = rect.adjusted(0.75, 0.75, -0.75, -0.75)
        fill = self._fill(count, is_right=is_right)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(inner, 2, 2)
        if count and rect.width() >= LEAST_COUNT_CELL_PX:
            painter.setPen(readable_on(fill))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, short_count(count))

    def _fill(self, count: int, *, is_right: bool) -> QColor:
        theme = theme_of(self)
        if count == 0:
            return mixed(theme.grid, theme.surface, 0.55)
        most = self._most_right if is_right else self._most_wrong
        strength = FAINTEST + (1 - FAINTEST) * math.log1p(count) / math.log1p(most)
        return mixed(theme.accent if is_right else theme.hold_out, theme.surface, min(1.0, strength))

    @override
    def sizeHint(self) -> QSize:
        side = round((len(self._classes) + 2) * 30)
        return QSize(side, side)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST_SIDE_PX, LEAST_SIDE_PX)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._classes:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        corner, cell = self._geometry()
        self._paint_titles(painter, corner, cell * len(self._classes))
        font = QFont(self.font())
        font.setPixelSize(round(max(5.0, min(0.36 * cell, 13.0) if cell > 20 else 0.55 * cell)))
        painter.setFont(font)
        self._paint_labels(painter, corner, cell)
        if cell < LEAST_COUNT_CELL_PX:
            self._paint_small_cells(painter, corner, cell)
        else:
            self._paint_cells(painter, corner, cell, QRectF(event.rect()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for marked, width in ((self._current, 1.5), (self._chosen, 2.5)):
            if marked is not None:
                painter.setPen(QPen(QColor(theme_of(self).text), width))
                painter.drawRoundedRect(self.cell_rect(*marked), 2, 2)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_current(self.cell_at(event.position()))

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.cell_chosen.emit(*cell)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._set_current(None)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._current is not None and event.key() in _CHOOSING:
            self.cell_chosen.emit(*self._current)
            return
        step = ARROW_STEPS.get(Qt.Key(event.key()))
        if step is None or not self._classes:
            super().keyPressEvent(event)
            return
        row, column = self._current or (0, 0)
        last = len(self._classes) - 1
        self._set_current((min(last, max(0, row + step[0])), min(last, max(0, column + step[1]))))

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.describe(*cell) if cell else "", self)
            return True
        return super().event(event)


def confusions_text(score: Score) -> str:
    """Return the most frequent confusions in words."""
    worst = [f"{truth} as {answer} ({count:,})" for truth, answer, count in score.worst_confusions(4)]
    return "Most often misread: " + ", ".join(worst) if worst else "Nothing was misread."


def short_count(count: int) -> str:
    """Return a count in at most four characters: 9842, 12k."""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.0f}k"


def readable_on(colour: QColor) -> QColor:
    """Return white for a background with at least 3:1 to it (WCAG 2 relative luminance), else black."""

    def linear(part: float) -> float:
        return float(part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(c) for c in (colour.redF(), colour.greenF(), colour.blueF()))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return QColor("#ffffff") if 1.05 / (luminance + 0.05) >= 3 else QColor("#14161a")
