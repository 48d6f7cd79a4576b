"""Questions to the person, replaceable: tests and the demo answer them without a dialog."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

DIALOG_PX = 420


class Ask:
    """Asks by dialogs. Every answer is None (or False) if the person cancels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.parent = parent

    def file_to_open(self, title: str, kinds: str) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self.parent, title, "", kinds)
        return Path(name) if name else None

    def file_to_save(self, title: str, suggestion: str, kinds: str) -> Path | None:
        """Choosing a kind with one ending gives the file that ending."""
        dialog = QFileDialog(self.parent, title, "", kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(suggestion)
        dialog.filterSelected.connect(partial(_change_ending, dialog))
        chosen = dialog.selectedFiles() if dialog.exec() else ()
        dialog.deleteLater()
        return Path(chosen[0]) if chosen else None

    def text(
        self, title: str, question: str, suggestion: str = "", *, may_be_empty: bool = False
    ) -> str | None:
        """Ask for a text. An empty one counts as cancelling unless it `may_be_empty`."""
        dialog = self._dialog(title, question)
        dialog.setTextValue(suggestion)
        answer = _answer(dialog)
        return answer.strip() if answer is not None and (may_be_empty or answer.strip()) else None

    def choice(self, title: str, question: str, choices: Sequence[str]) -> str | None:
        """Ask for one of several texts, shown as a list."""
        dialog = self._dialog(title, question)
        dialog.setOption(QInputDialog.InputDialogOption.UseListViewForComboBoxItems)
        dialog.setComboBoxItems(list(choices))
        dialog.resize(DIALOG_PX, dialog.sizeHint().height())
        return _answer(dialog)

    def number(self, title: str, question: str, suggestion: int, most: int) -> int | None:
        """Ask for a whole number from 1 to `most`."""
        answer, given = QInputDialog.getInt(self.parent, title, question, suggestion, 1, most)
        return answer if given else None

    def one_of(
        self, title: str, question: str, answers: Sequence[str], *, no: str, is_grave: bool = False
    ) -> str | None:
        """Offer answers as buttons. The default is the first one, or `no` if it `is_grave`; `no` and Esc cancel."""
        box = QMessageBox(QMessageBox.Icon.Question, title, question, parent=self.parent)
        buttons = [box.addButton(text, QMessageBox.ButtonRole.AcceptRole) for text in answers]
        refusal = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(refusal if is_grave else buttons[0])
        box.setEscapeButton(refusal)
        box.exec()
        pressed = box.clickedButton()
        return next((text for text, one in zip(answers, buttons, strict=True) if one is pressed), None)

    def yes(self, title: str, question: str) -> bool:
        button = QMessageBox.question(self.parent, title, question)
        return button == QMessageBox.StandardButton.Yes

    def _dialog(self, title: str, question: str) -> QInputDialog:
        dialog = QInputDialog(self.parent)
        dialog.setWindowTitle(title)
        dialog.setLabelText(question)
        dialog.resize(DIALOG_PX, 0)
        return dialog


def _change_ending(dialog: QFileDialog, kind: str) -> None:
    if ending := re.search(r"\(\*(\.\w+)\)$", kind):
        dialog.selectFile(Path(dialog.selectedFiles()[0]).with_suffix(ending[1]).name)


def _answer(dialog: QInputDialog) -> str | None:
    answer = dialog.textValue() if dialog.exec() else None
    dialog.deleteLater()
    return answer
