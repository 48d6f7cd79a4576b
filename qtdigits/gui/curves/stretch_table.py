"""A table of what the curves do over the stretch that is in view."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableWidgetItem, QWidget

from qtdigits.core.run.axes import Quantity
from qtdigits.core.run.stretch_figures import StretchFigures
from qtdigits.gui.widgets.parts import PlainTable

TITLES = ("in view", "here", "points", "start", "end", "change", "least", "most", "mean")
MOST_ROWS = 5
"""More are scrolled to: the curves need the room."""

Row = tuple[Quantity, str, str, StretchFigures]


class StretchTable(PlainTable):
    """A row for each curve: what it says at the cross-hair, and what it does in view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(len(TITLES), name="stretchTable", title="Figures of what is in view", parent=parent)
        for column, words in enumerate(TITLES):
            heading = QTableWidgetItem(words)
            heading.setTextAlignment(_side_of(column))
            self.setHorizontalHeaderItem(column, heading)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        modes = QHeaderView.ResizeMode
        self.horizontalHeader().setSectionResizeMode(modes.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(0, modes.Stretch)
        self.horizontalHeader().setMinimumSectionSize(40)

    def show_rows(self, rows: Iterable[Row]) -> None:
        cells = [_cells(*row) for row in rows]
        self.setRowCount(len(cells))
        for row, texts in enumerate(cells):
            for column, text in enumerate(texts):
                if (item := self.item(row, column)) is None:
                    item = QTableWidgetItem()
                    item.setTextAlignment(_side_of(column))
                    self.setItem(row, column, item)
                item.setText(text)
        height = self.verticalHeader().defaultSectionSize() * min(len(cells), MOST_ROWS)
        self.setFixedHeight(height + self.horizontalHeader().sizeHint().height() + 4)


def _side_of(column: int) -> Qt.AlignmentFlag:
    """Names stand to the left, figures to the right, their titles above them."""
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _cells(quantity: Quantity, curve: str, here: str, found: StretchFigures) -> tuple[str, ...]:
    text = quantity.text
    return (
        f"{quantity.title}: {curve}",
        here,
        f"{found.n:,}",
        text(found.first),
        text(found.last),
        f"{'+' if found.change > 0 else ''}{text(found.change)}",
        text(found.least),
        text(found.most),
        text(found.mean),
    )
