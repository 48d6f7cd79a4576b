"""Where the verdict on a new model stands in the training panel: its card is made when there is one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qtdigits.core.score.comparison import Comparison
from qtdigits.core.score.metrics import Tally
from qtdigits.gui.session import RunningAccuracy
from qtdigits.gui.training.verdict_card import VerdictCard


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
