"""The layers of a network as a table: what comes out of each, its weights, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableWidgetItem, QWidget

from qtdigits.core.network.network_summary import LayerSummary
from qtdigits.gui.widgets.plain_table import PlainTable

TITLES = ("layer", "what it does", "puts out", "weights", "multiply-adds")


class NetworkTable(PlainTable):
    """A row for each layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(len(TITLES), name="networkTable", title="Layers of the network", parent=parent)
        self.setHorizontalHeaderLabels(TITLES)
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
        self.fit_height()
