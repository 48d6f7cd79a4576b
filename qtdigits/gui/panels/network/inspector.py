"""Looking into the network, in a thread of its own: what its layers put out for a drawing, and what decided the answer.

The latest drawing wins: while a look goes on, newer questions replace one another, and the look gives way to the newest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QThread, Signal, Slot

from qtdigits.core.drawing.samples import Raster
from qtdigits.core.model import Model
from qtdigits.core.network_inspection import first_filters, heat_map, layer_outputs, occlusion_scores
from qtdigits.core.network_spec import LayerSummary, layers_of
from qtdigits.errors import ModelFileError, QtDigitsError

BATCH = 64
"""So many readings go on before a newer question is looked for."""


class ManyReader(Protocol):
    """What is needed of a `reader.Reader`."""

    def read_many(self, images: NDArray[np.uint8]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, eq=False)
class Question:
    """`model`: the file. `layer`: the one to look at, "" for the first.

    `ink`: of the patches, as in `core.network.occlusion`; None when it is not asked what decided the answer.
    """

    model: Path
    raster: Raster
    layer: str
    ink: int | None


@dataclass(frozen=True, eq=False)
class LayerView:
    """`outputs` of the layer at `place` among `layers`, `(channels, side, side)` or `(neurons,)`.

    `filters`, as `core.network.layer_outputs.first_filters`, where it is the first layer.
    """

    question: Question
    layers: tuple[LayerSummary, ...]
    place: int
    outputs: NDArray[np.float32]
    filters: NDArray[np.float32] | None
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OcclusionView:
    """What decided the answer of `before` probability: its heat `(28, 28)`, and the lowest it falls to under one patch.

    `instead` is the answer under that patch.
    """

    question: Question
    answer: str
    heat: NDArray[np.float32]
    before: float
    lowest: float
    instead: str


class Inspector(QObject):
    """Owns the thread, which begins with the first question; `shutdown` ends it."""

    seen = Signal(object)  # LayerView
    decided = Signal(object)  # OcclusionView
    failed = Signal(object)  # QtDigitsError
    _asked = Signal(object)

    def __init__(
        self,
        *,
        load: Callable[[Path], Model],
        make_reader: Callable[[Model], ManyReader],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._load, self._make_reader = load, make_reader
        self._thread: QThread | None = None
        self._worker: _Worker | None = None
        self._next: Question | None = None
        self._is_busy = False

    def ask(self, question: Question) -> None:
        """What is found comes as `seen`, then as `decided`, unless another question comes in between."""
        worker = self._worker or self._start()
        if self._is_busy:
            self._next = question
            worker.is_outdated.set()
        else:
            self._is_busy = True
            worker.is_outdated.clear()
            self._asked.emit(question)

    def shutdown(self) -> None:
        if self._thread is not None and self._worker is not None:
            self._worker.is_outdated.set()
            self._next = None
            self._thread.quit()
            self._thread.wait()
            self._thread = self._worker = None

    def _start(self) -> _Worker:
        self._thread, self._worker = QThread(), _Worker(load=self._load, make_reader=self._make_reader)
        worker = self._worker
        worker.moveToThread(self._thread)
        self._asked.connect(worker.run)
        worker.seen.connect(self.seen)
        worker.decided.connect(self.decided)
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
    """Lives in the thread. `is_outdated` is set from outside: a newer question waits."""

    seen = Signal(object)
    decided = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, *, load: Callable[[Path], Model], make_reader: Callable[[Model], ManyReader]) -> None:
        super().__init__()
        self.is_outdated = Event()
        self._load, self._make_reader = load, make_reader
        self._model: Model | None = None
        self._reader: ManyReader | None = None

    @Slot(object)
    def run(self, question: Question) -> None:
        try:
            model, reader = self._opened(question.model)
            self.seen.emit(_seen(question, model))
            if question.ink is not None and not self.is_outdated.is_set():
                self._decide(question, question.ink, model, reader)
        except QtDigitsError as error:
            self.failed.emit(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person is told, and the thread goes on
            self.failed.emit(QtDigitsError(f"Nothing can be seen: {type(error).__name__}: {error}."))
        finally:
            self.ended.emit()

    def _opened(self, path: Path) -> tuple[Model, ManyReader]:
        if self._model is None or self._reader is None or self._model.path != path:
            self._model = self._reader = None
            model = self._load(path)
            self._model, self._reader = model, self._make_reader(model)
        return self._model, self._reader

    def _decide(self, question: Question, ink: int, model: Model, reader: ManyReader) -> None:
        before = reader.read_many(question.raster[np.newaxis])[0]
        answer = int(before.argmax())
        under = occlusion_scores(question.raster, ink=ink)
        probabilities = np.empty((len(under.images), len(before)), np.float32)
        for first in range(0, len(under.images), BATCH):
            if self.is_outdated.is_set():
                return
            part = slice(first, first + BATCH)
            probabilities[part] = reader.read_many(under.images[part])
        of_answer, sure = probabilities[:, answer], float(before[answer])
        labels = model.label_set.labels
        worst = probabilities[of_answer.argmin()] if len(of_answer) else before
        self.decided.emit(
            OcclusionView(
                question,
                labels[answer],
                heat_map(under.corners, of_answer, sure),
                before=sure,
                lowest=min(sure, float(worst[answer])),
                instead=labels[int(worst.argmax())],
            )
        )


def _seen(question: Question, model: Model) -> LayerView:
    if not model.weights:
        raise ModelFileError(f"{model.name} holds no weights that could be shown.", "Use another model.")
    classes = model.label_set.labels
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
