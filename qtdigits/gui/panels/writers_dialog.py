"""The people who draw: choose, add, rename, and make one of two."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.formatting import counted
from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import button, give_role, label, named

COLUMNS = ("Writer", "Drawings", "Held out", "Doubtful")
MERGE = "Merge"
NOTE = (
    "Accuracy is counted for each writer, and one in five drawings of each is held out. "
    "Renaming keeps all of that; merging two writers keeps what was held out of either."
)


class WritersDialog(QDialog):
    """Asks the session for every change, and says what came of it, or why it could not be."""

    def __init__(self, *, session: Session, ask: Ask, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._ask = ask
        self.setWindowTitle("Writers")
        self.resize(520, 360)
        self._table = named(QTableWidget(0, len(COLUMNS)), "writersTable")
        for column, title in enumerate(COLUMNS):
            self._table.setHorizontalHeaderItem(column, _cell(title, is_number=column > 0))
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setShowGrid(False)
        self._table.setTabKeyNavigation(False)
        self._table.verticalHeader().hide()
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self._draw = button("Draw as this one", "chooseWriterButton", is_primary=True)
        self._add = button("Add…", "addWriterButton")
        self._rename = button("Rename…", "renameWriterButton")
        self._merge = button(
            "Merge into…", "mergeWriterButton", "All drawings of this writer become another one's"
        )
        self._answer = label(NOTE, role="muted", name="writersAnswer", wraps=True)
        buttons = QHBoxLayout()
        for choice in (self._add, self._rename, self._merge):
            choice.setAutoDefault(False)
            buttons.addWidget(choice)
        buttons.addStretch(1)
        buttons.addWidget(self._draw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._answer)
        layout.addLayout(buttons)
        self._table.itemSelectionChanged.connect(self._update_buttons)
        self._table.itemActivated.connect(self._choose)
        self._draw.clicked.connect(self._choose)
        self._add.clicked.connect(self.add)
        self._rename.clicked.connect(self.rename)
        self._merge.clicked.connect(self.merge)
        self._show_writers(session.writer)

    @property
    def chosen(self) -> str:
        """The writer of the selected row, "" for none."""
        item = self._table.item(self._table.currentRow(), 0)
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def choose(self, name: str) -> None:
        """Select the row of a writer."""
        for row in range(self._table.rowCount()):
            item = self._table.item(row, 0)
            if item is not None and item.data(Qt.ItemDataRole.UserRole) == name:
                self._table.selectRow(row)

    def add(self) -> None:
        name = self._ask.text("A new writer", "Who is going to draw?")
        if not name:
            return
        is_known = name in self._session.store.writers()
        self._session.set_writer(name)
        self._show_writers(self._session.writer)
        if self._session.writer == name:
            self._say(f"{name} is there already, and draws now." if is_known else f"{name} draws now.")

    def rename(self) -> None:
        old = self.chosen
        new = self._ask.text("Another name", f"What is {old} called from now on?", old) if old else None
        if not new or new == old:
            return
        try:
            self._session.rename_writer(old, new)
        except QtDigitsError as error:
            self._say(str(error), role="error")
        else:
            self._show_writers(new)
            self._say(f"{old} is called {new} from now on.")

    def merge(self) -> None:
        source = self.chosen
        others = [name for name in self._session.store.writers() if name != source]
        if not source or not others:
            return
        into = self._ask.choice("Merge writers", f"Whose are the drawings of {source} really?", others)
        if into is None:
            return
        n = self._session.store.count(writer=source)
        question = (
            f"{counted(n, 'drawing')} and all judgements of {source} become {into}'s, and {source} is gone. What was held out "
            "stays held out; a drawing that both have is kept once.\n\nThis cannot be undone."
        )
        if not self._ask.one_of("Merge writers", question, [MERGE], no="Keep both", is_grave=True):
            return
        try:
            self._session.merge_writers(source, into)
        except QtDigitsError as error:
            self._say(str(error), role="error")
        else:
            self._show_writers(into)
            self._say(f"What {source} drew is {into}'s now.")

    def _say(self, text: str, *, role: str = "good") -> None:
        self._answer.setText(text)
        give_role(self._answer, role)

    def _choose(self) -> None:
        self._session.set_writer(self.chosen)
        self.accept()

    def _show_writers(self, selected: str) -> None:
        store = self._session.store
        names = list(dict.fromkeys((*store.writers(), self._session.writer)))
        self._table.setRowCount(len(names))
        for row, name in enumerate(names):
            counts = (
                store.count(writer=name),
                store.count(writer=name, held_out=True),
                store.count(writer=name, is_suspect=True),
            )
            drawing = "   (draws now)" if name == self._session.writer else ""
            self._fill(row, (f"{name}{drawing}", *(f"{n:,}" if n else "–" for n in counts)))
            item = self._table.item(row, 0)
            if item is not None:
                item.setData(Qt.ItemDataRole.UserRole, name)
        self.choose(selected)
        self._update_buttons()

    def _fill(self, row: int, texts: tuple[str, ...]) -> None:
        for column, text in enumerate(texts):
            self._table.setItem(row, column, _cell(text, is_number=column > 0))

    def _update_buttons(self) -> None:
        stored = self._session.store.writers()
        self._draw.setEnabled(bool(self.chosen))
        self._rename.setEnabled(self.chosen in stored)
        self._merge.setEnabled(self.chosen in stored and len(stored) > 1)

    @override
    def done(self, result: int) -> None:
        super().done(result)
        self.deleteLater()


def _cell(text: str, *, is_number: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    side = Qt.AlignmentFlag.AlignRight if is_number else Qt.AlignmentFlag.AlignLeft
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return item
