"""The session: the one owner of "what is current" — writer, model, ink, its reading, and the running accuracy.

Widgets ask the session to do things and listen to its signals. What goes wrong arrives as `problem_met`, with the error as it is;
a drawing that could not be stored stays on the canvas.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGITS, LabelSet, clean_label
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import DEFAULT_WRITER, Sample, Trial, Verdict
from qtdigits.core.judging import Reading
from qtdigits.core.model import Model
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import ModelFileError, QtDigitsError
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.store.tables.samples import SampleStore

MOST_UNDONE = 100
"""So many judgements can be taken back; the window must not grow while somebody draws all day."""


@dataclass(frozen=True)
class RunningAccuracy:
    """Trials of one writer with one model: every one scored before it could be trained on."""

    writer: str
    model: str
    correct: int
    n: int

    @property
    def tally(self) -> Tally:
        return Tally(self.n, self.correct)

    @property
    def interval(self) -> tuple[float, float]:
        return self.tally.interval


class Session(QObject):
    """See the module. `make_reader` makes a reader of a model; it is given, so that LiteRT is imported with the first model."""

    ink_changed = Signal(object)  # Ink
    reading_changed = Signal(object)  # Reading | None
    trial_judged = Signal(object)  # Trial
    trial_skipped = Signal(object)  # Trial
    trial_taken_back = Signal(object)  # Trial
    accuracy_changed = Signal(object)  # RunningAccuracy
    writer_changed = Signal(str)
    model_changed = Signal(str)  # the name of the model in use, "" for none
    samples_changed = Signal()
    library_changed = Signal()  # there are other models than before
    problem_met = Signal(object)  # QtDigitsError
    notice_given = Signal(str)  # nothing failed, but the person should know
    closing = Signal()  # the store is about to be closed

    def __init__(
        self,
        *,
        store: SampleStore,
        library: ModelLibrary,
        make_reader: Callable[[Model], Reader],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._library = library
        self._make_reader = make_reader
        self._reader: Reader | None = None
        self._model_path: Path | None = None
        self._next_model: Path | None = None
        self._ink = Ink()
        self._device = ""
        self._reading: Reading | None = None
        self._revision = store.revision
        self._judged: deque[tuple[Trial, Ink]] = deque(maxlen=MOST_UNDONE)
        writers = store.writers()
        self._writer = writers[0] if writers else DEFAULT_WRITER

    # What is current.

    @property
    def store(self) -> SampleStore:
        return self._store

    @property
    def library(self) -> ModelLibrary:
        return self._library

    @property
    def ink(self) -> Ink:
        return self._ink

    @property
    def reading(self) -> Reading | None:
        return self._reading

    @property
    def writer(self) -> str:
        return self._writer

    @property
    def reader(self) -> Reader | None:
        """What reads; None while there is no model."""
        return self._reader

    @property
    def model_name(self) -> str:
        return self._reader.model_name if self._reader else ""

    @property
    def model_path(self) -> Path | None:
        return self._model_path

    @property
    def label_set(self) -> LabelSet:
        return self._reader.label_set if self._reader else DIGITS

    # Model and writer.

    def ensure_model(self) -> None:
        """Take the champion into use if no model is; where its file has vanished or is damaged, another one, and say so."""
        if self._reader is None:
            self._take_champion()

    def replace_lost_model(self) -> None:
        """Where the file of the model in use has vanished or is damaged, take the last good one into use, and say so."""
        if self._model_path is None:
            return
        try:
            load_model(self._model_path, weights=False)
        except ModelFileError as error:
            self._take_champion(lost=error.message)

    def use_model(self, path: Path) -> None:
        """Make `path` the champion. A drawing that is on the canvas is first judged by the model that read it."""
        if self._ink.is_blank:
            self._promote(path)
        else:
            self._next_model = path

    def roll_back(self) -> None:
        """Go back to the champion before this one."""
        try:
            earlier = self._library.roll_back(in_use=self._model_path)
            self._take(load_model(earlier, weights=False))
        except QtDigitsError as error:
            self.problem_met.emit(error)

    def set_writer(self, name: str) -> None:
        if name == self._writer or not name.strip():
            return
        try:
            if name not in self._store.writers():
                self._store.add_writer(name)
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        self._writer = name
        self._judged.clear()
        self.writer_changed.emit(name)
        self._tell_accuracy()

    def rename_writer(self, old: str, new: str) -> None:
        """Raises `InputError` for a name that is taken or cannot be one, `StoreError`."""
        self._store.rename_writer(old, new)
        self._writer_became(old, new.strip())

    def merge_writers(self, source: str, into: str) -> None:
        """All that `source` has becomes `into`'s. Raises as `rename_writer`."""
        self._store.merge_writers(source, into)
        self._writer_became(source, into)

    def _writer_became(self, old: str, new: str) -> None:
        self._writer = new if self._writer == old else self._writer
        self.writer_changed.emit(self._writer)
        self.samples_edited()

    # Drawing and reading.

    def add_stroke(self, stroke: NDArray[np.float32], device: str) -> None:
        self.ensure_model()
        self._device = device
        self._set_ink(self._ink.with_stroke(stroke))

    def erase_stroke(self, index: int) -> None:
        strokes = self._ink.strokes
        self._set_ink(Ink(strokes[:index] + strokes[index + 1 :]))

    def recognise(self) -> None:
        """Read what is on the canvas (again)."""
        self._reading = None
        if not self._ink.is_blank and self._reader is not None:
            self._reading = self._reader.read(render(self._ink))
        self.reading_changed.emit(self._reading)

    # Judging.

    def judge(self, label: str = "") -> bool:
        """Confirm the answer (no label, or the answer's own) or correct it; store, count, and clear the canvas.

        Returns whether the drawing is stored. When it is not, it stays on the canvas and `problem_met` says why.
        """
        if self._ink.is_blank:
            return False
        reading = self._reading
        try:
            truth = clean_label(label) if label.strip() else reading.label if reading else ""
            if not truth:
                return False
            trial = self._store_judged(truth, reading)
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return False
        if trial is not None:
            self._judged.append((trial, self._ink))
            self.trial_judged.emit(trial)
        self.samples_changed.emit()
        self._next_drawing()
        return True

    def skip(self) -> None:
        """Clear the canvas without counting. The trial is kept as skipped, so that nobody can skip what was misread unseen."""
        if self._ink.is_blank:
            return
        if self._reading is not None:
            trial = self._trial(self._reading, Verdict.SKIPPED, truth=None)
            try:
                kept = self._store.judge(None, trial)
            except QtDigitsError as error:
                self.problem_met.emit(error)
            else:
                self._judged.append((kept, self._ink))
                self.trial_skipped.emit(kept)
        self._next_drawing()

    def undo(self) -> None:
        """Take back the last stroke, or, on an empty canvas, the last judgement of this sitting."""
        if not self._ink.is_blank:
            self._set_ink(self._ink.without_last_stroke())
            return
        if not self._judged:
            return
        trial, ink = self._judged[-1]
        try:
            self._store.take_back(trial)
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        self._judged.pop()
        self._set_ink(ink)
        self.trial_taken_back.emit(trial)
        self.samples_changed.emit()
        self._tell_accuracy()

    def samples_imported(self) -> None:
        """Somebody else wrote into the store: everything that is shown of it is out of date."""
        self.samples_edited()

    def look_elsewhere(self) -> None:
        """Another window, or a terminal, may have written into the store meanwhile."""
        try:
            seen, self._revision = self._revision, self._store.revision
        except QtDigitsError as error:
            self.problem_met.emit(error)
            return
        if self._revision != seen:
            self.samples_edited()

    def samples_edited(self) -> None:
        """Drawings were changed, and perhaps the judgements of them."""
        self.samples_changed.emit()
        self._tell_accuracy()

    def accuracy(self, model: str | None = None) -> RunningAccuracy:
        """Of the present writer with `model`, or the one in use. Raises `StoreError`."""
        name = self.model_name if model is None else model
        correct, n = self._store.running_accuracy(writer=self._writer, model=name)
        return RunningAccuracy(self._writer, name, correct, n)

    def trials(self) -> Iterator[Trial]:
        """Those of the present writer with the model in use."""
        return self._store.trials(writer=self._writer, model=self.model_name)

    def model_trained(self) -> None:
        """Somebody else has put a model into the library."""
        self.library_changed.emit()

    def close(self) -> None:
        self.closing.emit()
        self._store.close()

    def _take_champion(self, *, lost: str = "") -> None:
        """`lost` says what became of the model before, where that is why another one is needed."""
        readers: list[Reader] = []
        try:
            model, notice = self._library.load_champion(
                try_out=lambda model: readers.append(self._make_reader(model))
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
        self._read_with(self._make_reader(model), model)

    def _read_with(self, reader: Reader, model: Model) -> None:
        self._reader = reader
        self._model_path = model.path
        self.model_changed.emit(self.model_name)
        self.recognise()
        self._tell_accuracy()

    def _promote(self, path: Path) -> None:
        try:
            self._take(load_model(path, weights=False))
            self._library.promote(path)
        except QtDigitsError as error:
            self.problem_met.emit(error)

    def _set_ink(self, ink: Ink) -> None:
        self._ink = ink
        self.ink_changed.emit(ink)
        self.recognise()

    def _next_drawing(self) -> None:
        self._set_ink(Ink())
        if self._next_model is not None:
            path, self._next_model = self._next_model, None
            self._promote(path)
        else:
            self._tell_accuracy()

    def _store_judged(self, truth: str, reading: Reading | None) -> Trial | None:
        """Durable when this returns. Without a reading (no model) only the sample is kept."""
        raster = reading.raster if reading else render(self._ink)
        sample = Sample(truth, raster, self._writer, ink=self._ink, device=self._device)
        if reading is None:
            self._store.add_samples([sample])
            return None
        verdict = Verdict.CONFIRMED if truth == reading.label else Verdict.CORRECTED
        return self._store.judge(sample, self._trial(reading, verdict, truth))

    def _trial(self, reading: Reading, verdict: Verdict, truth: str | None) -> Trial:
        probabilities = tuple(float(p) for p in reading.probabilities)
        return Trial(
            self._writer, self.model_name, reading.label, verdict, truth, reading.classes, probabilities
        )

    def _tell_accuracy(self) -> None:
        try:
            accuracy = self.accuracy()
        except (
            QtDigitsError
        ) as error:  # the drawing is stored by now; that its count cannot be read loses nothing
            self.problem_met.emit(error)
        else:
            self.accuracy_changed.emit(accuracy)
