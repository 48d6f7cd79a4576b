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
from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.drawing.classes import Classes
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.samples import DEFAULT_WRITER, Trial
from qtdigits.core.judging import DrawingStep, Judging, Reading
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.core.score.metrics import RunningAccuracy, Tally
from qtdigits.core.undo import Action, UndoStack
from qtdigits.errors import InputError, ModelFileError, QtDigitsError, StoreError
from qtdigits.gui.champion import Champion, WatchedFile
from qtdigits.gui.remembering import Remembering
from qtdigits.gui.saving import Saving, Write
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.store.tables.database import BUSY_TIMEOUT_S
from qtdigits.store.tables.queries import Thumbnail
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.remember import MemoryRequest


@dataclass(frozen=True)
class SampleSelection:
    """Stored drawings to look at, by their ids."""

    title: str
    ids: tuple[int, ...]


class Session(QObject):
    """See the module. `data_dir` is the folder of the store."""

    ink_changed = Signal(object)  # Ink
    reading_changed = Signal(object)  # Reading | None
    accuracy_changed = Signal(object)  # RunningAccuracy
    trial_judged = Signal(object)  # Trial
    trial_skipped = Signal(object)  # Trial
    trial_taken_back = Signal(object)  # Trial
    writer_changed = Signal(str)
    champion_changed = Signal(object)  # Champion | None
    memory_changed = Signal(object)  # Memory | None
    models_changed = Signal()  # the library holds other models than before
    samples_changed = Signal()
    classes_changed = Signal()
    undo_changed = Signal()  # another action is the next to be undone or redone
    selection_changed = Signal(object)  # SampleSelection
    problem_met = Signal(object)  # QtDigitsError
    notice_given = Signal(str)  # nothing failed, but the person should know
    told = Signal(str)  # what was done; it need not stay in sight
    saving_changed = Signal(bool)  # `is_saving`
    closing = Signal()  # the store is about to be closed

    def __init__(
        self, *, store: SampleStore, library: ModelLibrary, data_dir: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.store = store
        self.library = library
        self.data_dir = data_dir
        self.undo_stack = UndoStack(on_change=self.undo_changed.emit)
        self._judging = Judging(store=store, writer=_who_draws(store), undo_stack=self.undo_stack)
        self.saving = Saving(store, library, parent=self)
        self.saving.took_long.connect(self.report)
        self._canvas_write: Write | None = None
        self._next_strokes: list[tuple[NDArray[np.float32], str]] = []
        self._n_damaged = 0
        self._new_classes: set[str] = set()
        self._classes = store.class_table.all(library.class_set)
        store.judgements.among = self._classes.among
        self._reader: Reader | None = None
        self._champion: Champion | None = None
        self._remembered_model: Model | None = None
        self._remembering = Remembering(store_path=store.path, parent=self)
        self._remembering.built.connect(self._take_memory)
        self._remembering.failed.connect(self.report)
        self._next_model: Path | None = None
        self._file = WatchedFile(self)
        self._file.settled.connect(self._look_at_champion_file)
        self._revision = store.revision

    # What is current.

    @property
    def ink(self) -> Ink:
        return self._judging.ink

    @property
    def is_saving(self) -> bool:
        """Whether a judgement waits for another process. The drawing stays; what is drawn meanwhile belongs to the next one."""
        return self._canvas_write is not None

    @property
    def reading(self) -> Reading | None:
        return self._judging.reading

    @property
    def writer(self) -> str:
        return self._judging.writer

    @property
    def reader(self) -> Reader | None:
        """What reads; None while there is no model."""
        return self._reader

    @property
    def champion(self) -> Champion | None:
        """The model in use, None while there is none."""
        return self._champion

    @property
    def memory(self) -> Memory | None:
        """The present writer's judged drawings, as the champion sees them; None where its program gives no embedding.

        While `is_remembering` it has only what was judged since.
        """
        return self._judging.memory

    @property
    def is_remembering(self) -> bool:
        """Whether the memory of the stored drawings is being built."""
        return self._remembering.is_at_work

    @property
    def model_name(self) -> str:
        return self._champion.name if self._champion else ""

    @property
    def model_path(self) -> Path | None:
        return self._champion.path if self._champion else None

    @property
    def upgradable_model(self) -> Path | None:
        """The champion's file, if it is one of the person's own whose program gives no embedding, so that there is no memory."""
        path = self.model_path
        if path is None or self._reader is None or self._reader.has_embedding:
            return None
        return path if self.library.is_own(path) else None

    @property
    def classes(self) -> Classes:
        """The classes that the person owns."""
        return self._classes

    @property
    def class_set(self) -> str:
        """The name of the set of classes that answers and figures are limited to, "" for all classes."""
        return self.library.class_set

    @property
    def label_set(self) -> LabelSet:
        """The classes that the model in use answers."""
        return self._reader.label_set if self._reader else DIGITS

    @property
    def outputs(self) -> LabelSet:
        """The classes that the model in use was trained on, shown or not."""
        return self._reader.outputs if self._reader else LabelSet(())

    @property
    def labels(self) -> tuple[str, ...]:
        """What a drawing can be read as: the classes of the model, then those that only the memory knows."""
        known = self.label_set.labels
        remembered = self.memory.labels if self.memory else ()
        return (*known, *(label for label in remembered if label not in known))

    # Model and writer.

    def ensure_champion(self) -> None:
        """Read the champion if no model is in use; where its file is missing or damaged, another model, and say so."""
        if self._reader is None:
            self._take_champion()

    def use_model(self, path: Path) -> None:
        """Make `path` the champion. A drawing that is on the canvas is first judged by the model that read it."""
        if self.ink.is_blank:
            self._promote(path)
        else:
            self._next_model = path

    def use_class_set(self, name: str) -> None:
        """Limit answers and figures to a set of classes, and use its champion. "": to none."""
        try:
            self.library.use_class_set(name)
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        self._reload_classes()
        self._take_champion()
        self.samples_changed.emit()

    def roll_back(self) -> None:
        """Go back to the champion before this one."""
        try:
            earlier = self.library.roll_back(in_use=self.model_path)
            self._take(load_model(earlier, weights=False))
        except QtDigitsError as error:
            self.problem_met.emit(error)

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
            self._judging.set_writer(_who_draws(self.store))
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
        waited, self._canvas_write = self._canvas_write, None
        then(outcome)
        if waited is not None:
            self._end_saving()

    def _give_up_saving(self) -> None:
        waited, self._canvas_write = self._canvas_write, None
        if waited is not None:
            self.saving.drop(waited)
            self._end_saving()

    def _end_saving(self) -> None:
        """What was drawn meanwhile belongs to the drawing that is on the canvas now."""
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

    def accuracy(self, model: str | None = None) -> RunningAccuracy:
        """Of the present writer with `model`, or the one in use. Raises `StoreError`."""
        name = self.model_name if model is None else model
        correct, n = self.store.running_accuracy(writer=self.writer, model=name)
        doubted = self.store.doubted_judgements(writer=self.writer, model=name)
        others = (
            [] if n else [(right, judged) for _, right, judged in self.store.judgements.models(self.writer)]
        )
        earlier = Tally(sum(judged for _, judged in others), sum(right for right, _ in others))
        return RunningAccuracy(self.writer, name, correct, n, doubted, earlier)

    def tell_damaged(self) -> None:
        """Say which rows of the store are damaged and left out, if some were met since it was said last."""
        damaged = list(self.store.damaged.items())
        if len(damaged) > self._n_damaged:
            what, why = damaged[self._n_damaged]
            more = len(damaged) - self._n_damaged - 1
            others = f", and so are {more:,} more" if more else ""
            text = f"{what[0].upper()}{what[1:]} is damaged and left out ({why}){others}."
            self.problem_met.emit(StoreError(text, "Set them aside: qtdigits samples check --repair."))
        self._n_damaged = len(damaged)

    def model_trained(self) -> None:
        """Tell everybody that a model was added to the library."""
        self.models_changed.emit()

    # What panels want shown or said.

    def select_samples(self, title: str, ids: Sequence[int]) -> None:
        """Show these drawings in the samples panel."""
        self.selection_changed.emit(SampleSelection(title, tuple(ids)))

    def drawings_behind(self, reading: Reading) -> list[Thumbnail]:
        """The remembered drawings that spoke for an answer, most similar first."""
        try:
            return self.store.thumbnails([neighbour.key for neighbour in reading.because])
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return []

    def report(self, error: QtDigitsError) -> None:
        self.problem_met.emit(error)

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

    def _take_champion(self, *, lost: str = "") -> None:
        """`lost` says what became of the model before, where that is why another one is needed."""
        readers: list[Reader] = []
        try:
            model, notice = self.library.load_champion(
                try_out=lambda model: readers.append(Reader(model, classes=self._classes))
            )
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        self._read_with(readers[-1], model)
        if lost and not notice:  # another window has chosen a champion meanwhile
            notice = f"{lost} “{model.name}” is used instead."
        if notice:
            self.notice_given.emit(notice)

    def _take(self, model: Model) -> None:
        """Read with `model` from now on. Raises `ModelFileError`, and then the one before stays in use."""
        self._read_with(Reader(model, classes=self._classes), model)

    def _read_with(self, reader: Reader, model: Model) -> None:
        assert model.path is not None  # it comes from a file
        self._reader = reader
        self._champion = Champion(model.name, model.path, model.scores)
        self._file.watch(model.path)
        self._remembered_model = model if reader.has_embedding else None
        self._judging.memory = None
        self._remembering.drop()
        self._remember()
        reading = self._judging.set_reader(reader, self.memory)
        self.champion_changed.emit(self._champion)
        self.reading_changed.emit(reading)
        self._tell_accuracy()

    def _promote(self, path: Path) -> None:
        try:
            self._take(load_model(path, weights=False))
        except QtDigitsError as error:
            self.problem_met.emit(error)
        else:
            self.saving.do(partial(self.library.promote, path), failed=self.report)

    def _add_class(self, label: str) -> None:
        """What is drawn while a set is in use belongs to it."""
        if self.class_set:
            add = partial(self.store.class_table.add_to_set, self.class_set, label)
            self.saving.do(add, lambda _: self._reload_classes(), failed=self.report)
        self._reload_classes()

    def _reload_classes(self) -> None:
        """Somebody may have renamed, merged or retired some: the model answers what they are now, from the next reading on."""
        try:
            self._classes, before = self.store.class_table.all(self.class_set), self._classes
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        self.store.judgements.among = self._classes.among
        if self._reader is not None:
            self._reader.show_as(self._classes)
        if self._classes != before:
            self.classes_changed.emit()

    # Memory. What is judged while it is being built goes into one that has nothing else yet.

    def _remember(self) -> None:
        """Begin a memory, and have what was drawn before put into it. What was known need not be read again."""
        before, model = self._remembering.drop(), self._remembered_model
        known = (*([self.memory] if self.memory else []), *(before.known if before else ()))
        self._judging.memory = None if model is None else Memory()
        try:
            has_drawings = self.store.count(writer=self.writer, is_suspect=False) > 0
        except QtDigitsError as error:
            self.problem_met.emit(error)
            has_drawings = False
        if model is not None and has_drawings:
            self._remembering.begin(MemoryRequest(model, self.writer, known, among=self._classes.among))
        self.memory_changed.emit(self.memory)

    @Slot(object)
    def _take_memory(self, memory: Memory) -> None:
        """It counts from the next reading on: the answer to what is on the canvas does not change under the person's eyes."""
        if self.memory is not None:
            memory.update(self.memory)
        self._judging.memory = memory
        self.memory_changed.emit(memory)

    # The champion's file. The model is in memory and goes on reading without it; but nothing could be learned from a missing
    # file, and the next start would be without it. So another model takes over, between two drawings.

    @Slot()
    def _look_at_champion_file(self) -> None:
        path = self.model_path
        if path is None or not self.ink.is_blank or not self._file.has_changed:
            return
        self._file.watch(path)  # a file that was put in its place is another one
        is_upgradable = self.upgradable_model is not None
        try:
            model = load_model(path, weights=False)
            if is_upgradable and (reader := Reader(model, classes=self._classes)).has_embedding:
                self._read_with(reader, model)
        except ModelFileError as error:
            self._take_champion(lost=error.message)

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
        if self._next_model is not None:
            path, self._next_model = self._next_model, None
            self._promote(path)
        else:
            self._tell_accuracy()

    def _tell_accuracy(self) -> None:
        try:
            accuracy = self.accuracy()
        except (
            QtDigitsError
        ) as error:  # the drawing is stored by now: a count that cannot be read loses nothing
            self.problem_met.emit(error)
        else:
            self.accuracy_changed.emit(accuracy)


def _who_draws(store: SampleStore) -> str:
    """Return the first writer who has judged drawings here: those of imported ink are strangers."""
    return next(filter(store.judgements.models, store.writers()), DEFAULT_WRITER)
