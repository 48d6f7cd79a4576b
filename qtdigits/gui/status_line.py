"""The line under everything: model, engine, and at the far right the running accuracy."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from qtdigits.core.texts import percent_digits
from qtdigits.gui.engine.engine_controller import EngineState
from qtdigits.gui.session import RunningAccuracy
from qtdigits.gui.widgets.naming import named


class StatusLine(QStatusBar):
    """What is in use, what goes on, and how well it reads."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = named(QLabel(), "championLabel")
        self._engine = named(QLabel(), "engineLabel")
        self._accuracy = named(QLabel(), "accuracyLabel")
        self._accuracy.setAccessibleName("Running accuracy")
        self.setSizeGripEnabled(False)
        self.setContentsMargins(14, 0, 14, 4)
        self.addWidget(self._model)
        self.addWidget(self._engine)
        self.addPermanentWidget(self._accuracy)

    def show_model(self, name: str) -> None:
        self._model.setText(f"model {name}" if name else "no model")

    def show_engine(self, state: EngineState) -> None:
        self._engine.setText(f"engine {state.value}")

    def show_accuracy(self, accuracy: RunningAccuracy) -> None:
        self._accuracy.setText(accuracy_text(accuracy))


def accuracy_text(accuracy: RunningAccuracy) -> str:
    """Such as `me · 318 trials · 98.1 % [96.0, 99.1]`."""
    if not accuracy.n:
        return f"{accuracy.writer} · no trials yet"
    low, high = (100 * bound for bound in accuracy.interval)
    trials = f"{accuracy.n:,} trial{'s' if accuracy.n != 1 else ''}"
    share = percent_digits(accuracy.correct / accuracy.n)
    return f"{accuracy.writer} · {trials} · {share} % [{low:.1f}, {high:.1f}]"
