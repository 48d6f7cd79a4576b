"""The list of runs: one row each, in the order of a column, one or several chosen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from qtdigits.gui.runs.runs_model import RECIPE_COLUMN, STARTED_COLUMN, RunsFilter

LEAST_COLUMN_PX, MOST_COLUMN_PX = 60, 240
SEVERAL = (
    "Several are chosen with Ctrl or Shift: their curves lie over one another, and a table says what differs"
)


class RunsTable(QTableView):
    def __init__(self, rows: RunsFilter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runsTable")
        self.setAccessibleName("Runs")
        self.setToolTip(SEVERAL)
        self.setModel(rows)
        self.setSortingEnabled(True)
        self.sortByColumn(STARTED_COLUMN, Qt.SortOrder.DescendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        header = self.horizontalHeader()
        # Widths by what can be seen, not by all of 500 rows.
        header.setResizeContentsPrecision(0)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(RECIPE_COLUMN, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(LEAST_COLUMN_PX)
        header.setMaximumSectionSize(MOST_COLUMN_PX)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
