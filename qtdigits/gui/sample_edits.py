"""Changes to stored drawings from the window, each of which can be undone and redone.

Many drawings are changed a few hundred at a time, between which the window draws and answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.core.formatting import counted
from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.store.tables.editing import Deleted, Restored, SampleChange

AT_ONCE = 500
"""Drawings changed before the window answers again: some 20 to 40 ms, where 50,000 take two to four seconds."""

Part = Sequence[int] | SampleChange


class Edit:
    """A change of drawings: an `Action` of the undo stack, made a part at a time.

    `noun` and `verb` say what it is, such as "deletion" and "deleted"; `tail` stands behind both, such as " as 7".
    """

    def __init__(self, edits: SampleEdits, noun: str, verb: str, tail: str = "") -> None:
        self._edits = edits
        self._noun, self._verb, self._tail = noun, verb, tail
        self._parts: deque[Part] = deque()
        self._change: Callable[[Any], SampleChange] = edits.restore
        self._made: list[SampleChange] = []
        self._n = 0
        self.is_new = True
        self.is_undoing = False

    @property
    def name(self) -> str:
        return f"{self._noun} of {counted(self._n, 'drawing')}{self._tail}"

    @property
    def outcome(self) -> str:
        if self.is_undoing:
            return f"Undone: {self.name}."
        return f"{counted(self._n, 'drawing')} {self._verb}{self._tail}."

    @property
    def n_left(self) -> int:
        return sum(len(part.ids if isinstance(part, SampleChange) else part) for part in self._parts)

    @property
    def is_long(self) -> bool:
        return len(self._parts) > 1

    def plan(self, parts: Sequence[Sequence[int]], change: Callable[[Any], SampleChange]) -> None:
        """Say what is to be changed, a part at a time."""
        self._parts, self._change = deque(parts), change

    def step(self) -> bool:
        """Change one part; return whether there are more. Raises `QtDigitsError`, and then the part is still to be changed."""
        if self._parts:
            made = self._change(self._parts[0])
            self._parts.popleft()
            if made.ids:
                self._made.append(made)
        return bool(self._parts)

    def end(self, made: Sequence[SampleChange] = ()) -> bool:
        """What was changed, or `made` elsewhere, is what can be undone next. Return whether there is anything."""
        done = [*made, *self._made]
        self._parts, self._made, self._change = deque(reversed(done)), [], self._edits.restore
        if self.is_new:
            self._n = sum(len(one.ids) for one in done)
        self.is_new = False
        return bool(done)

    def undo(self) -> None:
        self._begin(is_undoing=True)

    def redo(self) -> None:
        self._begin(is_undoing=False)

    def _begin(self, *, is_undoing: bool) -> None:
        if self._edits.is_busy:
            raise QtDigitsError("Many drawings are still being changed.", "Try again in a moment.")
        self.is_undoing = is_undoing
        self._edits.begin(self)


class SampleEdits(QObject):
    """`edited` carries a sentence about what was done, or is being done."""

    edited = Signal(str)

    def __init__(self, *, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pending: deque[tuple[Edit, int]] = deque()  # with how many drawings there are to change
        self._n_handed_over = 0
        self._next = QTimer(self, interval=0, singleShot=True)
        self._next.timeout.connect(self._change_next_part)
        session.closing.connect(self._finish_all)

    @property
    def is_busy(self) -> bool:
        return bool(self._pending)

    @property
    def can_undo(self) -> bool:
        """Whether the last action was such a change, and is over."""
        return isinstance(self._session.undo_stack.next_undone, Edit) and not self.is_busy

    def restore(self, change: SampleChange) -> SampleChange:
        return self._session.store.restore(change)

    def relabel(self, ids: Collection[int], label: str) -> None:
        relabel = self._session.store.relabel
        edit = Edit(self, "relabelling", "relabelled", f" as {label.strip()}")
        self._do(edit, _parts(ids), lambda part: relabel(part, label))

    def take_suggestions(self, suggestions: Mapping[int, str]) -> None:
        """Give each drawing the label that was suggested for it, all in one change."""
        by_label: dict[str, list[int]] = {}
        for sample_id, suggested in suggestions.items():
            by_label.setdefault(suggested, []).append(sample_id)
        parts = [part for ids in by_label.values() for part in _parts(ids)]
        relabel = self._session.store.relabel
        edit = Edit(self, "relabelling", "relabelled", " as suggested")
        self._do(edit, parts, lambda part: relabel(part, suggestions[part[0]]))

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
        edit = Edit(self, "weight", f"{text}; {never}" if never else text)
        self._do(edit, _parts(trained), partial(self._session.store.set_weight, weight=weight))

    def accept_labels(self, ids: Collection[int]) -> None:
        edit = Edit(self, "review", "accepted as labelled")
        self._do(edit, _parts(ids), self._session.store.accept_labels)

    def delete(self, ids: Collection[int]) -> None:
        self._do(Edit(self, "deletion", "deleted"), _parts(ids), self._session.store.delete_samples)

    def put_back(self, ids: Collection[int]) -> None:
        """Take drawings out of the trash."""
        edit = Edit(self, "return", "put back")
        self._do(edit, _parts(ids), lambda part: self.restore(Deleted(tuple(part))))

    def add_import(self, ids: Collection[int]) -> None:
        """Drawings were imported: undoing that moves them to the trash."""
        edit = Edit(self, "import", "imported")
        edit.end([Restored(tuple(part)) for part in _parts(ids)])
        self._session.undo_stack.add(edit)

    def _do(self, edit: Edit, parts: Sequence[Sequence[int]], change: Callable[[Any], SampleChange]) -> None:
        edit.plan(parts, change)
        self.begin(edit)

    def begin(self, edit: Edit) -> None:
        """Make a change, or undo it: at once, unless a long one is under way or another process writes."""
        self._pending.append((edit, edit.n_left))
        self._hand_over()

    def _hand_over(self) -> None:
        """Let what is pending be saved, up to a long change: what comes after that follows when it has ended."""
        while self._n_handed_over < len(self._pending):
            before = islice(self._pending, self._n_handed_over)
            if any(edit.is_long for edit, _ in before):
                return
            self._n_handed_over += 1
            self._change_part(*self._pending[self._n_handed_over - 1])

    @Slot()
    def _change_next_part(self) -> None:
        self._change_part(*self._pending[0])

    def _change_part(self, edit: Edit, total: int) -> None:
        """Change the next part. What was changed before an error stays, and can be undone."""
        then, failed = partial(self._on_changed, edit, total), partial(self._end, edit)
        self._session.saving.do(edit.step, then, failed=failed)

    def _on_changed(self, edit: Edit, total: int, is_more: bool) -> None:
        if is_more:
            self.edited.emit(f"{total - edit.n_left:,} of {counted(total, 'drawing')} …")
            self._next.start()
        else:
            self._end(edit)

    def _end(self, edit: Edit, error: QtDigitsError | None = None) -> None:
        self._pending.popleft()
        self._n_handed_over -= 1
        stack, is_new = self._session.undo_stack, edit.is_new
        is_changed = True
        if is_new:
            if is_changed := edit.end():
                stack.add(edit)
        elif error is None:
            edit.end()
        else:
            stack.put_back(edit)  # what is left of it can be tried again
        if is_changed:
            self._session.samples_edited()
        if error is not None:
            self._session.report(error)
        if is_changed and (is_new or error is None):
            self.edited.emit(edit.outcome)
        self._hand_over()

    @Slot()
    def _finish_all(self) -> None:
        """Finish what was begun before the store is closed."""
        while self._pending and not self._session.saving.is_waiting:
            self._next.stop()
            self._change_next_part()


def _parts(ids: Collection[int]) -> list[Sequence[int]]:
    listed = list(ids)
    return [listed[first : first + AT_ONCE] for first in range(0, len(listed), AT_ONCE)]
