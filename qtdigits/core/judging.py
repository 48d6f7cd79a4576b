"""Judging drawings: what is read, what a typed label means, and how a judgement is stored, skipped and undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import clean_label
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Sample, Trial, Verdict
from qtdigits.core.memory import LEAST_SIMILARITY, Memory, Neighbour
from qtdigits.core.score.calibration import ALIKE, are_undecided, are_unlike
from qtdigits.core.undo import UndoStack
from qtdigits.errors import InputError, NotStoredError

MOST_REASONS = 3


@dataclass(frozen=True, eq=False)
class Reading:
    """`(k,) float32` probabilities, one for each of `classes`, of the drawing whose raster is `(28, 28) uint8`.

    `similarity` is that to the most similar class or remembered drawing. The reading is not sure, and `label` the best guess,
    where the probability is below `undecided_below` or the similarity below `unlike_below` (`are_undecided`). `is_prototype`:
    the answer is a class that only memory knows. `embedding` `(d,)`, `neighbours`, the
    most similar remembered drawings, most similar first, and `network_label`, the network's own answer, are there if a memory
    was consulted.
    """

    raster: NDArray[np.uint8]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    undecided_below: float = 0.0
    embedding: NDArray[np.float32] | None = None
    neighbours: tuple[Neighbour, ...] = ()
    network_label: str = ""
    similarity: float = ALIKE
    unlike_below: float = 0.0
    is_prototype: bool = False

    @property
    def label(self) -> str:
        """ "" where there is no class that could be answered."""
        return self.classes[int(self.probabilities.argmax())] if self.classes else ""

    @property
    def probability(self) -> float:
        return float(self.probabilities.max(initial=0.0))

    @property
    def is_sure(self) -> bool:
        return bool(self.classes) and not are_undecided(
            *(self.probability, self.undecided_below, self.similarity, self.unlike_below),
            is_prototype=self.is_prototype,
        )

    @property
    def is_unlike_all(self) -> bool:
        """Whether the drawing resembles nothing that is known."""
        return bool(are_unlike(self.similarity, self.unlike_below))

    @property
    def because(self) -> tuple[Neighbour, ...]:
        """Return up to `MOST_REASONS` remembered drawings that spoke for the answer and resemble it, most similar first."""
        spoke = [n for n in self.neighbours if n.label == self.label and n.similarity >= LEAST_SIMILARITY]
        return tuple(spoke[:MOST_REASONS])

    @property
    def is_changed_by_memory(self) -> bool:
        return bool(self.network_label) and self.network_label != self.label


class JudgementStore(Protocol):
    """Keeps judgements; a `SampleStore` does. Raises `StoreError`."""

    def judge(self, sample: Sample | None, trial: Trial) -> Trial:
        """Store both durably, under their ids if they have some; return the trial with its ids."""

    def meaning_of(self, label: str) -> str:
        """Return the label under which drawings with this one are stored."""

    def take_back(self, trial: Trial) -> Sample | None:
        """Remove the trial and its drawing. Raises `NotStoredError` where they are gone."""

    def add_samples(self, samples: Iterable[Sample]) -> object:
        """Store drawings that were not read."""


class DrawingReader(Protocol):
    """Reads drawings with one model; a `Reader` does."""

    @property
    def model_name(self) -> str: ...

    def read(self, drawing: NDArray[np.uint8], memory: Memory | None = None) -> Reading:
        """Read a raster `(28, 28) uint8`, ink 255."""


class Change(Enum):
    """What `Judging.undo` has undone, or `Judging.redo` redone. A skipped drawing that was read is a judgement."""

    NOTHING = "nothing"
    STROKE = "stroke"
    ERASING = "erasing"
    CLEARING = "clearing"
    JUDGEMENT = "judgement"


class DrawingStep:
    """A change of the drawing from `before` to `after`; a judgement has a `trial`. An `Action` of the undo stack."""

    def __init__(
        self, judging: Judging, change: Change, before: Ink, after: Ink, trial: Trial | None = None
    ) -> None:
        self._judging = judging
        self.change = change
        self.before, self.after = before, after
        self.trial = trial
        self.writer = judging.writer

    @property
    def name(self) -> str:
        if self.trial is None:
            return self.change.value
        return f"judgement as {self.trial.truth}" if self.trial.truth else Change.CLEARING.value

    def undo(self) -> None:
        self._judging.undo_step(self)

    def redo(self) -> None:
        self._judging.redo_step(self)


class Judging:
    """One drawing after another by one writer: it is read at every stroke, then confirmed, corrected or skipped.

    Without a `reader`, drawings are stored with the labels that are typed. With a `memory`, a judged drawing counts from the next
    reading on; one memory serves one model and one writer. A drawing that could not be stored stays. Whatever is done goes onto
    the `undo_stack`, which may have other actions too.
    """

    def __init__(
        self,
        *,
        store: JudgementStore,
        writer: str,
        reader: DrawingReader | None = None,
        memory: Memory | None = None,
        undo_stack: UndoStack | None = None,
    ) -> None:
        self._writer = writer
        self._store = store
        self.memory = memory
        """What is consulted from the next reading on. Set it when its drawings were changed; it is for this reader and writer."""
        self._reader = reader
        self._ink = Ink()
        self._device = ""
        self._reading: Reading | None = None
        self._stack = undo_stack or UndoStack()

    @property
    def writer(self) -> str:
        """Whose drawings these are."""
        return self._writer

    @property
    def ink(self) -> Ink:
        return self._ink

    @property
    def reading(self) -> Reading | None:
        """None for a blank drawing, or without a reader."""
        return self._reading

    def set_reader(self, reader: DrawingReader | None, memory: Memory | None = None) -> Reading | None:
        """Use another model, with the memory that belongs to it, and read the drawing again."""
        self._reader, self.memory = reader, memory
        return self.recognise()

    def set_writer(self, writer: str, memory: Memory | None = None) -> None:
        """Let another person draw. A drawing that is on the canvas becomes theirs."""
        self._writer, self.memory = writer, memory

    def rename_writer(self, old: str, new: str) -> None:
        """A writer has another name now, or was merged into another one."""
        if self._writer == old:
            self._writer = new
        for step in self._steps():
            if step.writer == old:
                step.writer = new

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
            return self._store.meaning_of(clean_label(typed))
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
        if reading is None:
            sample = Sample(truth, render(self._ink), self.writer, ink=self._ink, device=self._device)
            self._store.add_samples([sample])
            self._stack.remove(*self._steps_of_drawing())  # its ink must not be stored twice
            self._set_ink(Ink())
            return None
        trial = self._keep(truth, reading)
        self._change(Change.JUDGEMENT, Ink(), trial)
        return trial

    def skip(self) -> Trial | None:
        """Begin a blank drawing without counting this one. Returns None for a drawing that was not read.

        The trial is stored as skipped, so that nobody can skip unseen what was misread. Raises `StoreError`; then the drawing
        stays.
        """
        if self._ink.is_blank:
            return None
        trial = None if self._reading is None else self._keep(None, self._reading)
        self._change(Change.CLEARING if trial is None else Change.JUDGEMENT, Ink(), trial)
        return trial

    def clear(self) -> None:
        """Begin a blank drawing, and store nothing."""
        self._change(Change.CLEARING, Ink())

    def undo(self) -> Change:
        """Undo the last change: a stroke, an erased stroke, a cleared drawing, a judgement. Raises `StoreError`.

        The judgement of a drawing by somebody else lets them draw again.
        """
        return _change_of(self._stack.undo())

    def redo(self) -> Change:
        """Redo what was undone last; a judgement is stored anew. Raises `QtDigitsError`."""
        return _change_of(self._stack.redo())

    def undo_step(self, step: DrawingStep) -> None:
        """For the undo stack. Raises `StoreError`."""
        if step.trial is not None:
            try:
                self._store.take_back(step.trial)
            except NotStoredError:
                self._stack.remove(step, *self._steps_of_drawing())
                raise
            key = step.trial.sample_id
            if self.memory is not None and key is not None and key in self.memory:
                self.memory.forget(key)
            self._let_draw(step.writer)
        self._set_ink(step.before)

    def redo_step(self, step: DrawingStep) -> None:
        """For the undo stack. Raises `QtDigitsError`."""
        if step.trial is not None:
            self._let_draw(step.writer)
            reading = self.recognise()
            if reading is None:
                raise InputError("There is no model that reads the drawing again.", "Choose a model.")
            step.trial = self._keep(step.trial.truth, reading, again=step.trial)
        self._set_ink(step.after)

    def _let_draw(self, writer: str) -> None:
        if writer != self._writer:
            self.set_writer(writer)

    def _steps(self) -> list[DrawingStep]:
        return [action for action in self._stack.actions if isinstance(action, DrawingStep)]

    def _steps_of_drawing(self) -> list[DrawingStep]:
        """The newest steps that are done, as far as they belong to one drawing."""
        steps: list[DrawingStep] = []
        for step in reversed(self._stack.done):
            if not isinstance(step, DrawingStep):
                continue
            if step.change in (Change.CLEARING, Change.JUDGEMENT):
                break
            steps.append(step)
        return steps

    def _change(self, change: Change, ink: Ink, trial: Trial | None = None) -> Reading | None:
        self._stack.add(DrawingStep(self, change, self._ink, ink, trial))
        return self._set_ink(ink)

    def _set_ink(self, ink: Ink) -> Reading | None:
        self._ink = ink
        return self.recognise()

    def _keep(self, truth: str | None, reading: Reading, *, again: Trial | None = None) -> Trial:
        """Store a judgement, or that the drawing was skipped (`truth` is None), and remember the drawing.

        One that is kept `again` has the ids that it had: later actions know it by them.
        """
        sample, verdict = None, Verdict.SKIPPED
        if truth is not None:
            verdict = Verdict.CONFIRMED if truth == reading.label else Verdict.CORRECTED
            sample = Sample(truth, reading.raster, self.writer, ink=self._ink, device=self._device)
        trial = Trial(
            self.writer,
            self._reader.model_name if self._reader else "",
            reading.label,
            verdict,
            truth,
            reading.classes,
            tuple(float(p) for p in reading.probabilities),
            network_answer=reading.network_label or reading.label,
        )
        if again is not None:
            trial = replace(trial, id=again.id)
            sample = None if sample is None else replace(sample, id=again.sample_id)
        trial = self._store.judge(sample, trial)
        if sample is not None and self.memory is not None and reading.embedding is not None:
            self.memory.add(reading.embedding, sample.label, key=trial.sample_id)
        return trial


def _change_of(action: object) -> Change:
    return action.change if isinstance(action, DrawingStep) else Change.NOTHING
