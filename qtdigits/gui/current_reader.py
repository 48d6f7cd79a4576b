"""What a drawing is read with: the champion and its file, the classes, and the memory of who draws."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.drawing.classes import Classes
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.samples import DEFAULT_WRITER
from qtdigits.core.judging import Judging, Reading
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.core.score.metrics import RunningAccuracy, Tally
from qtdigits.core.undo import UndoStack
from qtdigits.errors import ModelFileError, QtDigitsError
from qtdigits.gui.champion import Champion, WatchedFile
from qtdigits.gui.remembering import Remembering
from qtdigits.gui.saving import Saving
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.remember import MemoryRequest


class CurrentReader(QObject):
    """The half of the session that reads. `data_dir` is the folder of the store."""

    reading_changed = Signal(object)  # Reading | None
    accuracy_changed = Signal(object)  # RunningAccuracy
    champion_changed = Signal(object)  # Champion | None
    memory_changed = Signal(object)  # Memory | None
    models_changed = Signal()  # the library holds other models than before
    samples_changed = Signal()
    classes_changed = Signal()
    undo_changed = Signal()  # another action is the next to be undone or redone
    problem_met = Signal(object)  # QtDigitsError
    notice_given = Signal(str)  # nothing failed, but the person should know

    def __init__(
        self, *, store: SampleStore, library: ModelLibrary, data_dir: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.store = store
        self.library = library
        self.data_dir = data_dir
        self.saving = Saving(store, library, parent=self)
        self.saving.took_long.connect(self.report)
        self.undo_stack = UndoStack(on_change=self.undo_changed.emit)
        self._judging = Judging(store=store, writer=who_draws(store), undo_stack=self.undo_stack)
        self._classes = store.class_table.all(library.class_set)
        store.judgements.among = self._classes.among
        self._reader: Reader | None = None
        self._champion: Champion | None = None
        self._next_model: Path | None = None
        self._remembered_model: Model | None = None
        self._remembering = Remembering(store_path=store.path, parent=self)
        self._remembering.built.connect(self._take_memory)
        self._remembering.failed.connect(self.report)
        self._file = WatchedFile(self)
        self._file.settled.connect(self._look_at_champion_file)

    @property
    def ink(self) -> Ink:
        return self._judging.ink

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
            self._take(self.library.load(earlier))
        except QtDigitsError as error:
            self.problem_met.emit(error)

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

    def report(self, error: QtDigitsError) -> None:
        self.problem_met.emit(error)

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
            self._take(self.library.load(path))
        except QtDigitsError as error:
            self.problem_met.emit(error)
        else:
            self.saving.do(partial(self.library.promote, path), failed=self.report)

    def _promote_next(self) -> bool:
        """Use the model that was chosen while somebody drew; return whether there is one."""
        if self._next_model is None:
            return False
        path, self._next_model = self._next_model, None
        self._promote(path)
        return True

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

    def _tell_accuracy(self) -> None:
        try:
            accuracy = self.accuracy()
        except (
            QtDigitsError
        ) as error:  # the drawing is stored by now: a count that cannot be read loses nothing
            self.problem_met.emit(error)
        else:
            self.accuracy_changed.emit(accuracy)

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
            model = self.library.load(path)
            if is_upgradable and (reader := Reader(model, classes=self._classes)).has_embedding:
                self._read_with(reader, model)
        except ModelFileError as error:
            self._take_champion(lost=error.message)


def who_draws(store: SampleStore) -> str:
    """Return the first writer who has judged drawings here: those of imported ink are strangers."""
    return next(filter(store.judgements.models, store.writers()), DEFAULT_WRITER)
