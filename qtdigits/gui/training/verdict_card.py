"""What the new model is worth beside the one in use: one sentence, a recommendation, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.comparison import Advice, Comparison
from qtdigits.gui.widgets.behind_numbers import BehindNumbers
from qtdigits.gui.widgets.parts import button, give_role, label

WHY = "Held-out drawings were set aside when they were judged and are never learned from; both models read the same ones."
ROLES = {Advice.USE: "good", Advice.KEEP: "warning", Advice.ASK: "muted"}


class VerdictCard(QFrame):
    """`use_requested` carries the path of the new model; `drawings_requested` a title and the ids of drawings behind a number."""

    use_requested = Signal(str)
    roll_back_requested = Signal()
    drawings_requested = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("verdictCard")
        self.setProperty("card", True)
        self._model = ""
        self._in_use = ""
        self._found: Comparison | None = None
        self._sentence = label("", role="heading", name="verdictSentence", wraps=True)
        self._advice = label("", role="muted", name="verdictAdvice", wraps=True)
        self._why = label(WHY, role="muted", name="verdictWhy", wraps=True)
        self._use = button(
            "Use it", "verdictUseButton", "Read with the new model from now on", is_primary=True
        )
        self._back = button("Roll back", "rollBackButton", "Go back to the model before this one")
        self._links = BehindNumbers()
        self._links.drawings_requested.connect(self.drawings_requested)
        self._lay_out()
        self._use.clicked.connect(self._on_use)
        self._back.clicked.connect(self.roll_back_requested)
        self.hide()

    @property
    def comparison(self) -> Comparison | None:
        return self._found

    def show_comparison(self, found: Comparison, *, model: str) -> None:
        """`model` is the path of the new model."""
        self._found, self._model = found, model
        sentence = found.sentence
        self._sentence.setText(f"{sentence[0].upper()}{sentence[1:]}.")
        self._advice.setText(found.recommendation)
        give_role(self._advice, ROLES[found.advice])
        self._links.show_comparison(found)
        self.setAccessibleName(f"{sentence}. {found.recommendation}")
        self._why.setVisible(found.hold_out.n > 0)
        self._refresh()
        self.show()

    def set_model_in_use(self, path: str) -> None:
        self._in_use = path
        self._refresh()

    def clear(self) -> None:
        self._found, self._model = None, ""
        self.hide()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._links)
        row.addWidget(self._advice, 1)
        for choice in (self._back, self._use):
            row.addWidget(choice)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(6)
        box.addWidget(self._sentence)
        box.addWidget(self._why)
        box.addLayout(row)

    def _refresh(self) -> None:
        """Roll back is offered where the new model is in use; before that there is nothing to take back."""
        is_used = bool(self._model) and self._in_use == self._model
        self._use.setVisible(not is_used)
        self._back.setVisible(is_used)
        if is_used:
            self._advice.setText("In use now. One click goes back to the model before.")
            give_role(self._advice, "muted")
        elif self._found is not None:
            self._advice.setText(self._found.recommendation)
            give_role(self._advice, ROLES[self._found.advice])
            give_role(self._use, "" if self._found.advice is Advice.KEEP else "primary")

    @Slot()
    def _on_use(self) -> None:
        self.use_requested.emit(self._model)
