"""What the guided session asks for, above the canvas; afterwards its result."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from qtdigits.core.drawing.labels import with_article
from qtdigits.gui.drawing.guided_session import GuidedSession, progress_text
from qtdigits.gui.widgets.parts import button, label


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
