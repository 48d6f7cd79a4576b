"""How well the model in use reads the present writer: the running accuracy and what was taken for what."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from qtdigits.core.metrics import Score, confusion_matrix
from qtdigits.core.samples import Trial, Verdict
from qtdigits.gui.confusion_view import ConfusionView
from qtdigits.gui.fresh_panel import FreshPanel
from qtdigits.gui.naming import named
from qtdigits.gui.overriding import override
from qtdigits.gui.parts import label
from qtdigits.gui.session import RunningAccuracy, Session
from qtdigits.gui.theme import Theme
from qtdigits.gui.training_texts import percent

EXPLANATION = (
    "Each drawing is scored by the model in use before it can be trained on. "
    "The interval is Wilson's at 95 %: the more drawings, the narrower."
)


class AccuracyPanel(FreshPanel):
    """Reads the trials only while it is visible."""

    def __init__(self, *, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._figure = named(QLabel(), "runningFigure")
        font = self._figure.font()
        font.setPointSizeF(font.pointSizeF() * 2.2)
        font.setBold(True)
        self._figure.setFont(font)
        self._detail = QLabel()
        self._detail.setWordWrap(True)
        explanation = label(EXPLANATION, role="muted", wraps=True)
        self._confusion = ConfusionView(theme=theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(self._figure)
        layout.addWidget(self._detail)
        layout.addWidget(explanation)
        layout.addWidget(self._confusion, 1)
        session.accuracy_changed.connect(self.show_accuracy)
        self.show_accuracy(session.accuracy())

    def set_theme(self, theme: Theme) -> None:
        self._confusion.set_theme(theme)

    def show_accuracy(self, accuracy: RunningAccuracy) -> None:
        if accuracy.n:
            low, high = accuracy.interval
            self._figure.setText(percent(accuracy.correct / accuracy.n))
            self._detail.setText(
                f"{accuracy.correct} of {accuracy.n} drawings by {accuracy.writer} read right by {accuracy.model}; "
                f"95 % interval {100 * low:.1f} to {percent(high)}."
            )
        else:
            self._figure.setText("–")
            self._detail.setText(
                f"{accuracy.model or 'No model'} has not been judged on drawings by {accuracy.writer} yet."
            )
        self.mark_stale()

    @override
    def reload(self) -> None:
        score = score_of(self._session.trials())
        self._confusion.setVisible(score.n > 0)
        if score.n:
            self._confusion.set_score(score)


def score_of(trials: Iterable[Trial]) -> Score:
    """Judged trials as a score: skipped ones do not count; classes in the order of the model, then those it lacks."""
    judged = [t for t in trials if t.verdict is not Verdict.SKIPPED and t.truth is not None]
    names = dict.fromkeys(name for t in judged for name in (*t.classes, t.answer))
    names |= dict.fromkeys(t.truth for t in judged if t.truth is not None)
    classes = tuple(names)
    position = {name: i for i, name in enumerate(classes)}
    truth = np.array([position[t.truth] for t in judged if t.truth is not None], np.int64)
    answer = np.array([position[t.answer] for t in judged], np.int64)
    return Score(classes, confusion_matrix(truth, answer, len(classes)))
