"""The drawings of the store as thumbnails, the newest first."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QListView, QVBoxLayout, QWidget

from qtdigits.core.samples import Sample
from qtdigits.gui.exchange import Exchange
from qtdigits.gui.fresh_panel import FreshPanel
from qtdigits.gui.naming import named
from qtdigits.gui.overriding import override
from qtdigits.gui.parts import button, label
from qtdigits.gui.session import Session
from qtdigits.store.samples import SampleStore

PAGE = 200
THUMBNAIL_PX = 56

Index = QModelIndex | QPersistentModelIndex


class DrawingsModel(QAbstractListModel):
    """Fetches samples page by page as the view is scrolled."""

    def __init__(self, *, store: SampleStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._samples: list[Sample] = []
        self._pixmaps: dict[int, QPixmap] = {}
        self._total = 0

    def reload(self) -> None:
        self.beginResetModel()
        self._samples, self._pixmaps = [], {}
        self._total = self._store.count()
        self.endResetModel()

    @property
    def total(self) -> int:
        return self._total

    @override
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._samples)

    @override
    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and len(self._samples) < self._total

    @override
    def fetchMore(self, parent: Index) -> None:
        start = len(self._samples)
        page = list(islice(self._store.samples(newest_first=True, limit=PAGE, offset=start), PAGE))
        if not page:
            self._total = start
            return
        self.beginInsertRows(QModelIndex(), start, start + len(page) - 1)
        self._samples.extend(page)
        self.endInsertRows()

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        sample = self._samples[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return sample.label
            case Qt.ItemDataRole.DecorationRole:
                return self._pixmap(index.row(), sample)
            case Qt.ItemDataRole.ToolTipRole:
                held_out = "\nheld out: never trained on" if sample.held_out else ""
                when = sample.drawn_at.astimezone().strftime("%d %b %Y, %H:%M")
                return f"{sample.label} · {sample.writer}\n{sample.origin.value}, {when}{held_out}"
        return None

    def _pixmap(self, row: int, sample: Sample) -> QPixmap:
        if row not in self._pixmaps:
            pixels = np.ascontiguousarray(255 - sample.raster)
            image = QImage(pixels.tobytes(), 28, 28, 28, QImage.Format.Format_Grayscale8)
            self._pixmaps[row] = QPixmap.fromImage(image.scaled(THUMBNAIL_PX, THUMBNAIL_PX))
        return self._pixmaps[row]


class DrawingsPanel(FreshPanel):
    """Thumbnails, with import and export. Nothing is read from the store while the panel is hidden."""

    def __init__(self, *, session: Session, exchange: Exchange, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = DrawingsModel(store=session.store, parent=self)
        self._count = label(role="muted")
        self._view = named(QListView(), "drawingsView")
        self._view.setModel(self._model)
        self._view.setViewMode(QListView.ViewMode.IconMode)
        self._view.setResizeMode(QListView.ResizeMode.Adjust)
        self._view.setMovement(QListView.Movement.Static)
        self._view.setUniformItemSizes(True)
        self._view.setIconSize(QSize(THUMBNAIL_PX, THUMBNAIL_PX))
        self._view.setGridSize(QSize(THUMBNAIL_PX + 16, THUMBNAIL_PX + 30))
        self._view.setLayoutMode(QListView.LayoutMode.Batched)
        self._view.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        import_button = button("Import…", "importButton")
        export_button = button("Export…", "exportButton")
        row = QHBoxLayout()
        row.addWidget(self._count, 1)
        for choice in (import_button, export_button):
            row.addWidget(choice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addLayout(row)
        layout.addWidget(self._view, 1)
        import_button.clicked.connect(exchange.import_drawings)
        export_button.clicked.connect(exchange.export_ink)
        session.samples_changed.connect(self.mark_stale)

    @override
    def reload(self) -> None:
        self._model.reload()
        total = self._model.total
        self._count.setText(
            f"{total:,} drawing{'s' if total != 1 else ''}"
            if total
            else "No drawings yet: every one that you judge comes here."
        )
