"""The writers: choose who draws; add, rename and merge them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QWidget,
)

from qtdigits.core.formatting import counted, listed
from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.gui.upkeep import Upkeep
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import RIGHT, button, choice_table, table_cell
from qtdigits.gui.widgets.table_dialog import TableDialog
from qtdigits.store.privacy import Wiped

COLUMNS = ("Writer", "Drawings", "Held out", "Doubtful")
MERGE = "Merge"
ERASE = "Erase"
NOTE = (
    "Accuracy is counted for each writer, and one in five drawings of each is held out. "
    "Renaming keeps all of that; merging two writers keeps what was held out of either."
)


class WritersDialog(TableDialog):
    """Changes writers through the session, and says what was done or why not."""

    def __init__(self, *, session: Session, upkeep: Upkeep, ask: Ask, parent: QWidget | None = None) -> None:
        table = choice_table(COLUMNS, name="writersTable", title="Writers", numbers=range(1, len(COLUMNS)))
        super().__init__(
            "Writers",
            table,
            stretched=0,
            size_px=(520, 360),
            answer="writersAnswer",
            note=NOTE,
            parent=parent,
        )
        self._session, self._upkeep = session, upkeep
        self._ask = ask
        self._draw = button("Draw as this one", "chooseWriterButton", is_primary=True)
        self._add = button("Add…", "addWriterButton")
        self._rename = button("Rename…", "renameWriterButton")
        self._merge = button(
            "Merge into…", "mergeWriterButton", "All drawings of this writer become another one's"
        )
        self._erase = button(
            "Erase…", "eraseWriterButton", "Remove this writer and everything drawn, for good"
        )
        buttons = QHBoxLayout()
        for choice in (self._add, self._rename, self._merge, self._erase):
            choice.setAutoDefault(False)
            buttons.addWidget(choice)
        buttons.addStretch(1)
        buttons.addWidget(self._draw)
        self.lay_out(buttons)
        self._table.itemSelectionChanged.connect(self._update_buttons)
        self._table.itemActivated.connect(self._choose)
        self._draw.clicked.connect(self._choose)
        self._add.clicked.connect(self.add)
        self._rename.clicked.connect(self.rename)
        self._merge.clicked.connect(self.merge)
        self._erase.clicked.connect(self.erase)
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
            self.say(f"{name} is already a writer and draws now." if is_known else f"{name} draws now.")

    def rename(self) -> None:
        old = self.chosen
        new = self._ask.text("Rename the writer", f"New name of {old}:", old) if old else None
        if not new or new == old:
            return
        try:
            self._session.rename_writer(old, new)
        except QtDigitsError as error:
            self.fail(error)
        else:
            self._show_writers(new)
            self.say(f"{old} is called {new} now.")

    def merge(self) -> None:
        source = self.chosen
        others = [name for name in self._session.store.writers() if name != source]
        if not source or not others:
            return
        into = self._ask.choice("Merge writers", f"Whose drawings are those of {source}?", others)
        if into is None:
            return
        n = self._session.store.count(writer=source)
        question = (
            f"{counted(n, 'drawing')} and all judgements of {source} become {into}'s; {source} is removed. What was held out "
            "stays held out; a drawing that both have is kept once.\n\nThis cannot be undone."
        )
        if not self._ask.one_of("Merge writers", question, [MERGE], no="Keep both", is_grave=True):
            return
        try:
            self._session.merge_writers(source, into)
        except QtDigitsError as error:
            self.fail(error)
        else:
            self._show_writers(into)
            self.say(f"The drawings of {source} now belong to {into}.")

    def erase(self) -> None:
        name = self.chosen
        if name not in self._session.store.writers():
            return
        n = self._session.store.count(writer=name)
        question = (
            f"{counted(n, 'drawing')}, all judgements, and the trainings and models of {name}'s hand are erased, "
            f"from the backups too.\n\nThis cannot be undone. To keep a copy first: qtdigits writers export."
        )
        if not self._ask.one_of(f"Erase {name}", question, [ERASE], no="Keep", is_grave=True):
            return
        self.begin(f"Erasing {name} …")
        self._upkeep.erase(name, then=partial(self._on_erased, name), failed=self.fail)

    def _on_erased(self, name: str, done: Wiped) -> None:
        self._show_writers(self._session.writer)
        left = f" The name still stands in {listed([path.name for path in done.left])}." if done.left else ""
        self.say(f"{name} is erased: {counted(done.drawings, 'drawing')}.{left}")

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
            title = table_cell(f"{name}{drawing}")
            title.setData(Qt.ItemDataRole.UserRole, name)
            self._table.setItem(row, 0, title)
            for column, n in enumerate(counts, 1):
                self._table.setItem(row, column, table_cell(f"{n:,}" if n else "–", RIGHT))
        self.choose(selected)
        self._update_buttons()

    def _update_buttons(self) -> None:
        stored = self._session.store.writers()
        self._draw.setEnabled(bool(self.chosen))
        self._rename.setEnabled(self.chosen in stored)
        self._erase.setEnabled(self.chosen in stored)
        self._merge.setEnabled(self.chosen in stored and len(stored) > 1)
