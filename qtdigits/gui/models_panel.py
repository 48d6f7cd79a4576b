"""The models there are, with their figures; one of them is in use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qtdigits.gui.fresh_panel import FreshPanel
from qtdigits.gui.naming import named
from qtdigits.gui.overriding import override
from qtdigits.gui.parts import button
from qtdigits.gui.session import Session
from qtdigits.gui.training_texts import percent
from qtdigits.store.library import ModelEntry

COLUMNS = ("", "Model", "Network", "MNIST test", "Drawn by strangers", "My hold-out", "Made")
SCORE_COLUMNS = {"MNIST test": 3, "pendigits": 4, "my hold-out": 5}


class ModelsPanel(FreshPanel):
    """Reads the list only while it is visible."""

    def __init__(self, *, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entries: list[ModelEntry] = []
        self._table = named(QTableWidget(0, len(COLUMNS)), "modelsTable")
        self._table.setHorizontalHeaderLabels(COLUMNS)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setShowGrid(False)
        self._table.verticalHeader().hide()
        self._table.setTabKeyNavigation(False)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._use = button("Use this model", "useModelButton")
        self._use.setProperty("role", "primary")
        self._roll_back = button(
            "Roll back", "rollBackButton", "Go back to the model that was in use before this one"
        )
        note = QLabel(
            "Drawn by strangers: digits of writers of the pendigits collection whom the model has never seen."
        )
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addWidget(note, 1)
        for choice in (self._roll_back, self._use):
            buttons.addWidget(choice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(self._table, 1)
        layout.addLayout(buttons)
        self._use.clicked.connect(self._request_use)
        self._roll_back.clicked.connect(session.roll_back)
        session.model_changed.connect(self.mark_stale)
        session.library_changed.connect(self.mark_stale)
        self._table.itemSelectionChanged.connect(self._update_buttons)
        self._table.itemActivated.connect(self._request_use)
        self._update_buttons()

    def show_entries(self, entries: list[ModelEntry], in_use: Path | None) -> None:
        self._entries = entries
        self._table.setRowCount(len(entries))
        for row, entry in enumerate(entries):
            cells = _cells(entry, is_in_use=entry.path == in_use)
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(entry.error or str(entry.path))
                if column >= min(SCORE_COLUMNS.values()) and column <= max(SCORE_COLUMNS.values()):
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self._table.setItem(row, column, item)
        self._update_buttons()

    @override
    def reload(self) -> None:
        self.show_entries(self._session.library.entries(), self._session.model_path)

    def _chosen(self) -> ModelEntry | None:
        rows = {index.row() for index in self._table.selectedIndexes()}
        return self._entries[rows.pop()] if rows else None

    def _request_use(self) -> None:
        entry = self._chosen()
        if entry is not None and not entry.error:
            self._session.use_model(entry.path)

    def _update_buttons(self) -> None:
        entry = self._chosen()
        self._use.setEnabled(entry is not None and not entry.error)


def _cells(entry: ModelEntry, *, is_in_use: bool) -> list[str]:
    if entry.error:
        return ["", entry.name, "cannot be read", "", "", "", ""]
    scores = [_percent(entry.scores.get(name)) for name in SCORE_COLUMNS]
    made = f"{entry.created_at.astimezone():%d %b %Y}"
    return ["in use" if is_in_use else "", entry.name, entry.title, *scores, made]


def _percent(score: Mapping[str, Any] | None) -> str:
    return percent(score["accuracy"], 2) if score and score.get("n") else "–"
