"""Where somebody new is: draw some digits, correct one, see it learn."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.score.practice import FirstStep
from qtdigits.gui.widgets.parts import give_role, label
from qtdigits.gui.widgets.wrapping_row import WrappingRow

N_STEPS = 3


class FirstSteps(QWidget):
    """Takes no room once the steps are done. The present step stands out; those that are done have a tick."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("firstSteps")
        self._parts = [label(name=f"firstStep.{number}") for number in range(1, N_STEPS + 1)]
        row = WrappingRow()
        for part in self._parts:
            cell = QFrame()
            cell.setProperty("card", True)
            inner = QHBoxLayout(cell)
            inner.setContentsMargins(12, 8, 12, 8)
            inner.addWidget(part)
            row.add(cell)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 2, 0, 4)
        box.addLayout(row)
        self.hide()

    def show_steps(self, steps: Sequence[FirstStep]) -> None:
        self.setVisible(bool(steps))
        present = next((place for place, step in enumerate(steps) if not step.is_done), None)
        for place, (part, step) in enumerate(zip(self._parts, steps, strict=False)):
            part.setText(f"{'✓' if step.is_done else place + 1}  {step.text}")
            give_role(part, "good" if step.is_done else "heading" if place == present else "muted")
        self.setAccessibleName("; ".join(part.text() for part in self._parts) if steps else "")
