"""What the new model is worth beside the one in use: one sentence, a recommendation, and what can be done about it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.score.comparison import METHOD, Comparison, Gain, Recommendation, right_text
from qtdigits.core.score.metrics import RunningAccuracy, Tally
from qtdigits.errors import QtDigitsError
from qtdigits.gui.results.changed_drawings import ChangedDrawingLinks, StandingComparison
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.parts import button, give_role, label

WHY = f"{METHOD} MNIST: digits of other people, to see that those are not forgotten."
IN_USE = "In use now. One click goes back to the model before."
DRAW_ON = "In use now. Draw on to see how well it reads. One click goes back to the model before."
ROLES = {Recommendation.USE: "good", Recommendation.KEEP: "warning", Recommendation.ASK: "muted"}


class VerdictCard(QFrame):
    """Hidden without a verdict. Follows which model is in use, and how it reads the writer's new drawings."""

    def __init__(self, *, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("verdictCard")
        self.setProperty("card", True)
        self._model = ""
        self._found: Comparison | None = None
        self._standing: StandingComparison | None = None
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
        self._links = ChangedDrawingLinks(session=session)
        self._lay_out()
        self._use.clicked.connect(self._on_use)
        self._back.clicked.connect(session.roll_back)
        session.champion_changed.connect(self._refresh)
        session.accuracy_changed.connect(self._show_judged)
        session.samples_changed.connect(self._show_standing)
        self.hide()

    @property
    def comparison(self) -> Comparison | None:
        return self._found

    def show_comparison(self, found: Comparison, *, model: str, writer: str = "", beside: str = "") -> None:
        """`model` is the path of the new model, `beside` of the one it is compared with; `writer` is whose hold-out was read."""
        self._standing = StandingComparison(found, session=self._session)
        self._model, self._writer, self._beside = model, writer, beside
        self._since, self._has_proof = "", False
        self._drawing = self._session.writer
        self._show_standing()
        self.show()

    @Slot()
    def _show_standing(self) -> None:
        """Show the comparison without drawings whose labels have been changed or doubted since."""
        if self._standing is not None:
            self._found, _ = self._standing.now
            self._links.show_comparison(self._found)
            self._refresh()

    @Slot(object)
    def _show_judged(self, now: RunningAccuracy) -> None:
        """Say how the model in use has read the writer's new drawings."""
        self._drawing = now.writer
        if self._found is None or not self._is_used or self._is_about_another:
            self._refresh()
            return
        before = self._judged_by(self._found.champion)
        gain = Gain(before, now.tally) if before.n and now.n else None
        self._since = f"In use now: of your new drawings, {right_text(now.tally)}." if now.n else ""
        if gain is not None:
            self._since += f" {gain.sentence}"
        self._has_proof = gain is not None and gain.is_proven
        self._refresh()

    def _judged_by(self, model: str) -> Tally:
        try:
            return self._session.accuracy(model).tally
        except QtDigitsError as error:
            self._session.report(error)
            return Tally(0, 0)

    def clear(self) -> None:
        self._found, self._standing, self._model = None, None, ""
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
    def _in_use(self) -> str:
        champion = self._session.champion
        return str(champion.path) if champion else ""

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
        if found.hand.n:
            reasons += [WHY, found.hand.evidence]
        return [reason for reason in reasons if reason]

    @Slot()
    def _refresh(self) -> None:
        """Roll back is offered where the new model is in use; before that there is nothing to take back."""
        self._use.setVisible(not self._is_used)
        self._back.setVisible(self._is_used)
        if self._found is not None and self._is_about_another:
            self._sentence.setText(self._found.headline(self._writer))
        elif self._found is not None:
            sentence = self._found.sentence
            self._sentence.setText(f"{sentence[0].upper()}{sentence[1:]}.")
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
        self._session.use_model(Path(self._model))
