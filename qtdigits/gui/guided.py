"""Guided sessions: digits are asked for in turn until the interval of the accuracy is narrow enough."""

from __future__ import annotations

import secrets
from enum import StrEnum

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.drawing.samples import Trial
from qtdigits.core.formatting import percent, percent_range
from qtdigits.core.score.practice import Goal, GuidedProgress
from qtdigits.gui.champion import Champion
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session


class Ending(StrEnum):
    """Why a guided session is over."""

    DONE = "The interval is narrow enough."
    LONG = "That is as long as a session gets."
    ENDED = "Ended by you."
    OTHER_MODEL = "Ended, as another model is in use now."
    OTHER_WRITER = "Ended, as somebody else is drawing now."


class GuidedSession(QObject):
    """`run` is the session under way, None without one. `ended` carries the result in words."""

    changed = Signal()
    ended = Signal(str)

    def __init__(self, *, session: Session, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._preferences = preferences
        self._ids: list[int | None] = []
        self.run: GuidedProgress | None = None
        session.trial_judged.connect(self._on_judged)
        session.trial_skipped.connect(self._on_skipped)
        session.trial_taken_back.connect(self._on_taken_back)
        session.champion_changed.connect(self._on_champion_changed)
        session.writer_changed.connect(self._on_writer_changed)

    @property
    def asked(self) -> str:
        """The label to draw next; "" while there is no guided session."""
        return self.run.asked if self.run else ""

    @Slot()
    def toggle(self) -> None:
        """Start a session, or end the one that is going on."""
        if self.run is None:
            self.start()
        else:
            self.end()

    def start(self, goal: Goal | None = None, *, seed: int | None = None) -> None:
        """Start with the classes of the model in use, in a new order; `goal` is the preferred one unless given."""
        self._session.ensure_champion()
        if not self._session.model_name:
            return
        chosen = secrets.randbits(32) if seed is None else seed
        goal = goal or Goal(half_width=self._preferences.guided_half_width)
        self.run = GuidedProgress(self._session.labels, chosen, goal)
        self._ids = []
        self.changed.emit()

    @Slot()
    def end(self) -> None:
        self._end(Ending.ENDED)

    def label_for(self, typed: str) -> str:
        """Return the label that Enter stands for: the one that was typed, else the one that was asked for."""
        return typed if typed.strip() else self.asked

    def _end(self, ending: Ending) -> None:
        if self.run is None:
            return
        run, self.run = self.run, None
        self.changed.emit()
        self.ended.emit(result_text(run, ending))

    @Slot(object)
    def _on_judged(self, trial: Trial) -> None:
        if self.run is None or trial.truth is None:
            return
        self.run = self.run.with_drawing(trial.truth, is_right=trial.is_right)
        self._ids.append(trial.id)
        if self.run.is_done:
            low, high = self.run.interval
            is_narrow = (high - low) / 2 <= self.run.goal.half_width
            self._end(Ending.DONE if is_narrow else Ending.LONG)
        else:
            self.changed.emit()

    @Slot(object)
    def _on_skipped(self, _trial: Trial) -> None:
        if self.run is not None:
            self.run = self.run.with_skipped()
            self.changed.emit()

    @Slot(object)
    def _on_taken_back(self, trial: Trial) -> None:
        if self.run is None:
            return
        if trial.truth is None:
            self.run = self.run.with_skipped(-1)
        elif self._ids and self._ids[-1] == trial.id:
            self._ids.pop()
            self.run = self.run.without_last()
        self.changed.emit()

    @Slot(object)
    def _on_champion_changed(self, _champion: Champion) -> None:
        self._end(Ending.OTHER_MODEL)

    @Slot(str)
    def _on_writer_changed(self, _name: str) -> None:
        self._end(Ending.OTHER_WRITER)


def guided_text(half_width: float) -> str:
    """Name the goal of a guided session, for a menu."""
    return f"Guided session: to ±{100 * half_width:g} points"


def progress_text(run: GuidedProgress) -> str:
    """Such as: 12 of about 60."""
    return f"{run.n + 1} of about {max(run.expected_drawings, run.n + 1)}"


def result_text(run: GuidedProgress, ending: Ending) -> str:
    """Such as: 59 of 60 read right: 98.3 %, 95 % interval 91.1 to 99.7 %. The interval is narrow enough."""
    if not run.n:
        return f"Nothing was drawn. {ending.value}"
    skipped = f" {run.skipped} skipped." if run.skipped else ""
    return (
        f"{run.correct} of {run.n} read right: {percent(run.correct / run.n)}, "
        f"95 % interval {percent_range(*run.interval)}.{skipped} {ending.value}"
    )
