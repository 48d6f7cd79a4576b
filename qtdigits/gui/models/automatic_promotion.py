"""A new model takes over by itself, where that is wished and safe, though never in the middle of a guided session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.run.events import RunFinished
from qtdigits.core.score.comparison import Recommendation
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.session import Session

WAITING = "A better model is ready; it is used after the guided session, so that one model reads all of it."


class _Waiting(NamedTuple):
    """A model that waits, and what it was found better than and for: when that has changed, nobody knows any more."""

    finished: RunFinished
    in_use: Path | None
    writer: str


class AutomaticPromotion(QObject):
    """`told` carries a sentence about what happened. `is_wished` is asked at the moment of the change.

    `left_to_person` says what a new model is worth that is not used by itself, though perhaps by the person.
    """

    told = Signal(str)
    left_to_person = Signal(str)

    def __init__(
        self,
        *,
        session: Session,
        guided: GuidedSession,
        is_wished: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._guided = guided
        self._is_wished = is_wished
        self._waiting: _Waiting | None = None
        guided.ended.connect(self._on_guided_ended)

    def run_ended(self, event: object) -> None:
        """A training is over; `event` is its ending, of any kind."""
        if (
            not isinstance(event, RunFinished)
            or event.comparison.get("advice", Recommendation.KEEP) == Recommendation.KEEP
        ):
            return
        if not self._is_wished() or event.comparison["advice"] != Recommendation.USE:
            self.left_to_person.emit(f"A new model is ready: it {event.comparison['sentence']}.")
        elif self._guided.run is None:
            self._use(event)
        else:
            self._waiting = _Waiting(event, self._session.model_path, self._session.writer)
            self.told.emit(WAITING)

    @Slot()
    def _on_guided_ended(self) -> None:
        waiting, self._waiting = self._waiting, None
        now = self._session.model_path, self._session.writer
        if waiting is not None and self._is_wished() and now == (waiting.in_use, waiting.writer):
            self._use(waiting.finished)

    def _use(self, event: RunFinished) -> None:
        self._session.use_model(Path(event.model))
        self.told.emit(f"A better model is in use: it {event.comparison['sentence']}.")
