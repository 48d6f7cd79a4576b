"""Small parts that panels are made of."""

from __future__ import annotations

import re
from typing import TypeVar

from PySide6.QtCore import QObject, QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyledItemDelegate,
    QTableWidget,
    QWidget,
)
from typing_extensions import override

NO_BREAK = "\N{NO-BREAK SPACE}"
_TOGETHER = re.compile(
    r"(?<=\d) (?=%|points?\b|(?:to|→) [+-]?\d)|(?<=\d to) (?=[+-]?\d)|(?<=\d →) (?=\d)|(?<=95 %) (?=interval)"
)
"""Blanks where no line may end, such as those of "81.2 → 93.8 %", "95 % interval" and "0.3 points"."""


class ElidedLabel(QLabel):
    """A label that gives way: what does not fit ends in "…", and the tool tip has the whole."""

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip(self.text() if shown != self.text() else "")
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class WrappedLabel(QLabel):
    """A label of several lines: a figure stays with its unit, and a range in one piece. `text` has plain blanks."""

    @override
    def setText(self, text: str) -> None:
        super().setText(_TOGETHER.sub(NO_BREAK, text))

    @override
    def text(self) -> str:
        return super().text().replace(NO_BREAK, " ")


def label(text: str = "", *, role: str = "", name: str = "", wraps: bool = False) -> QLabel:
    """`role` is one of the style sheet's: heading, muted, error, warning or good."""
    made = WrappedLabel() if wraps else QLabel()
    made.setText(text)
    return _dressed(made, role, name, wraps)


def elided_label(*, role: str = "", name: str = "") -> ElidedLabel:
    made = ElidedLabel()
    _dressed(made, role, name, wraps=False)
    return made


def button(text: str, name: str, tip: str = "", *, is_primary: bool = False) -> QPushButton:
    """A push button that leaves the keyboard with the canvas when it is clicked."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setToolTip(tip)
    made.setAccessibleDescription(tip)
    if is_primary:
        made.setProperty("role", "primary")
    return made


def frame(name: str) -> QFrame:
    made = QFrame()
    made.setObjectName(name)
    return made


def scrolling(page: QWidget) -> QScrollArea:
    """A page that may be larger than its place: it must not push the window apart."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    return area


def give_role(widget: QWidget, role: str) -> None:
    """Change the role of a widget that may be shown already."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        if widget.testAttribute(
            Qt.WidgetAttribute.WA_WState_Polished
        ):  # else it is dressed when it is first shown
            widget.style().unpolish(widget)
            widget.style().polish(widget)


def _dressed(made: QLabel, role: str, name: str, wraps: bool) -> QLabel:
    made.setObjectName(name)
    made.setProperty("role", role)
    made.setWordWrap(wraps)
    return made


AnyObject = TypeVar("AnyObject", bound=QObject)


def named(thing: AnyObject, name: str) -> AnyObject:
    """`thing`, with its object name set. (Qt takes `objectName=` in constructors, but its type stubs do not know that.)"""
    thing.setObjectName(name)
    return thing


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


class PlainTable(QTableWidget):
    """The page that it stands on scrolls; `fit_height` when the rows have changed."""

    def __init__(self, n_columns: int, *, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(0, n_columns, parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def fit_height(self) -> None:
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + 4)
