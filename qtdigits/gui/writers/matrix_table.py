"""A writer matrix as a table: a row for each model, a column for each writer whose drawings it read."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from qtdigits.core.score.writer_matrix import ALL_OTHERS, BASE, MatrixCell, MatrixRow, WriterMatrix
from qtdigits.core.texts import percent_digits
from qtdigits.gui.texts import percent
from qtdigits.gui.widgets.theme import Theme

ROW_NAMES = {BASE: "nobody here", ALL_OTHERS: "all the others"}
SIGNS = {"+": "▵ ", "++": "▲ ", "-": "▿ ", "--": "▼ ", "": ""}
"""What stands before a figure that differs from the first row's: full where it holds among so many comparisons too."""
LEAST_COLUMN_PX, ROW_PADDING_PX, MARGIN_PX = 116, 14, 2
SHARE_OF_COLOUR = {"+": 0.12, "++": 0.28, "-": 0.14, "--": 0.32, "": 0.0}


class MatrixTable(QTableWidget):
    """Colour, sign and words say the same thing, so that none of them is needed alone."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._matrix: WriterMatrix | None = None
        self.setObjectName("matrixTable")
        self.setAccessibleName("Writer matrix")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(True)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setMinimumSectionSize(LEAST_COLUMN_PX)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setHighlightSections(False)
        self.verticalHeader().setHighlightSections(False)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._matrix is not None:
            self.show_matrix(self._matrix)

    def show_matrix(self, matrix: WriterMatrix) -> None:
        self._matrix = matrix
        self.setRowCount(len(matrix.rows))
        self.setColumnCount(len(matrix.writers))
        self.setHorizontalHeaderLabels(list(matrix.writers))
        self.setVerticalHeaderLabels([row_name(row) for row in matrix.rows])
        row_px = 2 * self.fontMetrics().lineSpacing() + ROW_PADDING_PX
        self.verticalHeader().setDefaultSectionSize(row_px)
        rows_px = row_px * len(matrix.rows) + self.horizontalHeader().sizeHint().height()
        scroll_bar_px = self.horizontalScrollBar().sizeHint().height()
        self.setMaximumHeight(rows_px + scroll_bar_px + MARGIN_PX)
        for number, row in enumerate(matrix.rows):
            for column, writer in enumerate(matrix.writers):
                self.setItem(number, column, self._item(matrix, row, row.cell(writer)))

    def _item(self, matrix: WriterMatrix, row: MatrixRow, cell: MatrixCell | None) -> QTableWidgetItem:
        if cell is None or cell.accuracy is None:
            item = QTableWidgetItem("–")
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            return item
        mark = matrix.mark(cell) if row.kind != BASE else ""
        item = QTableWidgetItem(f"{SIGNS[mark]}{percent(cell.accuracy)}\n{interval_text(cell)}")
        item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        told = cell_text(row, cell, mark)
        item.setToolTip(told)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, told)
        if mark:
            colour = QColor(self._theme.good if "+" in mark else self._theme.error)
            colour.setAlphaF(SHARE_OF_COLOUR[mark])
            item.setBackground(colour)
        if row.name == cell.writer:
            font = QFont(self.font())
            font.setBold(True)
            item.setFont(font)
        return item


def row_name(row: MatrixRow) -> str:
    """Who the row's model has learned from, and from how many drawings."""
    name = ROW_NAMES.get(row.kind, row.name)
    return f"{name} · {row.learned_from:,} drawings" if row.learned_from else name


def interval_text(cell: MatrixCell) -> str:
    """Such as: 91.5 to 99.0."""
    low, high = cell.interval
    return f"{100 * low:.1f} to {percent_digits(high)}"


def cell_text(row: MatrixRow, cell: MatrixCell, mark: str) -> str:
    """Such as: 97 of 100 drawings by Bob read right (95 % interval 91.5 to 99.0 %). Before: 95; 3 fixed, 1 broken, p = 0.63."""
    text = (
        f"{cell.correct:,} of {cell.n:,} drawings by {cell.writer} read right "
        f"(95 % interval {interval_text(cell)} %)."
    )
    if row.kind == BASE:
        return text
    meaning = {
        "": "Not told apart from the first row.",
        "+": "Better than the first row, taken alone.",
        "++": "Better than the first row, also among so many comparisons.",
        "-": "Worse than the first row, taken alone.",
        "--": "Worse than the first row, also among so many comparisons.",
    }[mark]
    return (
        f"{text}\nBefore: {cell.base:,}; {cell.fixed:,} fixed, {cell.broken:,} broken, "
        f"p = {cell.p_value:.2g}.\n{meaning}"
    )
