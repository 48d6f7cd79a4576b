"""The line under everything: model, engine, and at the far right the running accuracy."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from qtdigits.core.formatting import counted, percent
from qtdigits.gui.engine.engine_controller import EngineState
from qtdigits.gui.session import RunningAccuracy
from qtdigits.gui.widgets.parts import named

TOLD_MS = 2_500


class StatusLine(QStatusBar):
    """What is in use, what goes on, and how well it reads."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = named(QLabel(), "championLabel")
        self._engine = named(QLabel(), "engineLabel")
        self._told = named(QLabel(), "toldLabel")
        self._moment = QTimer(self, singleShot=True, interval=TOLD_MS)
        self._moment.timeout.connect(self._told.clear)
        self._accuracy = named(QLabel(), "accuracyLabel")
        self._accuracy.setAccessibleName("Running accuracy")
        self.setSizeGripEnabled(False)
        self.setContentsMargins(14, 0, 14, 4)
        self.addWidget(self._model)
        self.addWidget(self._engine)
        self.addWidget(self._told)
        self.addPermanentWidget(self._accuracy)

    def show_model(self, name: str) -> None:
        self._model.setText(f"model {name}" if name else "no model")

    def show_engine(self, state: EngineState) -> None:
        self._engine.setText(f"engine {state.value}")

    def show_accuracy(self, accuracy: RunningAccuracy) -> None:
        self._accuracy.setText(accuracy_text(accuracy))
        self._accuracy.setToolTip(accuracy_tip(accuracy))
        self._accuracy.setAccessibleDescription(accuracy_tip(accuracy))

    def tell(self, text: str) -> None:
        """For a moment, beside what always stands here."""
        self._told.setText(text)
        self._moment.start()


def accuracy_text(accuracy: RunningAccuracy) -> str:
    """Such as `me · 318 trials · 98.1 % [96.0, 99.1]`."""
    if not accuracy.n:
        return f"{accuracy.writer} · no trials yet"
    low, high = (100 * bound for bound in accuracy.interval)
    share = percent(accuracy.correct / accuracy.n)
    return f"{accuracy.writer} · {counted(accuracy.n, 'trial')} · {share} [{low:.1f}, {high:.1f}]"


def accuracy_tip(accuracy: RunningAccuracy) -> str:
    """What the figures mean, for who meets them first."""
    model = f"the model {accuracy.model}" if accuracy.model else "a model"
    if not accuracy.n:
        return f"No drawing by {accuracy.writer} has been judged with {model} yet."
    return (
        f"{accuracy.correct:,} of {accuracy.n:,} drawings by {accuracy.writer} were read right by {model}, each before it "
        "could be learned from.\nWith many more drawings the share would most likely lie between the two figures in brackets "
        "(95 % interval)."
    )
