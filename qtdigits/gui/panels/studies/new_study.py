"""The form of a new study: a recipe and the fields to search, or a ready-made one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from qtdigits.core.formatting import counted
from qtdigits.core.recipe import FIELD_BY_NAME, Recipe
from qtdigits.core.recipe_files import load_recipe, recipe_names
from qtdigits.core.search import DEFAULT_SEARCH, MOST_VALUES, Search, searchable_fields, suggested_spec
from qtdigits.core.study import GRID, HOLD_OUT, RANDOM, TPE, VALIDATION
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.parts import ChoiceBox, button, give_role, label, named
from qtdigits.training.study_plans import definition_of, new_spec, ready_made
from qtdigits.training.study_storage import folder_of

READY_MADE = "ready-made: "
DEFAULT_TRIALS = "20"
METHODS = {TPE: "learning from the trials before", RANDOM: "at random", GRID: "all combinations"}
HOW = "Values: 8..256 a range · 8..256:log by factors · 0..0.5:0.1 in steps · a|b|c a list"
RANKED_READY = "A ready-made study brings its own fields, trials and drawings."
SIZE_PX = (560, 460)


class SearchRow(QWidget):
    """A field and its values; `removed` carries the row."""

    changed = Signal()
    removed = Signal(object)

    def __init__(self, recipe: Recipe, text: str = "") -> None:
        super().__init__()
        name, _, spec = text.partition("=")
        self._recipe = recipe
        self._field = ChoiceBox(name="searchFieldBox")
        self._field.setAccessibleName("Field to search")
        for one in searchable_fields(recipe):
            self._field.addItem(one.title, one)
            self._field.setItemData(self._field.count() - 1, one.full_help, Qt.ItemDataRole.ToolTipRole)
            if one.name == name:
                self._field.setCurrentIndex(self._field.count() - 1)
        self._spec = named(QLineEdit(spec), "searchValuesEdit")
        self._spec.setAccessibleName("Values to try")
        self._spec.setToolTip(HOW)
        remove = named(QToolButton(), "removeSearchButton")
        remove.setText("✕")
        remove.setAccessibleName("Remove this field")
        remove.setToolTip("Do not search this field")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._field, 2)
        row.addWidget(self._spec, 3)
        row.addWidget(remove)
        if not spec:
            self._suggest()
        self._field.activated.connect(self._suggest)
        self._spec.textChanged.connect(self.changed)
        remove.clicked.connect(self._on_remove)

    @property
    def text(self) -> str:
        return f"{self.field_name}={self._spec.text()}"

    @property
    def field_name(self) -> str:
        return str(self._field.currentData().name)

    @Slot()
    def _suggest(self) -> None:
        field = self._field.currentData()
        value = getattr(self._recipe, field.name) if field.name in FIELD_BY_NAME else field.default
        self._spec.setText(suggested_spec(field, value))
        self.changed.emit()

    @Slot()
    def _on_remove(self) -> None:
        self.removed.emit(self)


class NewStudyDialog(QDialog):
    """`study_wanted` carries the name and the `StudySpec.to_json()` of the new study."""

    study_wanted = Signal(str, object)

    def __init__(self, *, session: Session, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("New study")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE_PX)
        self._session, self._names = session, names
        self._start_box = ChoiceBox(name="studyRecipeBox")
        for name in recipe_names():
            self._start_box.addItem(name, name)
        for name in ready_made():
            if name not in names:
                self._start_box.addItem(f"{READY_MADE}{name}", name)
        self._start_box.setCurrentText("quick")
        self._name_edit = named(QLineEdit(), "studyNameEdit")
        self._trials = named(QLineEdit(DEFAULT_TRIALS), "studyTrialsEdit")
        self._method = ChoiceBox(name="studyMethodBox")
        for sampler, text in METHODS.items():
            self._method.addItem(text, sampler)
        self._objective = ChoiceBox(name="studyObjectiveBox")
        n = session.store.count(writer=session.writer, held_out=True)
        if n:
            self._objective.addItem(f"your hold-out ({counted(n, 'drawing')})", HOLD_OUT)
        self._objective.addItem("the validation part of the training data", VALIDATION)
        self._rows: list[SearchRow] = []
        self._add = button("Add a field", "addSearchButton", "Search one more field of the recipe")
        self._note = label(HOW, role="muted", name="newStudyNote", wraps=True)
        self._begin = button("Start", "startStudyButton", is_primary=True)
        self._lay_out()
        self._start_box.currentIndexChanged.connect(self._show_start)
        for edit in (self._name_edit, self._trials):
            edit.textChanged.connect(self._check)
        self._method.currentIndexChanged.connect(self._show_method)
        self._add.clicked.connect(self._on_add)
        self._begin.clicked.connect(self._on_start)
        self._show_start()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("Recipe", self._start_box)
        form.addRow("Name", self._name_edit)
        self._searches = QWidget()
        self._search_box = QVBoxLayout(self._searches)
        self._search_box.setContentsMargins(0, 0, 0, 0)
        self._search_box.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        form.addRow("Search", self._searches)
        form.addRow("Trials", self._trials)
        form.addRow("Choose points", self._method)
        form.addRow("Rank on", self._objective)
        cancel = button("Cancel", "cancelNewStudyButton")
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(cancel)
        buttons.addWidget(self._begin)
        self._begin.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addStretch()
        layout.addWidget(self._note)
        layout.addLayout(buttons)

    @property
    def _is_ready_made(self) -> bool:
        return self._start_box.currentText().startswith(READY_MADE)

    @Slot()
    def _show_start(self) -> None:
        """Begin with the default searches of a recipe; a ready-made study has its own."""
        start = str(self._start_box.currentData())
        for row in list(self._rows):
            self._remove(row)
        self._recipe = Recipe() if self._is_ready_made else load_recipe(start)
        if not self._is_ready_made:
            known = {field.name for field in searchable_fields(self._recipe)}
            for text in DEFAULT_SEARCH:
                if text.partition("=")[0] in known:
                    self._insert(SearchRow(self._recipe, text))
        for part in (self._searches, self._method, self._objective):
            part.setEnabled(not self._is_ready_made)
        self._show_method()
        numbered = (f"{start}-{number}" for number in range(1, 10_000))
        free = next(name for name in numbered if name not in self._names)
        self._name_edit.setText(start if self._is_ready_made else free)
        self._name_edit.setEnabled(not self._is_ready_made)
        self._check()

    @Slot()
    def _show_method(self) -> None:
        is_counted = self._method.currentData() != GRID and not self._is_ready_made
        self._trials.setEnabled(is_counted)

    def _insert(self, row: SearchRow) -> None:
        self._rows.append(row)
        self._search_box.insertWidget(self._search_box.count() - 1, row)
        row.changed.connect(self._check)
        row.removed.connect(self._remove)

    @Slot(object)
    def _remove(self, row: SearchRow) -> None:
        self._rows.remove(row)
        row.hide()
        row.deleteLater()
        self._check()

    @Slot()
    def _on_add(self) -> None:
        """Add the first field that is not searched yet."""
        searched = {row.field_name for row in self._rows}
        fields = searchable_fields(self._recipe)
        free = next((field for field in fields if field.name not in searched), None)
        if free is not None:
            self._insert(SearchRow(self._recipe, f"{free.name}="))
            self._check()

    @Slot()
    def _check(self) -> None:
        """Say what is wrong, and let nothing begin before it is put right."""
        try:
            folder_of(self._name_edit.text(), self._session.data_dir)
            if self._name_edit.text() in self._names:
                raise InputError("There is a study of that name.", "Choose another name, or resume it.")
            for row in self._rows:
                Search.parse(row.text)
            if not (self._trials.text().isdecimal() and 0 < int(self._trials.text()) <= MOST_VALUES):
                raise InputError("That is no number of trials.", f"Type a number from 1 to {MOST_VALUES:,}.")
            if not (self._rows or self._is_ready_made):
                raise InputError("Nothing is searched.", "Add a field.")
        except InputError as error:
            self._say(str(error), role="error")
        else:
            self._say(RANKED_READY if self._is_ready_made else HOW, role="muted")

    def _say(self, text: str, *, role: str) -> None:
        self._note.setText(text)
        give_role(self._note, role)
        self._begin.setEnabled(role != "error")

    @Slot()
    def _on_start(self) -> None:
        values: dict[str, Any] = {
            "recipe": self._start_box.currentData(),
            "search": [row.text for row in self._rows],
            "trials": int(self._trials.text()),
            "sampler": self._method.currentData(),
            "objective": self._objective.currentData(),
            "writer": self._session.writer if self._objective.currentData() == HOLD_OUT else "",
        }
        name = self._name_edit.text()
        if values["sampler"] == GRID:
            del values["trials"]
        if self._is_ready_made:
            values = dict(definition_of(name))
        try:
            spec = new_spec(
                values,
                default_recipe=Recipe.name,
                data_dir=self._session.data_dir,
                champion=lambda: str(self._session.model_path or ""),
            )
        except QtDigitsError as error:
            self._say(str(error), role="error")
            return
        self.study_wanted.emit(name, spec.to_json())
        self.accept()
