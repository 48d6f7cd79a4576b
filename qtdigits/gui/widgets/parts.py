"""Small parts that panels are made of."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QWidget
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
