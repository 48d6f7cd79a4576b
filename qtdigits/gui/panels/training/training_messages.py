"""What a run has to say: a notice while it goes on, an error with its remedy when it could not."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.gui.widgets.parts import button, frame, label

RETRY_TIP = "Train once more by the same recipe"
GO_ON = "Go on"
GOES_ON_FROM_RUNS = "It can go on from the Runs tab."
GO_ON_TIP = "Go on with this training where it was interrupted"


class TrainingMessages(QWidget):
    """Takes no room while there is nothing to say. `retry_requested`: the person wants the same training again."""

    retry_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._notice = label(role="warning", name="trainingNotice", wraps=True)
        self._error = label(role="error", name="trainingError", wraps=True)
        for text in (self._notice, self._error):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._retry = button("Try again", "retryButton", RETRY_TIP)
        self._retry.clicked.connect(self.retry_requested)
        self._error_bar = frame("trainingErrorBar")
        row = QHBoxLayout(self._error_bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._error, 1)
        row.addWidget(self._retry, 0, Qt.AlignmentFlag.AlignTop)
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

    def show_error(self, text: str, *, can_retry: bool, goes_on: bool = False) -> None:
        """`goes_on`: trying again means to go on where the training was interrupted."""
        self._error.setText(text)
        self._retry.setText(GO_ON if goes_on else "Try again")
        self._retry.setToolTip(GO_ON_TIP if goes_on else RETRY_TIP)
        self._retry.setVisible(can_retry)
        self._error_bar.show()
        self.show()

    def begin_next(self) -> None:
        """The next of the line begins by itself: what the training before it ended of has hardly been read by anybody."""
        has_failed, missed = not self._retry.isHidden(), self.error
        goes_on = f" {GOES_ON_FROM_RUNS}" if self._retry.text() == GO_ON else ""
        self.clear()
        if missed and has_failed:
            self.show_notice(f"The training before this one: {missed}{goes_on}")

    def clear(self) -> None:
        for text in (self._notice, self._error):
            text.clear()
        for part in (self._notice, self._error_bar, self):
            part.hide()
