"""The session: the one owner of what is current, that is writer, champion, memory, ink, its reading, and the running accuracy.

Widgets call the session and listen to its signals. Errors arrive as `problem_met`; a drawing that could not be stored stays on
the canvas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.samples import Trial
from qtdigits.core.judging import DrawingStep, Reading
from qtdigits.core.undo import Action
from qtdigits.errors import InputError, QtDigitsError, StoreError
from qtdigits.gui.current_reader import CurrentReader, who_draws
from qtdigits.gui.saving import Write
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.database import BUSY_TIMEOUT_S
from qtdigits.store.tables.queries import Thumbnail
from qtdigits.store.tables.samples import SampleStore


@dataclass(frozen=True)
class SampleSelection:
    """Stored drawings to look at, by their ids."""

    title: str
    ids: tuple[int, ...]


class Session(CurrentReader):
    """See the module, and `CurrentReader` for what a drawing is read with. `data_dir` is the folder of the store."""

    ink_changed = Signal(object)  # Ink
    trial_judged = Signal(object)  # Trial
    trial_skipped = Signal(object)  # Trial
    trial_taken_back = Signal(object)  # Trial
    writer_changed = Signal(str)
    selection_changed = Signal(object)  # SampleSelection
    run_wanted = Signal(str)  # the id of a run
    told = Signal(str)  # what was done; it need not stay in sight
    saving_changed = Signal(bool)  # `is_saving`
    closing = Signal()  # the store is about to be closed

    def __init__(
        self, *, store: SampleStore, library: ModelLibrary, data_dir: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(store=store, library=library, data_dir=data_dir, parent=parent)
        self._canvas_write: Write | None = None
        self._next_strokes: list[tuple[NDArray[np.float32], str]] = []
        self._new_classes: set[str] = set()
        self._n_damaged = 0
        self._revision = store.revision

    @property
    def is_saving(self) -> bool:
        """Whether a judgement waits for another process. The drawing stays; what is drawn meanwhile belongs to the next one."""
        return self._canvas_write is not None

    # Who draws.

    def set_writer(self, name: str) -> None:
        if name == self.writer or not name.strip():
            return
        try:
            if name not in self.store.writers():
                self.store.add_writer(name)
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        self._judging.set_writer(name)
        self._remember()
        self.writer_changed.emit(name)
        if not self.ink.is_blank:
            self.recognise()
        self._tell_accuracy()

    def rename_writer(self, old: str, new: str) -> None:
        """Raises `InputError` for a name that is taken or cannot be one, `StoreError`."""
        self.store.rename_writer(old, new)
        self._writer_became(old, new.strip())

    def merge_writers(self, source: str, into: str) -> None:
        """All that `source` has becomes `into`'s. Raises as `rename_writer`."""
        self.store.merge_writers(source, into)
        self._writer_became(source, into)

    def store_replaced(self) -> None:
        """All that is stored may be another: a backup was restored, or a writer erased. Earlier actions cannot be undone."""
        self.undo_stack.remove(*self.undo_stack.actions)
        if self.writer not in self.store.writers():
            self._judging.set_writer(who_draws(self.store))
            self.writer_changed.emit(self.writer)
        self.models_changed.emit()
        self.look_for_changes()
        self.samples_edited()

    def _writer_became(self, old: str, new: str) -> None:
        self._judging.rename_writer(old, new)
        self.writer_changed.emit(self.writer)
        self.samples_edited()

    # Drawing and reading.

    def add_stroke(self, stroke: NDArray[np.float32], device: str) -> None:
        if self.is_saving:
            self._next_strokes.append((stroke, device))
            self.ink_changed.emit(Ink((*self.ink.strokes, *(one for one, _ in self._next_strokes))))
            return
        self.ensure_champion()
        self._judging.add_stroke(stroke, device=device)
        self._tell_drawing()

    def erase_stroke(self, index: int) -> None:
        if not self.is_saving:
            self._judging.erase_stroke(index)
        self._tell_drawing()

    def recognise(self) -> None:
        """Read what is on the canvas again."""
        self.reading_changed.emit(self._judging.recognise())

    def is_known(self, typed: str) -> bool:
        """Whether a typed label is a class of the model or of the store, and of the set in use; it may also be refused.

        Raises `StoreError`.
        """
        if not typed.strip():
            return True
        try:
            wanted = self._judging.meaning_of(typed)
        except InputError:
            return True
        return wanted in self.label_set.labels or wanted in self._classes.active.labels

    def judge(self, typed: str = "", *, then: Callable[[], object] = lambda: None) -> bool:
        """Confirm the answer (nothing typed, or its own label) or correct it; store, count, and clear the canvas.

        Return whether the drawing is stored, and call `then` when it is. If it is not, it stays on the canvas: `problem_met`
        says why, or it `is_saving` while another process writes into the store.
        """
        if self.ink.is_blank or self.is_saving:
            return False
        self._save(partial(self._judge, typed), partial(self._on_judged, then))
        return self.ink.is_blank

    def _judge(self, typed: str) -> Trial | None:
        known = () if self.is_known(typed) else self.store.classes().labels
        trial = self._judging.judge(typed)
        if known and trial is not None and trial.truth and trial.truth not in known:
            self._new_classes.add(trial.truth)
        return trial

    def _on_judged(self, then: Callable[[], object], trial: Trial | None) -> None:
        self._tell_judged(trial)
        then()

    def skip(self) -> None:
        """Clear the canvas without counting. The trial is stored as skipped, so that nobody can skip unseen what was misread.

        A judgement that waits is not stored instead, and the drawing stays.
        """
        if self.is_saving:
            self._give_up_saving()
        elif not self.ink.is_blank:
            self._save(self._judging.skip, self._tell_skipped, failed=self._on_skip_failed)

    def _on_skip_failed(self, error: QtDigitsError) -> None:
        self._judging.clear()
        self.problem_met.emit(error)
        self._next_drawing()

    def undo(self) -> None:
        """Undo the last action, whatever it was. Whoever drew what is undone draws again."""
        if self.is_saving:
            self._give_up_saving()
        else:
            self._save(
                partial(self._move, self.undo_stack.undo), self._on_undone, failed=self._on_move_failed
            )

    def _on_undone(self, action: Action | None) -> None:
        """Other actions than those on the canvas say themselves what they do."""
        if not isinstance(action, DrawingStep):
            return
        if action.trial is not None and self.is_remembering:  # what is being built may have it
            self._remember()
        self._tell_drawing()
        if action.trial is not None:
            self._drop_new_class(action.trial.truth)
            self.trial_taken_back.emit(action.trial)
            self.samples_changed.emit()
            self._tell_accuracy()

    def redo(self) -> None:
        """Redo what `undo` has undone."""
        if not self.is_saving:
            self._save(
                partial(self._move, self.undo_stack.redo), self._on_redone, failed=self._on_move_failed
            )

    def _on_redone(self, action: Action | None) -> None:
        if not isinstance(action, DrawingStep):
            return
        if action.trial is None:
            self._tell_drawing()
        elif action.trial.truth is None:
            self._tell_skipped(action.trial)
        else:
            self._tell_judged(action.trial)

    def _move(self, move: Callable[[], Action | None]) -> Action | None:
        """Undo or redo. Raises what the action raises."""
        before = self.writer
        try:
            return move()
        finally:
            if self.writer != before:
                self._remember()
                self.writer_changed.emit(self.writer)
                self.notice_given.emit(f"The writer is {self.writer} again, who drew this.")

    def _on_move_failed(self, error: QtDigitsError) -> None:
        self.problem_met.emit(error)
        self._tell_drawing()

    # While what is on the canvas waits to be written.

    def _save(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], object],
        *,
        failed: Callable[[QtDigitsError], object] | None = None,
    ) -> None:
        write = self.saving.do(
            work, partial(self._on_saved, then), failed=partial(self._on_saved, failed or self.report)
        )
        if self.saving.is_pending(write):
            self._canvas_write = write
            self.saving_changed.emit(True)

    def _on_saved(self, then: Callable[[Any], object], outcome: object) -> None:
        if self.is_saving:  # what was drawn meanwhile is read in an event of its own
            QTimer.singleShot(0, self, self._end_saving)
        then(outcome)

    def _give_up_saving(self) -> None:
        if self._canvas_write is not None:
            self.saving.drop(self._canvas_write)
        self._end_saving()

    @Slot()
    def _end_saving(self) -> None:
        """What was drawn meanwhile belongs to the drawing that is on the canvas now."""
        if self._canvas_write is None or self.saving.is_pending(self._canvas_write):
            return
        self._canvas_write = None
        self.saving_changed.emit(False)
        strokes, self._next_strokes = self._next_strokes, []
        for stroke, device in strokes:
            self._judging.add_stroke(stroke, device=device)
        if strokes:
            self._tell_drawing()

    def _drop_new_class(self, label: str | None) -> None:
        """A class goes with the judgement that made it, unless it has other drawings by now."""

        def remove() -> None:
            try:
                if label and not self.store.count(label=label):
                    self.store.class_table.remove(label)
            except InputError:
                self._new_classes.discard(label or "")  # it has been renamed, merged or retired

        if label in self._new_classes:
            self.saving.do(remove, lambda _: self._reload_classes(), failed=self.report)

    def look_for_changes(self) -> None:
        """Another window or a terminal may have written into the store, or have removed the champion's file."""
        try:
            seen, self._revision = self._revision, self.store.revision
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        if self._revision != seen:
            self.samples_edited()
        self._look_at_champion_file()

    def samples_edited(self) -> None:
        """Drawings or classes were changed, and perhaps the judgements of them: they are remembered anew."""
        self._reload_classes()
        if self.class_set and self._classes.among is None:  # it is gone
            self.use_class_set("")
        self._remember()
        self.samples_changed.emit()
        self._tell_accuracy()

    def tell_damaged(self) -> None:
        """Say which rows of the store are damaged and left out, if some were met since it was said last."""
        damaged = list(self.store.damaged)
        if len(damaged) > self._n_damaged:
            what = damaged[self._n_damaged]
            more = len(damaged) - self._n_damaged - 1
            others = f", and so are {more:,} more" if more else ""
            text = f"{what[0].upper()}{what[1:]} is damaged and left out{others}."
            self.problem_met.emit(StoreError(text, "Set them aside: qtdigits samples check --repair."))
        self._n_damaged = len(damaged)

    def model_trained(self) -> None:
        """Tell everybody that a model was added to the library."""
        self.models_changed.emit()

    # What panels want shown or said.

    def select_samples(self, title: str, ids: Sequence[int]) -> None:
        """Show these drawings in the samples panel."""
        self.selection_changed.emit(SampleSelection(title, tuple(ids)))

    def show_run(self, run: str) -> None:
        """Show this run among the others."""
        self.run_wanted.emit(run)

    def drawings_behind(self, reading: Reading) -> list[Thumbnail]:
        """The remembered drawings that spoke for an answer, most similar first."""
        try:
            return self.store.thumbnails([neighbour.key for neighbour in reading.because])
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return []

    def notify(self, text: str) -> None:
        self.notice_given.emit(text)

    def tell(self, text: str) -> None:
        self.told.emit(text)

    def close(self) -> None:
        """Write what waits, for which it may have to wait for another process, and let go of the store."""
        self.saving.finish(BUSY_TIMEOUT_S)
        self._file.close()
        self._remembering.close()
        self.closing.emit()
        self.store.close()

    def _add_class(self, label: str) -> None:
        """What is drawn while a set is in use belongs to it."""
        if self.class_set:
            add = partial(self.store.class_table.add_to_set, self.class_set, label)
            self.saving.do(add, lambda _: self._reload_classes(), failed=self.report)
        self._reload_classes()

    def _tell_drawing(self) -> None:
        self.ink_changed.emit(self.ink)
        self.reading_changed.emit(self.reading)
        self._look_at_champion_file()

    def _tell_judged(self, trial: Trial | None) -> None:
        if trial is not None:
            if trial.truth is not None and trial.truth not in self._classes.active.labels:
                self._add_class(trial.truth)
            self.trial_judged.emit(trial)
        self.samples_changed.emit()
        self._next_drawing()

    def _tell_skipped(self, trial: Trial | None) -> None:
        if trial is not None:
            self.trial_skipped.emit(trial)
        self._next_drawing()

    def _next_drawing(self) -> None:
        self._tell_drawing()
        if not self._promote_next():
            self._tell_accuracy()
