"""The classes: add, rename, merge, retire, delete and bring back what can be drawn and read; and named sets of them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from qtdigits.core.drawing.classes import ClassState, ListedClass
from qtdigits.core.drawing.labels import clean_label, look_alikes_of
from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import RIGHT, button, choice_table, table_cell
from qtdigits.gui.widgets.table_dialog import TableDialog
from qtdigits.store.tables.classes import ClassChange, ClassTable, SetChange

COLUMNS = ("Class", "Drawings", "Known from", "Looks like", "Sets", "")
NEW_SET = "New set…"
NOTE = (
    "Renaming and merging need no training. Undo takes a change back, Bring back does so later; "
    "drawings of a deleted class stay in the trash for 30 days."
)


class ClassAction:
    """A change of a class or a set: an `Action` of the undo stack."""

    def __init__(self, session: Session, name: str, change: ClassChange | SetChange) -> None:
        self._session, self._change = session, change
        self.name = name

    def undo(self) -> None:
        self._change = self._session.store.class_table.undo(self._change)
        self._session.samples_edited()
        self._session.classes_changed.emit()  # sets may have been, even where no class was

    def redo(self) -> None:
        self.undo()  # undoing is undone in the same way


class ClassesDialog(TableDialog):
    """Changes classes and sets through the store, so that each change can be undone, and says what was done or why not."""

    def __init__(self, *, session: Session, ask: Ask, parent: QWidget | None = None) -> None:
        table = choice_table(COLUMNS, name="classesTable", title="Classes", numbers=(1,))
        super().__init__(
            "Classes",
            table,
            stretched=4,
            size_px=(720, 480),
            answer="classesAnswer",
            note=NOTE,
            parent=parent,
        )
        self._session = session
        self._ask = ask
        self._rows: list[ListedClass] = []
        self._buttons = self._made_buttons()
        self.lay_out(self._laid_out())
        self._table.itemSelectionChanged.connect(self._update_buttons)
        session.classes_changed.connect(self._show_classes)
        session.undo_changed.connect(self._update_buttons)
        self._show_classes()

    @property
    def chosen(self) -> ListedClass | None:
        row = self._table.currentRow()
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def choose(self, label: str) -> None:
        """Select the row of a class."""
        self._table.selectRow(next((i for i, c in enumerate(self._rows) if c.label == label), -1))

    def add(self) -> None:
        text = self._ask.text("A new class", "Its label, such as A or ♥:")
        if text and self._change(f"new class {text}", lambda table: table.add(text)):
            self._say(f"{clean_label(text)} is a class now.", select=clean_label(text))

    def rename(self) -> None:
        c = self.chosen
        text = self._ask.text("Rename the class", f"New label of {c.label}:", c.label) if c else None
        if c is None or not text or text == c.label:
            return
        if self._change(f"renaming of {c.label}", lambda table: table.rename(c.label, text)):
            self._say(f"{c.label} is called {clean_label(text)} now.", select=clean_label(text))

    def merge(self) -> None:
        c = self.chosen
        others = [o.label for o in self._rows if o.state is ClassState.ACTIVE and o is not c]
        into = (
            self._ask.choice("Merge classes", f"Which class do drawings of {c.label} belong to?", others)
            if c
            else None
        )
        if c is None or into is None:
            return
        if self._change(f"merging of {c.label}", lambda table: table.merge(c.label, into)):
            self._say(f"{c.label} counts as {into} now.", select=into)

    def retire(self) -> None:
        c = self.chosen
        if c and self._change(f"retirement of {c.label}", lambda table: table.retire(c.label)):
            self._say(f"{c.label} is not read any more; its drawings are kept.", select=c.label)

    def bring_back(self) -> None:
        c = self.chosen
        if c and self._change(f"return of {c.label}", lambda table: table.restore(c.label)):
            self._say(f"{c.label} is read again.", select=c.label)

    def delete(self) -> None:
        c = self.chosen
        if c and self._change(f"deletion of {c.label}", lambda table: table.delete(c.label)):
            self._say(f"{c.label} is deleted; its drawings are in the trash.", select=c.label)

    def undo(self) -> None:
        action = self._session.undo_stack.next_undone
        self._session.undo()
        if action is not None and action is self._session.undo_stack.next_redone:
            self._say(f"Undone: {action.name}.")

    def edit_sets(self) -> None:
        """Make a set, or change or delete one."""
        sets = self._session.store.class_table.sets()
        name = self._ask.choice("Sets of classes", "Which set?", [*sets, NEW_SET]) if sets else NEW_SET
        if name == NEW_SET:
            name = self._ask.text("A new set", "Its name, such as letters:")
        if not name:
            return
        labels = sets.get(name, self._session.classes.active.labels)
        question = "Its classes, such as 0-9 A-Z ♥." + (
            " Leave none to delete the set." if name in sets else ""
        )
        text = self._ask.text(f"The set {name}", question, " ".join(labels), may_be_empty=True)
        if text is None:
            return
        if text:
            is_done = self._change(
                f"change of the set {name}", lambda table: table.put_set(name, text.split())
            )
        else:
            is_done = self._change(f"deletion of the set {name}", lambda table: table.delete_set(name))
        if is_done:
            self._say(f"The set {name} is {'stored' if text else 'deleted'}.")

    def _change(self, name: str, change: Callable[[ClassTable], ClassChange | SetChange]) -> bool:
        """Make a change that can be undone; return whether it was made."""
        table = self._session.store.class_table
        try:
            table.adopt(self._session.outputs)  # a class that only the model knows
            made = change(table)
        except QtDigitsError as error:
            self.fail(error)
            return False
        self._session.undo_stack.add(ClassAction(self._session, name, made))
        self._session.samples_edited()
        self._session.classes_changed.emit()  # sets may have been, even where no class was
        return True

    def _say(self, text: str, *, select: str = "") -> None:
        self.say(text)
        if select:
            self.choose(select)

    def _made_buttons(self) -> dict[str, QPushButton]:
        made = {
            "add": button("Add…", "addClassButton"),
            "rename": button("Rename…", "renameClassButton", "Drawings and models stay as they are"),
            "merge": button(
                "Merge into…", "mergeClassButton", "Its drawings count as those of another class"
            ),
            "retire": button("Retire", "retireClassButton", "It is not read any more; its drawings are kept"),
            "bring_back": button("Bring back", "restoreClassButton", "It is read again, with its drawings"),
            "delete": button("Delete", "deleteClassButton", "Its drawings go to the trash"),
            "edit_sets": button("Sets…", "classSetsButton", "Named sets that answers can be limited to"),
            "undo": button("Undo", "undoClassButton"),
        }
        for name, choice in made.items():
            choice.setAutoDefault(False)
            choice.clicked.connect(getattr(self, name))
        return made

    def _laid_out(self) -> QGridLayout:
        grid = QGridLayout()
        for place, choice in enumerate(self._buttons.values()):
            grid.addWidget(choice, place // 4, place % 4)
        return grid

    def _show_classes(self) -> None:
        selected = self.chosen
        self._rows = self._session.store.class_table.listed(self._session.outputs)
        labels = {c.label for c in self._rows if c.state is ClassState.ACTIVE}
        self._table.setRowCount(len(self._rows))
        for row, c in enumerate(self._rows):
            is_active = c.state is ClassState.ACTIVE
            alike = [one for one in look_alikes_of(c.label) if one != c.label and one in labels]
            cells = (
                c.label,
                f"{c.n_drawings:,}" if c.n_drawings else "–",
                c.known_from,
                ", ".join(alike) if is_active else "",
                ", ".join(c.sets),
                "" if is_active else c.state_text,
            )
            for column, text in enumerate(cells):
                self._table.setItem(row, column, table_cell(text, *((RIGHT,) if column == 1 else ())))
        if selected is not None:
            self.choose(selected.label)
        self._update_buttons()

    def _update_buttons(self) -> None:
        c = self.chosen
        is_active = c is not None and c.state is ClassState.ACTIVE
        is_retired = c is not None and c.state is ClassState.RETIRED
        for name, is_possible in {
            "rename": is_active or is_retired,
            "merge": is_active,
            "retire": is_active,
            "delete": is_active or is_retired,
            "bring_back": c is not None and not is_active,
            "undo": isinstance(self._session.undo_stack.next_undone, ClassAction),
        }.items():
            self._buttons[name].setEnabled(is_possible)
