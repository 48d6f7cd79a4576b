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

MOST_UNDONE = 100
"""How many judgements can be undone; the history must not grow while somebody draws all day."""


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


class Undone(Enum):
    """What `Judging.undo` has taken back."""

    NOTHING = "nothing"
    STROKE = "stroke"
    JUDGEMENT = "judgement"


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
        self._judged: deque[tuple[Trial, Ink]] = deque(maxlen=MOST_UNDONE)

    @property
    def ink(self) -> Ink:
        return self._ink

    @property
    def reading(self) -> Reading | None:
        """None for a blank drawing, or without a reader."""
        return self._reading

    @property
    def last_trial(self) -> Trial | None:
        """The judgement that `undo` takes back on a blank drawing, None if there is none."""
        return self._judged[-1][0] if self._judged else None

    @property
    def can_undo(self) -> bool:
        return not self._ink.is_blank or bool(self._judged)

    def set_reader(self, reader: DrawingReader | None, memory: Memory | None = None) -> Reading | None:
        """Use another model, with the memory that belongs to it, and read the drawing again."""
        self._reader, self.memory = reader, memory
        return self.recognise()

    def set_writer(self, writer: str, memory: Memory | None = None) -> None:
        """Let another person draw: the judgements so far cannot be undone any more."""
        self.writer, self.memory = writer, memory
        self._judged.clear()

    def add_stroke(self, stroke: NDArray[np.float32], *, device: str = "") -> Reading | None:
        """Add an `(n, 4)` stroke: x, y, time in ms, pressure."""
        self._device = device
        return self._set_ink(self._ink.with_stroke(stroke))

    def erase_stroke(self, index: int) -> Reading | None:
        strokes = self._ink.strokes
        return self._set_ink(Ink(strokes[:index] + strokes[index + 1 :]))

    def recognise(self) -> Reading | None:
        """Read the drawing again."""
        self._reading = None
        if self._reader is not None and not self._ink.is_blank:
            self._reading = self._reader.read(render(self._ink), self.memory)
        return self._reading

    def meaning_of(self, typed: str) -> str:
        """Return the label that `typed` stands for: nothing typed confirms the answer.

        Raises `InputError` for what cannot be a label, and where there is no answer to confirm.
        """
        if typed.strip():
            return clean_label(typed)
        if self._reading is None:
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
            self._set_ink(Ink())

    def undo(self) -> Undone:
        """Take back the last stroke, or, on a blank drawing, the last judgement: its drawing comes back. Raises `StoreError`."""
        if not self._ink.is_blank:
            self._set_ink(self._ink.without_last_stroke())
            return Undone.STROKE
        if not self._judged:
            return Undone.NOTHING
        trial, ink = self._judged[-1]
        self._store.take_back(trial)
        self._judged.pop()
        if self.memory is not None and trial.sample_id is not None and trial.sample_id in self.memory:
            self.memory.forget(trial.sample_id)
        self._set_ink(ink)
        return Undone.JUDGEMENT

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
        self._judged.append((trial, self._ink))
        self._set_ink(Ink())
        return trial
