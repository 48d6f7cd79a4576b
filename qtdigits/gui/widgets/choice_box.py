"""A combo box under a style sheet: Qt draws no arrow there without an image file, and cuts the list of choices short."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import QComboBox, QStyledItemDelegate
from typing_extensions import override

ARROW_WIDTH_PX = 8.0
ARROW_FROM_RIGHT_PX = 13.0


class ChoiceBox(QComboBox):
    """A choice by pointer leaves the keyboard where it is; the wheel changes nothing unless the box has the keyboard."""

    def __init__(self, *, name: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setItemDelegate(QStyledItemDelegate(self))  # the one that heeds the style sheet

    @override
    def showPopup(self) -> None:
        """As wide as its longest choice, where that is wider than the box."""
        view = self.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + 2 * view.frameWidth())
        super().showPopup()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(
            QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        centre = QPointF(self.width() - ARROW_FROM_RIGHT_PX, self.height() / 2)
        half, quarter = ARROW_WIDTH_PX / 2, ARROW_WIDTH_PX / 4
        painter.drawPolyline(
            [
                centre + QPointF(-half, -quarter),
                centre + QPointF(0, quarter),
                centre + QPointF(half, -quarter),
            ]
        )

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()
