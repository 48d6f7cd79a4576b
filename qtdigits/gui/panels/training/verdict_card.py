"""What the new model is worth beside the one in use: one sentence, a recommendation, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.score.comparison import Comparison, Gain, Recommendation, right_text
from qtdigits.core.score.metrics import Tally
from qtdigits.gui.session import RunningAccuracy
from qtdigits.gui.widgets.behind_numbers import ChangedDrawingLinks
from qtdigits.gui.widgets.parts import button, give_role, label

WHY = (
    "Held-out drawings were set aside when they were judged and are never learned from; both models read the same ones. "
    "MNIST: digits of other people, to see that those are not forgotten."
)
IN_USE = "In use now. One click goes back to the model before."
DRAW_ON = "In use now. Draw on: here it will stand how your new drawings are read. One click goes back to the model before."
ROLES = {Recommendation.USE: "good", Recommendation.KEEP: "warning", Recommendation.ASK: "muted"}


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
        self._writer = self._drawing = self._beside = ""
        self._since = ""
        self._has_proof = False
        self._sentence = label("", role="heading", name="verdictSentence", wraps=True)
        self._advice = label("", role="muted", name="verdictAdvice", wraps=True)
        self._why = label(WHY, role="muted", name="verdictWhy", wraps=True)
        self._use = button(
            "Use it", "verdictUseButton", "Read with the new model from now on", is_primary=True
        )
        self._back = button("Roll back", "rollBackButton", "Go back to the model before this one")
        self._links = ChangedDrawingLinks()
        self._links.drawings_requested.connect(self.drawings_requested)
        self._lay_out()
        self._use.clicked.connect(self._on_use)
        self._back.clicked.connect(self.roll_back_requested)
        self.hide()

    @property
    def comparison(self) -> Comparison | None:
        return self._found

    def show_comparison(self, found: Comparison, *, model: str, writer: str = "", beside: str = "") -> None:
        """`model` is the path of the new model, `beside` of the one it is compared with; `writer` is whose hold-out was read."""
        self._found, self._model, self._writer, self._beside = found, model, writer, beside
        self._since, self._has_proof = "", False
        sentence = found.sentence
        self._sentence.setText(f"{sentence[0].upper()}{sentence[1:]}.")
        self._links.show_comparison(found)
        self._refresh()
        self.show()

    def set_model_in_use(self, path: str) -> None:
        self._in_use = path
        self._refresh()

    def show_judged(self, judged_by: Callable[[str], Tally], *, now: RunningAccuracy) -> None:
        """`now`: how the model in use has read the present writer's drawings; `judged_by` tells it of another one by its name."""
        self._drawing = now.writer
        if self._found is None or not self._is_used or self._is_about_another:
            self._refresh()
            return
        before = judged_by(self._found.champion)
        gain = Gain(before, now.tally) if before.n and now.n else None
        self._since = f"In use now: of your new drawings, {right_text(now.tally)}." if now.n else ""
        if gain is not None:
            self._since += f" {gain.sentence}"
        self._has_proof = gain is not None and gain.is_proven
        self._refresh()

    def clear(self) -> None:
        self._found, self._model = None, ""
        self.hide()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._links)
        row.addStretch(1)
        for choice in (self._back, self._use):
            row.addWidget(choice)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(6)
        box.addWidget(self._sentence)
        box.addWidget(self._advice)
        box.addWidget(self._why)
        box.addLayout(row)

    @property
    def _is_used(self) -> bool:
        return bool(self._model) and self._in_use == self._model

    @property
    def _is_about_another(self) -> bool:
        """Somebody else draws now than the one whose hand was learned."""
        return bool(self._writer and self._drawing) and self._writer != self._drawing

    @property
    def _reasons(self) -> list[str]:
        """What the figures are about, where that is not plain, and why to believe them."""
        found, reasons = self._found, []
        if found is None:
            return []
        if self._is_about_another:
            reasons.append(f"This is about the drawings by {self._writer}.")
        if self._beside and self._in_use not in (self._beside, self._model):
            reasons.append(f"Compared with {found.champion}, which was in use when the training began.")
        if found.hold_out.n:
            reasons += [WHY, found.evidence]
        return [reason for reason in reasons if reason]

    def _refresh(self) -> None:
        """Roll back is offered where the new model is in use; before that there is nothing to take back."""
        self._use.setVisible(not self._is_used)
        self._back.setVisible(self._is_used)
        self._why.setText(" ".join(self._reasons))
        self._why.setVisible(bool(self._reasons))
        if self._is_used and self._is_about_another:
            self._advice.setText(IN_USE)
            give_role(self._advice, "")
        elif self._is_used:
            self._advice.setText(self._since or DRAW_ON)
            give_role(self._advice, "good" if self._has_proof else "")
        elif self._found is not None:
            self._advice.setText(self._found.recommendation)
            give_role(self._advice, ROLES[self._found.advice])
            give_role(self._use, "" if self._found.advice is Recommendation.KEEP else "primary")
        self.setAccessibleName(f"{self._sentence.text()} {self._advice.text()}")

    @Slot()
    def _on_use(self) -> None:
        self.use_requested.emit(self._model)


class VerdictPlace(QWidget):
    """Takes no room without a verdict. The signals are those of the `VerdictCard`.

    `judged_by` tells how the model of a name has read the present writer's drawings.
    """

    use_requested = Signal(str)
    roll_back_requested = Signal()
    drawings_requested = Signal(str, object)

    def __init__(self, *, judged_by: Callable[[str], Tally], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._judged_by = judged_by
        self._in_use = ""
        self._judged: RunningAccuracy | None = None
        self._card: VerdictCard | None = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def show_comparison(self, found: Comparison, *, model: str, writer: str, beside: str) -> None:
        """As `VerdictCard.show_comparison`, with what has been judged with the model in use so far."""
        self._card = self._card or self._made()
        self._card.show_comparison(found, model=model, writer=writer, beside=beside)
        if self._judged is not None:
            self.show_judged(self._judged)
        self.show()

    def set_model_in_use(self, path: str) -> None:
        self._in_use = path
        if self._card is not None:
            self._card.set_model_in_use(path)

    def show_judged(self, now: RunningAccuracy) -> None:
        """So the model in use has read the present writer's drawings."""
        self._judged = now
        if self._card is not None:
            self._card.show_judged(self._judged_by, now=now)

    def clear(self) -> None:
        if self._card is not None:
            self._card.clear()
        self.hide()

    def _made(self) -> VerdictCard:
        card = VerdictCard()
        card.set_model_in_use(self._in_use)
        card.use_requested.connect(self.use_requested)
        card.roll_back_requested.connect(self.roll_back_requested)
        card.drawings_requested.connect(self.drawings_requested)
        self._box.addWidget(card)
        return card
