"""What a run has to say: a notice while it goes on, an error with its remedy when it could not."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.gui.widgets.parts import button, frame, label

RETRY_TIP = "Train once more by the same recipe"
RESUME = "Resume"
RESUME_FROM_RUNS = "It can be resumed from the Runs tab."
RESUME_TIP = "Resume this training where it was interrupted"


class TrainingMessages(QWidget):
    """Takes no room while there is nothing to say. `retry_button` is for the panel."""

    def __init__(self) -> None:
        super().__init__()
        self._notice = label(role="warning", name="trainingNotice", wraps=True)
        self._error = label(role="error", name="trainingError", wraps=True)
        for text in (self._notice, self._error):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.retry_button = button("Try again", "retryButton", RETRY_TIP)
        self._error_bar = frame("trainingErrorBar")
        row = QHBoxLayout(self._error_bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._error, 1)
        row.addWidget(self.retry_button, 0, Qt.AlignmentFlag.AlignTop)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._notice)
        box.addWidget(self._error_bar)
        self.clear()

    @property
    def notice(self) -> str:
        return self._notice.text()

    @property
    def error(self) -> str:
        return self._error.text()

    def show_notice(self, text: str) -> None:
        self._notice.setText(text)
        self._notice.show()
        self.show()

    def show_error(self, text: str, *, can_retry: bool, can_resume: bool = False) -> None:
        """`can_resume`: trying again means to resume the training that was interrupted."""
        self._error.setText(text)
        self.retry_button.setText(RESUME if can_resume else "Try again")
        self.retry_button.setToolTip(RESUME_TIP if can_resume else RETRY_TIP)
        self.retry_button.setVisible(can_retry)
        self._error_bar.show()
        self.show()

    def begin_next(self) -> None:
        """Another training has begun by itself: the error of the one before has hardly been read yet."""
        has_failed, missed = not self.retry_button.isHidden(), self.error
        remedy = f" {RESUME_FROM_RUNS}" if self.retry_button.text() == RESUME else ""
        self.clear()
        if missed and has_failed:
            self.show_notice(f"The training before this one: {missed}{remedy}")

    def clear(self) -> None:
        for text in (self._notice, self._error):
            text.clear()
        for part in (self._notice, self._error_bar, self):
            part.hide()
