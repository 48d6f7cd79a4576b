"""The canvas in its frame, with the two things that one does to a drawing as a whole."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.drawing.labels import with_article
from qtdigits.gui.guided import GuidedSession, progress_text
from qtdigits.gui.panels.drawing.canvas import Canvas
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.parts import button, elided_label, label


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


class GuidedPrompt(QWidget):
    """Hidden while there is neither a session nor a result that was not put away."""

    def __init__(self, *, guided: GuidedSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._guided = guided
        self._asked = label(role="heading", name="guidedAsked", wraps=True)
        font = self._asked.font()
        self._normal_size, self._large_size = font.pointSizeF(), font.pointSizeF() * 1.6
        self._progress = label(role="muted", name="guidedProgress")
        self._end = button("End", "guidedEndButton", "End the guided session and see its result")
        self._close = button("Done", "guidedDoneButton", "Put the result away")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 4)
        layout.setSpacing(12)
        layout.addWidget(self._asked, 1)
        layout.addWidget(self._progress)
        layout.addWidget(self._end)
        layout.addWidget(self._close)
        self._end.clicked.connect(guided.end)
        self._close.clicked.connect(self.hide)
        guided.changed.connect(self._show_asked)
        guided.ended.connect(self._show_result)
        self.hide()

    @Slot()
    def _show_asked(self) -> None:
        run = self._guided.run
        if run is None:
            return
        self._say(f"Draw {with_article(run.asked)}", self._large_size, wraps=False)
        skipped = f" · {run.skipped} skipped" if run.skipped else ""
        self._progress.setText(progress_text(run) + skipped)
        self._show_parts(is_over=False)

    @Slot(str)
    def _show_result(self, text: str) -> None:
        self._say(text, self._normal_size, wraps=True)
        self._show_parts(is_over=True)

    def _say(self, text: str, size_pt: float, *, wraps: bool) -> None:
        font = self._asked.font()
        font.setPointSizeF(size_pt)
        self._asked.setFont(font)
        self._asked.setWordWrap(wraps)
        self._asked.setText(text)
        self.setAccessibleName(text)
        if QAccessible.isActive():
            # The keyboard stays with the canvas, so a screen reader would not come by here by itself.
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _show_parts(self, *, is_over: bool) -> None:
        self._progress.setVisible(not is_over)
        self._end.setVisible(not is_over)
        self._close.setVisible(is_over)
        self.show()
