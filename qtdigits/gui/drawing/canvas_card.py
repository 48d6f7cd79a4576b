"""The canvas in its frame, with the two things that one does to a drawing as a whole."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.gui.drawing.canvas import Canvas
from qtdigits.gui.widgets.parts import button, elided_label
from qtdigits.gui.widgets.theme import Theme


class CanvasCard(QFrame):
    """`cleared` and `recognise_requested` are the buttons under the canvas."""

    cleared = Signal()
    recognise_requested = Signal()

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.canvas = Canvas(theme=theme)
        self._hint = elided_label(role="muted")
        self._hint.setText("Esc clears · Ctrl+Z takes back a stroke")
        self._recognise = button("Recognise", "recogniseButton", "Read the drawing again (Ctrl+R)")
        self._clear = button("Clear", "clearButton", "Clear the canvas without counting (Esc)")
        footer = QHBoxLayout()
        footer.setContentsMargins(8, 0, 8, 6)
        footer.addWidget(self._hint, 1)
        footer.addWidget(self._recognise)
        footer.addWidget(self._clear)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.canvas, 1)
        layout.addLayout(footer)
        self._recognise.clicked.connect(self.recognise_requested)
        self._clear.clicked.connect(self.cleared)
        self.set_has_drawing(False)

    def show_above(self, prompt: QWidget) -> None:
        """Give `prompt` its place above the canvas."""
        self._layout.insertWidget(0, prompt)

    def set_has_drawing(self, has_drawing: bool) -> None:
        self._recognise.setEnabled(has_drawing)
        self._clear.setEnabled(has_drawing)
