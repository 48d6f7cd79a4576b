"""One editor for each kind of recipe field, with one way to read and write them all."""

from __future__ import annotations

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QLineEdit, QSizePolicy, QSpinBox
from typing_extensions import override

from qtdigits.core.recipe.recipe_fields import Field, Value
from qtdigits.core.recipe.recipe_text import help_of
from qtdigits.gui.widgets.choice_box import ChoiceBox

FLOAT_DECIMALS = 6
TEXT_MARGIN_PX = 6
WITHOUT_BUTTONS = """
QAbstractSpinBox { padding: 4px 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; background: transparent; }
QLineEdit, QLineEdit:focus { padding: 0; border: none; border-radius: 0; background: transparent; }
"""


class WholeEdit(QSpinBox):
    """The wheel scrolls the form; it changes a value only where the person is typing."""

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
    """The editor of a field: its range, unit, help and default."""
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
    told = help_of(field)
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
            editor.setCursorPosition(0)  # what does not fit is cut off at its end


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
    editor.setStepType(_step_type(field))
    _describe(editor, field)
    return editor


def _number_edit(field: Field) -> NumberEdit:
    editor = NumberEdit()
    editor.setDecimals(FLOAT_DECIMALS)
    editor.setRange(field.minimum, field.maximum)
    editor.setStepType(_step_type(field))
    editor.setSingleStep(0.01)
    _describe(editor, field)
    return editor


def _step_type(field: Field) -> QAbstractSpinBox.StepType:
    """Wide ranges are walked through in steps of the size of the value."""
    is_wide = field.maximum > 1000 or (field.kind == "float" and field.maximum > 1)
    kinds = QAbstractSpinBox.StepType
    return kinds.AdaptiveDecimalStepType if is_wide and field.name != "seed" else kinds.DefaultStepType


def _describe(editor: QSpinBox | QDoubleSpinBox, field: Field) -> None:
    editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    # Arrow keys, and the wheel while it has the keyboard, step; buttons of a few pixels are nothing to aim at.
    # NoButtons is broken under a style sheet: the number is drawn outside of the box.
    editor.setStyleSheet(WITHOUT_BUTTONS)
    editor.lineEdit().setTextMargins(TEXT_MARGIN_PX, 0, TEXT_MARGIN_PX, 0)
    if field.unit:
        editor.setSuffix(f" {field.unit}")
    if field.zero and field.minimum == 0:
        editor.setSpecialValueText(field.zero)
