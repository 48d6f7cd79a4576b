"""Changes to stored drawings from the window, each of which can be undone.

Many drawings are changed a few hundred at a time, between which the window draws and answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.core.formatting import counted
from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.store.tables.editing import Changed, Deleted

MOST_UNDONE = 50
AT_ONCE = 500
"""Drawings changed before the window answers again: some 20 to 40 ms, where 50,000 take two to four seconds."""

Change = Changed | Deleted


@dataclass(eq=False)
class _Job:
    """A change of many drawings under way. `change` is given one of `parts` and returns how many it tried and what it did.

    `text` is the sentence about what has been done to how many. `undoes` is that of the change which the job undoes, if it does.
    What a job that `is_final` did cannot be undone.
    """

    text: Callable[[int], str]
    parts: deque[Sequence[int] | Change]
    change: Callable[[Sequence[int] | Change], tuple[int, Change | None]]
    total: int
    is_final: bool = False
    undoes: str = ""
    n: int = 0
    tried: int = 0
    done: list[Change] = field(default_factory=list)


class SampleEdits(QObject):
    """`edited` carries a sentence about what was done, or is being done."""

    edited = Signal(str)

    def __init__(self, *, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._done: deque[tuple[str, tuple[Change, ...]]] = deque(maxlen=MOST_UNDONE)
        self._jobs: deque[_Job] = deque()
        self._next = QTimer(self, interval=0)
        self._next.timeout.connect(self._step)
        session.closing.connect(self._finish_all)

    @property
    def can_undo(self) -> bool:
        return bool(self._done) and not self._jobs

    def relabel(self, ids: Collection[int], label: str) -> None:
        relabel = self._session.store.relabel
        self._do(f"relabelled as {label.strip()}", _parts(ids), lambda part: relabel(part, label))

    def take_suggestions(self, suggestions: Mapping[int, str]) -> None:
        """Give each drawing the label that was suggested for it, all in one change."""
        by_label: dict[str, list[int]] = {}
        for sample_id, suggested in suggestions.items():
            by_label.setdefault(suggested, []).append(sample_id)
        parts = [part for ids in by_label.values() for part in _parts(ids)]
        relabel = self._session.store.relabel
        self._do("relabelled as suggested", parts, lambda part: relabel(part, suggestions[part[0]]))

    def set_weight(self, ids: Collection[int], weight: int) -> None:
        """Say how often drawings count in a training. Those held out are left as they are, and the sentence says so."""
        chosen = np.fromiter(ids, np.int64)
        trained = chosen[np.isin(chosen, self._session.store.ids(held_out=False))].tolist()
        n_held_out = len(ids) - len(trained)
        never = f"{counted(n_held_out, 'drawing')} held out: never trained on" if n_held_out else ""
        if not trained:
            self.edited.emit(f"{never}.")
            return
        times = "once" if weight == 1 else f"{weight} times"
        text = f"counts {times}" if len(trained) == 1 else f"count {times}"
        set_weight = self._session.store.set_weight
        self._do(
            f"{text}; {never}" if never else text, _parts(trained), lambda part: set_weight(part, weight)
        )

    def accept_labels(self, ids: Collection[int]) -> None:
        self._do("accepted as labelled", _parts(ids), self._session.store.accept_labels)

    def delete(self, ids: Collection[int]) -> None:
        self._do("deleted", _parts(ids), self._session.store.delete_samples)

    def put_back(self, ids: Collection[int]) -> None:
        """Take drawings out of the trash."""
        parts = deque(Deleted(tuple(part)) for part in _parts(ids))
        self._begin(
            _Job(
                lambda n: f"{counted(n, 'drawing')} put back.",
                deque(parts),
                self._restored,
                len(ids),
                is_final=True,
            )
        )

    def undo(self) -> None:
        """Undo the last change since the window was opened."""
        if not self.can_undo:
            return
        text, changes = self._done.pop()
        total = sum(len(change.ids) for change in changes)
        parts: deque[Sequence[int] | Change] = deque(reversed(changes))
        self._begin(
            _Job(lambda _n: f"Undone: {text}", parts, self._restored, total, is_final=True, undoes=text)
        )

    def _do(
        self, what: str, parts: Sequence[Sequence[int]], change: Callable[[Sequence[int]], Change]
    ) -> None:
        total = sum(map(len, parts))

        def changed(part: Sequence[int] | Change) -> tuple[int, Change | None]:
            assert not isinstance(part, Changed | Deleted)
            done = change(part)
            return len(part), done if done.ids else None

        self._begin(_Job(lambda n: f"{counted(n, 'drawing')} {what}.", deque(parts), changed, total))

    def _restored(self, part: Sequence[int] | Change) -> tuple[int, Change | None]:
        assert isinstance(part, Changed | Deleted)
        self._session.store.restore(part)
        return len(part.ids), part

    def _begin(self, job: _Job) -> None:
        """Start a job: at once, if it is a short one and no other is under way."""
        self._jobs.append(job)
        if len(self._jobs) == 1 and len(job.parts) <= 1:
            self._step()
        elif not self._next.isActive():
            self._next.start()

    @Slot()
    def _step(self) -> None:
        """Do the next part of the job. What was done before an error stays, and can be undone."""
        job = self._jobs[0]
        try:
            if job.parts:
                tried, change = job.change(job.parts[0])
                job.parts.popleft()
                job.tried += tried
                if change is not None:
                    job.done.append(change)
                    job.n += len(change.ids)
        except QtDigitsError as error:
            self._end(job)
            self._session.report(error)
            return
        if job.parts:
            self.edited.emit(f"{job.tried:,} of {counted(job.total, 'drawing')} …")
        else:
            self._end(job)

    def _end(self, job: _Job) -> None:
        self._jobs.popleft()
        if not self._jobs:
            self._next.stop()
        left = tuple(part for part in reversed(job.parts) if isinstance(part, Changed | Deleted))
        if job.undoes and left:
            self._done.append((job.undoes, left))  # an undo that failed can be tried again
        elif job.done and not job.is_final:
            self._done.append((job.text(job.n), tuple(job.done)))
        if job.done:
            self._session.samples_edited()
            self.edited.emit(job.text(job.n))

    @Slot()
    def _finish_all(self) -> None:
        """Finish what was begun before the store is closed."""
        while self._jobs:
            self._step()


def _parts(ids: Collection[int]) -> list[Sequence[int]]:
    listed = list(ids)
    return [listed[first : first + AT_ONCE] for first in range(0, len(listed), AT_ONCE)]
