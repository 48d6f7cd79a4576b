"""A look into a network, in a thread: the output of a layer for a drawing, and the pixels that decided the answer.

The latest drawing wins: a newer question replaces one that is waiting, and ends the work on an older one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QThread, Signal, Slot

from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.samples import Raster
from qtdigits.core.model import Model
from qtdigits.core.network_inspection import first_filters, heat_map, layer_outputs, occlude
from qtdigits.core.network_spec import LayerSummary, layers_of
from qtdigits.errors import ModelFileError, QtDigitsError
from qtdigits.reader import Reader

BATCH = 64
"""Readings made before the worker looks for a newer question."""


@dataclass(frozen=True, eq=False)
class Question:
    """`layer` is the name of the one to look at, "" for the first.

    `ink`: that of the patches, as in `occlude`; None to leave out what decided the answer. `classes` have the present labels.
    """

    model: Path
    raster: Raster
    layer: str
    ink: int | None
    classes: Classes = AS_TRAINED


@dataclass(frozen=True, eq=False)
class LayerView:
    """`outputs` of the layer at `place` among `layers`, `(channels, side, side)` or `(neurons,)`.

    `filters`: of the first layer, as `first_filters` returns them.
    """

    question: Question
    layers: tuple[LayerSummary, ...]
    place: int
    outputs: NDArray[np.float32]
    filters: NDArray[np.float32] | None
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OcclusionView:
    """The change of the answer's probability `before` by patches over the drawing, as a heat map `(28, 28)`.

    `lowest` is the lowest probability under one patch, `instead` the answer under that patch.
    """

    question: Question
    answer: str
    heat: NDArray[np.float32]
    before: float
    lowest: float
    instead: str


class Inspector(QObject):
    """Owns the thread, which starts with the first question; `shutdown` ends it."""

    layer_computed = Signal(object)  # LayerView
    occlusion_computed = Signal(object)  # OcclusionView
    failed = Signal(object)  # QtDigitsError
    _asked = Signal(object)

    def __init__(self, *, load: Callable[[Path], Model], parent: QObject | None = None) -> None:
        """`load` gives a model with its weights."""
        super().__init__(parent)
        self._load = load
        self._thread: QThread | None = None
        self._worker: _Worker | None = None
        self._next: Question | None = None
        self._is_busy = False

    def ask(self, question: Question) -> None:
        """Emit `layer_computed`, then `occlusion_computed` unless another question comes in between."""
        worker = self._worker or self._start()
        if self._is_busy:
            self._next = question
            worker.is_outdated.set()
        else:
            self._is_busy = True
            worker.is_outdated.clear()
            self._asked.emit(question)

    @Slot()
    def shutdown(self) -> None:
        if self._thread is not None and self._worker is not None:
            self._worker.is_outdated.set()
            self._next = None
            self._thread.quit()
            self._thread.wait()
            self._thread = self._worker = None

    def _start(self) -> _Worker:
        self._thread, self._worker = QThread(self), _Worker(self._load)
        worker = self._worker
        worker.moveToThread(self._thread)
        self._asked.connect(worker.run)
        worker.layer_computed.connect(self.layer_computed)
        worker.occlusion_computed.connect(self.occlusion_computed)
        worker.failed.connect(self.failed)
        worker.ended.connect(self._on_ended)
        self._thread.start()
        return worker

    @Slot()
    def _on_ended(self) -> None:
        self._is_busy = False
        if self._next is not None:
            question, self._next = self._next, None
            self.ask(question)


class _Worker(QObject):
    """Lives in the thread. `is_outdated` is set from outside when a newer question waits."""

    layer_computed = Signal(object)
    occlusion_computed = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, load: Callable[[Path], Model]) -> None:
        super().__init__()
        self._load = load
        self.is_outdated = Event()
        self._model: Model | None = None
        self._reader: Reader | None = None

    @Slot(object)
    def run(self, question: Question) -> None:
        try:
            model, reader = self._opened(question.model)
            self.layer_computed.emit(_layer_view(question, model))
            if question.ink is not None and not self.is_outdated.is_set():
                self._decide(question, question.ink, model, reader)
        except QtDigitsError as error:
            self.failed.emit(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person is told, and the thread stays alive
            self.failed.emit(QtDigitsError(f"The network cannot be shown: {type(error).__name__}: {error}."))
        finally:
            self.ended.emit()

    def _opened(self, path: Path) -> tuple[Model, Reader]:
        if self._model is None or self._reader is None or self._model.path != path:
            self._model = self._reader = None
            model = self._load(path)
            self._model, self._reader = model, Reader(model)
        return self._model, self._reader

    def _decide(self, question: Question, ink: int, model: Model, reader: Reader) -> None:
        before = reader.read_many(question.raster[np.newaxis])[0]
        answer = int(before.argmax())
        under = occlude(question.raster, ink=ink)
        probabilities = np.empty((len(under.images), len(before)), np.float32)
        for first in range(0, len(under.images), BATCH):
            if self.is_outdated.is_set():
                return
            part = slice(first, first + BATCH)
            probabilities[part] = reader.read_many(under.images[part])
        of_answer, sure = probabilities[:, answer], float(before[answer])
        labels = question.classes.current(model.label_set).labels
        worst = probabilities[of_answer.argmin()] if len(of_answer) else before
        self.occlusion_computed.emit(
            OcclusionView(
                question,
                labels[answer],
                heat_map(under.corners, of_answer, sure),
                before=sure,
                lowest=min(sure, float(worst[answer])),
                instead=labels[int(worst.argmax())],
            )
        )


def _layer_view(question: Question, model: Model) -> LayerView:
    if not model.weights:
        raise ModelFileError(f"{model.name} holds no weights that could be shown.", "Use another model.")
    classes = question.classes.current(model.label_set).labels
    layers = layers_of(model.network, len(classes))
    place = next((i for i, layer in enumerate(layers) if layer.name == question.layer), 0)
    outputs = layer_outputs(model.network, model.weights, question.raster, upto=layers[place].name)[-1].values
    return LayerView(
        question,
        layers,
        place,
        np.moveaxis(outputs, -1, 0) if outputs.ndim == 3 else outputs,
        None if place else first_filters(model.network, model.weights),
        classes,
    )
