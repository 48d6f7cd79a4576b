"""Where digits are drawn, read and judged: canvas, prompt of a guided session, answer."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import with_article
from qtdigits.errors import QtDigitsError
from qtdigits.gui.guided import GuidedSession, progress_text
from qtdigits.gui.panels.drawing.answer import AnswerPanel
from qtdigits.gui.panels.drawing.canvas import Canvas
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.parts import button, elided_label, label


class DrawingPanel(QWidget):
    """The canvas, and the answer under it. Its focus is the label entry's."""

    def __init__(
        self,
        *,
        session: Session,
        guided: GuidedSession,
        answer: AnswerPanel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self.canvas = Canvas()
        self._answer = answer
        self._recognise = button("Recognise", "recogniseButton", "Read the drawing again (Ctrl+R)")
        self._clear = button("Clear", "clearButton", "Clear the canvas without counting (Esc)")
        self._lay_out(GuidedPrompt(guided=guided))
        self.setFocusProxy(self._answer.entry)
        self.canvas.setFocusProxy(self._answer.entry)
        self.canvas.stroke_started.connect(self._on_stroke_started)
        self.canvas.stroke_finished.connect(session.add_stroke)
        self.canvas.stroke_erased.connect(session.erase_stroke)
        self._recognise.clicked.connect(session.recognise)
        self._clear.clicked.connect(self.clear)
        session.ink_changed.connect(self._show_ink)
        session.samples_changed.connect(self._invite)
        session.writer_changed.connect(self._invite)
        self._invite()
        self._show_ink(session.ink)

    @property
    def entry(self) -> QLineEdit:
        """Where the right label is typed."""
        return self._answer.entry

    def judge(self, typed: str = "") -> None:
        """Confirm the answer ("") or correct it, as Enter does."""
        self._answer.judge(typed)

    @Slot()
    def clear(self) -> None:
        """Skip the drawing: it is not counted."""
        self._answer.drop_entry()
        self._session.skip()
        self.entry.setFocus()

    @Slot()
    def undo(self) -> None:
        self._answer.drop_entry()
        self._session.undo()

    @Slot()
    def redo(self) -> None:
        self._answer.drop_entry()
        self._session.redo()

    def _lay_out(self, prompt: QWidget) -> None:
        hint = elided_label(role="muted")
        hint.setText("Esc clears · Ctrl+Z undoes")
        footer = QHBoxLayout()
        footer.setContentsMargins(8, 0, 8, 6)
        footer.addWidget(hint, 1)
        footer.addWidget(self._recognise)
        footer.addWidget(self._clear)
        card = QFrame()
        card.setProperty("card", True)
        in_card = QVBoxLayout(card)
        in_card.setContentsMargins(8, 8, 8, 8)
        in_card.addWidget(prompt)
        in_card.addWidget(self.canvas, 1)
        in_card.addLayout(footer)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(12)
        box.addWidget(card, 1)
        box.addWidget(self._answer)

    @Slot()
    def _on_stroke_started(self) -> None:
        """What was typed while there was no drawing is no label of this one."""
        self.entry.setFocus()
        if self._session.ink.is_blank:
            self._answer.drop_entry()

    @Slot()
    def _invite(self) -> None:
        """Say what the canvas is for until this writer has drawn something."""
        try:
            has_drawn = self._session.store.count(writer=self._session.writer) > 0
        except QtDigitsError as error:
            self._session.report(error)
            return
        self.canvas.set_inviting(not has_drawn)

    @Slot(object)
    def _show_ink(self, ink: Ink) -> None:
        self.canvas.show_ink(ink)
        self._recognise.setEnabled(not ink.is_blank)
        self._clear.setEnabled(not ink.is_blank)


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
