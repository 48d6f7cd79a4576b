"""The layers of a network as a table: what comes out of each, its weights, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from qtdigits.core.network_summary import LayerSummary

TITLES = ("layer", "what it does", "puts out", "weights", "multiply-adds")


class NetworkTable(QTableWidget):
    """As tall as its rows: the page that it stands on scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(TITLES), parent)
        self.setObjectName("networkTable")
        self.setAccessibleName("Layers of the network")
        self.setHorizontalHeaderLabels(TITLES)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)

    def show_layers(self, layers: Sequence[LayerSummary]) -> None:
        self.setRowCount(len(layers))
        for row, layer in enumerate(layers):
            numbers = f"{layer.n_parameters:,}", f"{layer.multiply_adds:,}"
            for column, text in enumerate((layer.title, layer.details, layer.shape_text, *numbers)):
                item = QTableWidgetItem(text)
                side = Qt.AlignmentFlag.AlignRight if column > 1 else Qt.AlignmentFlag.AlignLeft
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(row, column, item)
        rows = sum(self.rowHeight(row) for row in range(len(layers)))
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + 4)
