"""What the new model is worth beside the one in use: one sentence, a recommendation, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from qtdigits.core.comparison import Advice, Comparison
from qtdigits.gui.parts import button, give_role, label

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
        self._use = button(
            "Use it", "verdictUseButton", "Read with the new model from now on", is_primary=True
        )
        self._back = button("Roll back", "rollBackButton", "Go back to the model before this one")
        self._links = {
            name: button(name, f"{name.split()[0]}Button", f"Show the drawings that are {name}")
            for name in ("fixed", "broken", "still wrong")
        }
        self._lay_out()
        self._use.clicked.connect(self._on_use)
        self._back.clicked.connect(self.roll_back_requested)
        for link in self._links.values():
            link.clicked.connect(self._on_link)
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
        for name, ids in self._drawings().items():
            self._links[name].setText(f"{len(ids)} {name}")
            self._links[name].setVisible(bool(ids))
        self.setAccessibleName(f"{sentence}. {found.recommendation}")
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
        for link in self._links.values():
            row.addWidget(link)
        row.addWidget(self._advice, 1)
        for choice in (self._back, self._use):
            row.addWidget(choice)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(6)
        box.addWidget(self._sentence)
        box.addLayout(row)

    def _drawings(self) -> dict[str, tuple[int, ...]]:
        if self._found is None:
            return {}
        hand = self._found.hand
        return {"fixed": hand.fixed, "broken": hand.broken, "still wrong": hand.still_wrong}

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

    @Slot()
    def _on_use(self) -> None:
        self.use_requested.emit(self._model)

    @Slot()
    def _on_link(self) -> None:
        sender = self.sender()
        for name, link in self._links.items():
            if isinstance(sender, QPushButton) and link is sender:
                self.drawings_requested.emit(name, self._drawings()[name])
