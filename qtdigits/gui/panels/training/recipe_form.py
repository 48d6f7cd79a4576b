"""The form of a recipe, made from the declarations of its fields."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal, SignalInstance, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.recipe import FIELD_BY_NAME, FIELDS, Field, Recipe, Value, recipe_of
from qtdigits.errors import InputError
from qtdigits.gui.widgets.parts import ChoiceBox, give_role, label

FLOAT_DECIMALS = 6
TEXT_MARGIN_PX = 6
WITHOUT_BUTTONS = """
QAbstractSpinBox { padding: 4px 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; background: transparent; }
QLineEdit, QLineEdit:focus { padding: 0; border: none; border-radius: 0; background: transparent; }
"""


class WholeEdit(QSpinBox):
    """The wheel scrolls the form; it changes a value only with the focus."""

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class NumberEdit(QDoubleSpinBox):
    """Shows numbers without trailing zeros: 0.001, 0.1."""

    @override
    def textFromValue(self, value: float) -> str:
        return f"{value:g}"

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


Editor = WholeEdit | NumberEdit | ChoiceBox | QLineEdit


def make_editor(field: Field) -> Editor:
    """Return an editor with the range, unit, help and default of a field."""
    editor: Editor
    match field.kind:
        case "int":
            editor = _whole_edit(field)
        case "float":
            editor = _number_edit(field)
        case "choice":
            editor = ChoiceBox()
            editor.addItems(field.choices)
        case "layers":
            editor = QLineEdit(placeholderText="none")
    editor.setObjectName(f"{field.name}Edit")
    editor.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    told = field.full_help
    editor.setToolTip(f"{told[:1].upper()}{told[1:]}.")
    editor.setAccessibleName(field.title)
    editor.setAccessibleDescription(f"{field.help}. Takes {field.takes}.")
    write(editor, field.default)
    return editor


def read(editor: Editor) -> Value:
    match editor:
        case QSpinBox() | QDoubleSpinBox():
            return editor.value()
        case QComboBox():
            return editor.currentText()
        case QLineEdit():
            return editor.text()


def write(editor: Editor, value: Value) -> None:
    match editor:
        case QSpinBox():
            editor.setValue(int(value))
        case QDoubleSpinBox():
            editor.setValue(float(value))
        case QComboBox():
            editor.setCurrentText(str(value))
        case QLineEdit():
            editor.setText(str(value))
            editor.setCursorPosition(0)  # a long text is cut off at its end


def changed_signal(editor: Editor) -> SignalInstance:
    match editor:
        case QSpinBox() | QDoubleSpinBox():
            return editor.valueChanged
        case QComboBox():
            return editor.currentTextChanged
        case QLineEdit():
            return editor.textChanged


def _whole_edit(field: Field) -> WholeEdit:
    editor = WholeEdit()
    editor.setRange(int(field.minimum), int(field.maximum))
    editor.setGroupSeparatorShown(field.maximum >= 10_000 and field.name != "seed")
    _describe(editor, field)
    return editor


def _number_edit(field: Field) -> NumberEdit:
    editor = NumberEdit()
    editor.setDecimals(FLOAT_DECIMALS)
    editor.setRange(field.minimum, field.maximum)
    _describe(editor, field)
    return editor


def _describe(editor: QSpinBox | QDoubleSpinBox, field: Field) -> None:
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    # Arrow keys and, with the focus, the wheel change the value: buttons of a few pixels are hard to hit.
    # NoButtons is broken under a style sheet: it draws the number outside the box.
    editor.setStyleSheet(WITHOUT_BUTTONS)
    editor.lineEdit().setTextMargins(TEXT_MARGIN_PX, 0, TEXT_MARGIN_PX, 0)
    if field.step:
        editor.setSingleStep(field.step)  # type: ignore[arg-type]  # whole where the field is
    else:
        editor.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    if field.unit:
        editor.setSuffix(f" {field.unit}")
    if field.zero and field.minimum == 0:
        editor.setSpecialValueText(field.zero)


LEAST_WIDTH_PX = 300
NARROW_PX = 620
BREAK = "\N{ZERO WIDTH SPACE}"


class RecipeForm(QWidget):
    """Shows and changes a recipe. Fields that differ from their default are marked; Ctrl+Backspace resets one.

    `field_entered` carries the name of the field that gets the focus.

    Fields named in `apart` have no row here: their editors, got by `editor`, stand elsewhere. The others are made by `prepare`,
    before the form is first shown.
    """

    changed = Signal()
    field_entered = Signal(str)

    def __init__(self, *, apart: Collection[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = Recipe.name
        self._n_classes = 10
        self._apart = apart
        self._values: dict[str, Value] = {field.name: field.default for field in FIELDS}
        """The values as set last; a field with an editor has its present value there."""
        self._editors: dict[str, Editor] = {}
        self._names: dict[QObject, str] = {}
        self._notes: dict[str, QLabel] = {}
        self._titles: dict[str, QLabel] = {}
        self._summary = label(name="networkSummary", wraps=True)
        self._is_laid_out = False
        self._is_narrow = True
        self._groups: list[tuple[QWidget, bool]] = []
        self._grid = QGridLayout()
        self._check()

    @property
    def is_valid(self) -> bool:
        return not self.error_text

    @property
    def error_text(self) -> str:
        """The error in the recipe, or ""."""
        try:
            self.recipe()
        except InputError as error:
            return str(error)
        return ""

    @property
    def summary_text(self) -> str:
        return self._summary.text()

    @property
    def n_classes(self) -> int:
        return self._n_classes

    def editor(self, name: str) -> Editor:
        if name not in self._apart:
            self.prepare()
        return self._editors.get(name) or self._make(FIELD_BY_NAME[name])

    def recipe(self) -> Recipe:
        """Return the recipe in the form. Raises an `InputError` that names the field."""
        edited = {name: read(editor) for name, editor in self._editors.items()}
        return recipe_of({**self._values, **edited}, name=self._name)

    def set_recipe(self, recipe: Recipe) -> None:
        self._name = recipe.name
        self._values = {field.name: getattr(recipe, field.name) for field in FIELDS}
        for name, editor in self._editors.items():
            with QSignalBlocker(editor):
                write(editor, self._values[name])
        self._check()
        self.changed.emit()

    def set_n_classes(self, n_classes: int) -> None:
        """Set the number of classes, on which the number of weights depends."""
        if n_classes != self._n_classes:
            self._n_classes = n_classes
            self._check()

    def prepare(self) -> None:
        """Give every field an editor and a row; does nothing the second time."""
        if self._is_laid_out:
            return
        self._is_laid_out = True
        for field in FIELDS:
            if field.name not in self._editors:
                self._make(field)
            if field.kind == "layers":
                self._notes[field.name] = label(name=f"{field.name}Note", wraps=True)
        self.setMinimumWidth(LEAST_WIDTH_PX)
        for title, fields in groupby(FIELDS, key=lambda field: field.group):
            shown = [field for field in fields if field.name not in self._apart]
            self._groups.append((self._group(title, shown), any(field.kind == "layers" for field in shown)))
        self._grid.setHorizontalSpacing(28)
        self._grid.setVerticalSpacing(18)
        self._arrange()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 8, 8, 8)
        outer.addLayout(self._grid)
        outer.addStretch()
        self._check()

    def _make(self, field: Field) -> Editor:
        editor = self._editors[field.name] = make_editor(field)
        if field.name == "epochs":
            editor.setObjectName("epochsSpin")
        self._names[editor] = field.name
        write(editor, self._values[field.name])
        changed_signal(editor).connect(self._on_edited)
        editor.installEventFilter(self)
        return editor

    def _arrange(self) -> None:
        """Place the groups in one column, or in two where there is room; layers need the whole width."""
        row, column = 0, 0
        for group, has_layers in self._groups:
            is_wide = has_layers or self._is_narrow
            row, column = (row + 1, 0) if is_wide and column else (row, column)
            self._grid.addWidget(group, row, column, 1, 2 if is_wide else 1, Qt.AlignmentFlag.AlignTop)
            row, column = (row + 1, 0) if is_wide or column else (row, 1)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)

    def _group(self, title: str, fields: list[Field]) -> QWidget:
        group = QWidget()
        grid = QGridLayout(group)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label(title, role="heading"), 0, 0, 1, 2)
        for field in fields:
            row, editor = grid.rowCount(), self._editors[field.name]
            title_label = label(field.title, role="muted")
            title_label.setBuddy(editor)
            self._titles[field.name] = title_label
            grid.addWidget(title_label, row, 0)
            grid.addWidget(editor, row, 1)
            if field.name in self._notes:
                grid.addWidget(self._notes[field.name], row + 1, 1)
        if any(field.kind == "layers" for field in fields):
            grid.addWidget(self._summary, grid.rowCount(), 1)
        return group

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice when an editor gets the focus, and reset it on Ctrl+Backspace."""
        if event.type() == QEvent.Type.FocusIn and watched in self._names:
            self.field_entered.emit(self._names[watched])
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and _is_reset(event):
            name = self._names[watched]
            write(self._editors[name], FIELD_BY_NAME[name].default)
            return True
        return super().eventFilter(watched, event)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (event.size().width() < NARROW_PX) != self._is_narrow:
            self._is_narrow = not self._is_narrow
            self._arrange()

    @Slot()
    def _on_edited(self) -> None:
        self._check()
        self.changed.emit()

    def _mark(self) -> None:
        """Put a dot before the fields that differ from their default, or are not valid."""
        for name, title in self._titles.items():
            field = FIELD_BY_NAME[name]
            try:
                differs = field.parse(read(self._editors[name])) != field.default
            except InputError:
                differs = True
            give_role(title, "heading" if differs else "muted")
            title.setText(f"• {field.title}" if differs else field.title)

    def _check(self) -> None:
        self._mark()
        errors = [self._check_layers(FIELD_BY_NAME[name], note) for name, note in self._notes.items()]
        try:
            network = self.recipe().network
        except InputError as error:
            # An error below a line of layers is not repeated; the layers may also not fit together.
            give_role(self._summary, "error")
            self._summary.setText("" if any(errors) else str(error))
        else:
            give_role(self._summary, "heading")
            self._summary.setText(f"{network.title} · {network.n_parameters(self._n_classes):,} weights")

    def _check_layers(self, field: Field, note: QLabel) -> bool:
        """Show below a line of layers its notation or what is wrong with it. Return whether something is."""
        try:
            field.parse(read(self._editors[field.name]))
        except InputError as error:
            give_role(note, "error")
            note.setText(error.message)
            return True
        give_role(note, "muted")
        # the notation may wrap before each of its parts
        note.setText(field.help.replace("[:", f"{BREAK}[:"))
        return False


def _is_reset(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Backspace and event.modifiers() == Qt.KeyboardModifier.ControlModifier
