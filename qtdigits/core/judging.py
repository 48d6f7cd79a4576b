"""Judging drawings: what is read, what a typed label means, and how a judgement is stored, skipped and undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import clean_label
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Sample, Trial, Verdict
from qtdigits.core.memory import LEAST_SIMILARITY, Memory, Neighbour
from qtdigits.errors import InputError

MOST_UNDONE = 500
"""How many changes can be undone; the history must not grow while somebody draws all day."""


@dataclass(frozen=True, eq=False)
class Reading:
    """`(k,) float32` probabilities, one for each of `classes`, of the drawing whose raster is `(28, 28) uint8`.

    Below `undecided_below` the reading is not sure; `label` is the best guess then. `embedding` `(d,)`, `neighbours`, the most
    similar remembered drawings, most similar first, and `network_label`, the network's own answer, are there if a memory was
    consulted.
    """

    raster: NDArray[np.uint8]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    undecided_below: float = 0.0
    embedding: NDArray[np.float32] | None = None
    neighbours: tuple[Neighbour, ...] = ()
    network_label: str = ""

    @property
    def label(self) -> str:
        return self.classes[int(self.probabilities.argmax())]

    @property
    def probability(self) -> float:
        return float(self.probabilities.max())

    @property
    def is_sure(self) -> bool:
        return self.probability >= self.undecided_below

    @property
    def because(self) -> tuple[Neighbour, ...]:
        """The remembered drawings that spoke for the answer and were similar enough to matter, most similar first."""
        return tuple(n for n in self.neighbours if n.label == self.label and n.similarity >= LEAST_SIMILARITY)

    @property
    def is_changed_by_memory(self) -> bool:
        return bool(self.network_label) and self.network_label != self.label


class JudgementStore(Protocol):
    """Keeps judgements; a `SampleStore` does. Raises `StoreError`."""

    def judge(self, sample: Sample | None, trial: Trial) -> Trial:
        """Store both durably; return the trial with its ids."""

    def take_back(self, trial: Trial) -> Sample | None:
        """Remove the trial and its drawing."""

    def add_samples(self, samples: Iterable[Sample]) -> object:
        """Store drawings that were not read."""


class DrawingReader(Protocol):
    """Reads drawings with one model; a `Reader` does."""

    @property
    def model_name(self) -> str: ...

    def read(self, drawing: NDArray[np.uint8], memory: Memory | None = None) -> Reading:
        """Read a raster `(28, 28) uint8`, ink 255."""


class Change(Enum):
    """What `Judging.undo` has taken back, or `Judging.redo` has done again. A skipped drawing that was read is a judgement."""

    NOTHING = "nothing"
    STROKE = "stroke"
    ERASING = "erasing"
    CLEARING = "clearing"
    JUDGEMENT = "judgement"


@dataclass(frozen=True, eq=False)
class _Step:
    """A change of the drawing from `before` to `after`; a judgement has a `trial`."""

    change: Change
    before: Ink
    after: Ink
    trial: Trial | None = None


class Judging:
    """One drawing after another by one writer: it is read at every stroke, then confirmed, corrected or skipped.

    Without a `reader`, drawings are stored with the labels that are typed. With a `memory`, a judged drawing counts from the next
    reading on; one memory serves one model and one writer. A drawing that could not be stored stays.
    """

    def __init__(
        self,
        *,
        store: JudgementStore,
        writer: str,
        reader: DrawingReader | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.writer = writer
        """Whose drawings these are. Set it when the writer is renamed; `set_writer` is for another person."""
        self._store = store
        self.memory = memory
        """What is consulted from the next reading on. Set it when its drawings were changed; it is for this reader and writer."""
        self._reader = reader
        self._ink = Ink()
        self._device = ""
        self._reading: Reading | None = None
        self._done: deque[_Step] = deque(maxlen=MOST_UNDONE)
        self._undone: list[_Step] = []

    @property
    def ink(self) -> Ink:
        return self._ink

    @property
    def reading(self) -> Reading | None:
        """None for a blank drawing, or without a reader."""
        return self._reading

    @property
    def last_trial(self) -> Trial | None:
        """The newest judgement that `undo` can still take back, None if there is none."""
        return next((step.trial for step in reversed(self._done) if step.trial), None)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def set_reader(self, reader: DrawingReader | None, memory: Memory | None = None) -> Reading | None:
        """Use another model, with the memory that belongs to it, and read the drawing again."""
        self._reader, self.memory = reader, memory
        return self.recognise()

    def set_writer(self, writer: str, memory: Memory | None = None) -> None:
        """Let another person draw: the judgements so far cannot be undone any more, nor what was undone be done again."""
        self.writer, self.memory = writer, memory
        own = self._steps_of_drawing()
        self._done.clear()
        self._done.extend(own)
        self._undone.clear()

    def add_stroke(self, stroke: NDArray[np.float32], *, device: str = "") -> Reading | None:
        """Add an `(n, 4)` stroke: x, y, time in ms, pressure."""
        self._device = device
        return self._change(Change.STROKE, self._ink.with_stroke(stroke))

    def erase_stroke(self, index: int) -> Reading | None:
        strokes = self._ink.strokes
        return self._change(Change.ERASING, Ink(strokes[:index] + strokes[index + 1 :]))

    def recognise(self) -> Reading | None:
        """Read the drawing again."""
        self._reading = None
        if self._reader is not None and not self._ink.is_blank:
            self._reading = self._reader.read(render(self._ink), self.memory)
        return self._reading

    def meaning_of(self, typed: str) -> str:
        """Return the label that `typed` stands for: nothing typed confirms the answer.

        Raises `InputError` for what cannot be a label, and where there is no sure answer to confirm.
        """
        if typed.strip():
            return clean_label(typed)
        if self._reading is None or not self._reading.is_sure:
            raise InputError("There is no answer to confirm.", "Type the label of the drawing.")
        return self._reading.label

    def judge(self, typed: str = "") -> Trial | None:
        """Confirm the answer (nothing typed, or its own label) or correct it, and begin a blank drawing.

        The judgement is stored, then remembered. Returns None for a blank drawing, and for one without a reading: of that, only
        the sample is stored. Raises `InputError` as `meaning_of`, and `StoreError`; then the drawing stays.
        """
        if self._ink.is_blank:
            return None
        truth, reading = self.meaning_of(typed), self._reading
        raster = reading.raster if reading else render(self._ink)
        sample = Sample(truth, raster, self.writer, ink=self._ink, device=self._device)
        if reading is None:
            self._store.add_samples([sample])
            for (
                _
            ) in self._steps_of_drawing():  # nothing takes the sample back: its ink must not be stored twice
                self._done.pop()
            self._undone.clear()
            self._set_ink(Ink())
            return None
        verdict = Verdict.CONFIRMED if truth == reading.label else Verdict.CORRECTED
        trial = self._keep(sample, reading, verdict, truth)
        if self.memory is not None and reading.embedding is not None:
            self.memory.add(reading.embedding, truth, key=trial.sample_id)
        return trial

    def skip(self) -> Trial | None:
        """Begin a blank drawing without counting this one. Returns None for a drawing that was not read.

        The trial is stored as skipped, so that nobody can skip unseen what was misread. Raises `StoreError`; then the drawing is
        gone all the same.
        """
        reading = self._reading
        try:
            return None if reading is None else self._keep(None, reading, Verdict.SKIPPED, None)
        finally:
            if not self._ink.is_blank:
                self._change(Change.CLEARING, Ink())

    def undo(self) -> Change:
        """Take back the last change: a stroke, an erased stroke, a cleared drawing, a judgement. Raises `StoreError`."""
        if not self._done:
            return Change.NOTHING
        step = self._done[-1]
        if step.trial is not None:
            self._store.take_back(step.trial)
            key = step.trial.sample_id
            if self.memory is not None and key is not None and key in self.memory:
                self.memory.forget(key)
        self._undone.append(self._done.pop())
        self._set_ink(step.before)
        return step.change

    def redo(self) -> Change:
        """Do again what was taken back last; a judgement is stored anew. Raises `StoreError` as `judge` and `skip` do."""
        if not self._undone:
            return Change.NOTHING
        *later, step = self._undone
        if step.trial is None:
            self._change(step.change, step.after)
        elif step.trial.truth is None:
            self.skip()
        else:
            self.judge(step.trial.truth)
        self._undone = later
        return step.change

    def _steps_of_drawing(self) -> list[_Step]:
        """The newest steps, as far as they belong to the drawing that is on the canvas."""
        steps: list[_Step] = []
        for step in reversed(self._done):
            if step.change in (Change.CLEARING, Change.JUDGEMENT):
                break
            steps.insert(0, step)
        return steps

    def _change(self, change: Change, ink: Ink, trial: Trial | None = None) -> Reading | None:
        self._done.append(_Step(change, self._ink, ink, trial))
        self._undone.clear()
        return self._set_ink(ink)

    def _set_ink(self, ink: Ink) -> Reading | None:
        self._ink = ink
        return self.recognise()

    def _keep(self, sample: Sample | None, reading: Reading, verdict: Verdict, truth: str | None) -> Trial:
        model = self._reader.model_name if self._reader else ""
        probabilities = tuple(float(p) for p in reading.probabilities)
        trial = self._store.judge(
            sample,
            Trial(self.writer, model, reading.label, verdict, truth, reading.classes, probabilities),
        )
        self._change(Change.JUDGEMENT, Ink(), trial)
        return trial
