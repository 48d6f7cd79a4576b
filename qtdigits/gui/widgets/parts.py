"""Small parts that panels are made of."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFont, QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyledItemDelegate,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)
from typing_extensions import override

from qtdigits.gui.widgets.colours import theme_of

NO_BREAK = "\N{NO-BREAK SPACE}"
_TOGETHER = re.compile(
    r"(?<=\d) (?=%|points?\b|(?:to|→) [+-]?\d)|(?<=\d to) (?=[+-]?\d)|(?<=\d →) (?=\d)|(?<=95 %) (?=interval)"
)
"""Spaces where no line may end, such as those of "81.2 → 93.8 %", "95 % interval" and "0.3 points"."""


class ElidedLabel(QLabel):
    """A label that may be narrower than its text, which then ends in "…"; the tool tip has all of it."""

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
    """A label of several lines that separates no number from its unit, and no range. `text` has plain blanks."""

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


def _dressed(made: QLabel, role: str, name: str, wraps: bool) -> QLabel:
    made.setObjectName(name)
    made.setProperty("role", role)
    made.setWordWrap(wraps)
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
    """Put a page into a scroll area, so that it does not enlarge the window."""
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
        # One that is not polished yet gets its style when it is first shown.
        if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
            widget.style().unpolish(widget)
            widget.style().polish(widget)


def heavy_font(widget: QWidget, factor: float) -> QFont:
    """Return the font of a widget, `factor` times as large and semi-bold."""
    font = QFont(widget.font())
    font.setPointSizeF(font.pointSizeF() * factor)
    font.setWeight(QFont.Weight.DemiBold)
    return font


AnyObject = TypeVar("AnyObject", bound=QObject)


def named(thing: AnyObject, name: str) -> AnyObject:
    """`thing`, with its object name set. (Qt takes `objectName=` in constructors, but its type stubs do not know that.)"""
    thing.setObjectName(name)
    return thing


ARROW_WIDTH_PX = 8.0
ARROW_FROM_RIGHT_PX = 13.0


class ChoiceBox(QComboBox):
    """A combo box that does not take the focus from the canvas when clicked; the wheel changes it only with the focus."""

    def __init__(self, *, name: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setItemDelegate(QStyledItemDelegate(self))  # the one that follows the style sheet

    @override
    def showPopup(self) -> None:
        """Make the list as wide as its longest entry, if that is wider than the box."""
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


THIN_PX = 6


class ThinBar(QProgressBar):
    """Progress as a line: the bar of a style cannot be this thin everywhere."""

    def __init__(self, *, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setTextVisible(False)
        self.setFixedHeight(THIN_PX)
        self.setRange(0, 1)
        self.setValue(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = theme_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(self.rect())
        painter.setBrush(QColor(theme.grid))
        painter.drawRoundedRect(whole, THIN_PX / 2, THIN_PX / 2)
        part = max(0, self.value() - self.minimum()) / max(1, self.maximum() - self.minimum())
        if part > 0:
            painter.setBrush(QColor(theme.accent))
            done = whole.adjusted(0, 0, (part - 1) * whole.width(), 0)
            painter.drawRoundedRect(done, THIN_PX / 2, THIN_PX / 2)


LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter


def table_cell(text: str, side: Qt.AlignmentFlag = LEFT, *, tip: str = "") -> QTableWidgetItem:
    """A cell or a title of a table."""
    made = QTableWidgetItem(text)
    made.setTextAlignment(side)
    if tip:
        made.setToolTip(tip)
    return made


def choice_table(columns: Sequence[str], *, name: str, title: str, numbers: Collection[int]) -> QTableWidget:
    """A table of which one row can be chosen; the columns `numbers` have their titles to the right."""
    made = QTableWidget(0, len(columns))
    make_plain(made, name=name, title=title)
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    made.verticalHeader().hide()
    made.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    for column, text in enumerate(columns):
        made.setHorizontalHeaderItem(column, table_cell(text, RIGHT if column in numbers else LEFT))
    return made


def offer_columns(table: QTableView, *, name_column: int, hidden: Collection[int]) -> None:
    """Let the names have the width that is left, and a menu of the header show the `hidden` columns."""
    header, model = table.horizontalHeader(), table.model()
    header.setSectionResizeMode(name_column, QHeaderView.ResizeMode.Stretch)
    header.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
    header.setToolTip("Right-click for more columns")
    for column in range(model.columnCount()):
        title = str(model.headerData(column, Qt.Orientation.Horizontal))
        table.setColumnHidden(column, column in hidden)
        if title and column != name_column:
            choice = QAction(title, header, checkable=True, checked=column not in hidden)
            choice.toggled.connect(partial(_show_column, table, column))
            header.addAction(choice)


def _show_column(table: QTableView, column: int, is_shown: bool) -> None:
    table.setColumnHidden(column, not is_shown)


class PlainTable(QTableWidget):
    """A table to read, with an alignment for each column. It is as tall as its rows: the page that it stands on scrolls."""

    def __init__(
        self,
        titles: Sequence[str],
        *,
        name: str,
        title: str,
        sides: Sequence[Qt.AlignmentFlag],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(0, len(titles), parent)
        make_plain(self, name=name, title=title)
        self._sides = sides
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.verticalHeader().hide()
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for column, (text, side) in enumerate(zip(titles, sides, strict=True)):
            self.setHorizontalHeaderItem(column, table_cell(text, side))

    def fill(self, rows: Sequence[Sequence[str]]) -> None:
        self.setRowCount(len(rows))
        for row, texts in enumerate(rows):
            for column, (text, side) in enumerate(zip(texts, self._sides, strict=True)):
                self.setItem(row, column, table_cell(text, side))
        self.fit_height()

    def fit_height(self) -> None:
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + 4)


def make_plain(table: QTableView, *, name: str, title: str) -> None:
    """Turn off what a table does not need to be read: editing, grid, wrapping, the tab key, highlighted titles."""
    table.setObjectName(name)
    table.setAccessibleName(title)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.horizontalHeader().setHighlightSections(False)
    table.verticalHeader().setHighlightSections(False)
