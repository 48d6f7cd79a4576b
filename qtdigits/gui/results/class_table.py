"""A table of how well each class is read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableWidgetItem, QWidget

from qtdigits.core.score.class_figures import ClassFigures
from qtdigits.gui.texts import percent
from qtdigits.gui.widgets.plain_table import PlainTable

CELL_PADDING_PX = 24
TITLES = (
    ("class", ""),
    ("drawn", "How many drawings of this class there are"),
    ("found (recall)", "Recall: how many of them are read as it, with Wilson's 95 % interval"),
    (
        "right (precision)",
        "Precision: how many of the answers of this class are right, with Wilson's 95 % interval",
    ),
)


class ClassTable(PlainTable):
    """A row for each class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(len(TITLES), name="classTable", title="Figures of each class", parent=parent)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        modes = QHeaderView.ResizeMode
        for column in range(len(TITLES)):
            has_interval = column >= len(TITLES) - 2
            mode = modes.Stretch if has_interval else modes.ResizeToContents
            self.horizontalHeader().setSectionResizeMode(column, mode)
        for column, (title, tip) in enumerate(TITLES):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)

    @property
    def least_width_px(self) -> int:
        """With less of it intervals would be cut off."""
        n_digits, share = "1,000", _share(1.0, (0.999, 1.0))
        texts = (TITLES[0][0], n_digits, share, share)
        return sum(self.fontMetrics().horizontalAdvance(text) + CELL_PADDING_PX for text in texts)

    def show_figures(self, figures: Sequence[ClassFigures]) -> None:
        self.setRowCount(len(figures))
        for row, found in enumerate(figures):
            for column, text in enumerate(_cells(found)):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self.setItem(row, column, item)
        self.fit_height()


def _cells(found: ClassFigures) -> tuple[str, ...]:
    return (
        found.label,
        f"{found.drawn:,}",
        _share(found.recall, found.recall_interval),
        _share(found.precision, found.precision_interval),
    )


def _share(share: float, interval: tuple[float, float]) -> str:
    """Such as "98.2 % (97.1 to 98.9)"."""
    if math.isnan(share):
        return "–"
    low, high = interval
    return f"{percent(share)} ({100 * low:.1f} to {100 * high:.1f})"
