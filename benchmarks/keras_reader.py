"""The obvious way to read: TensorFlow in the window's process, one `model.predict` a drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render
from qtdigits.core.judging import Reading
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.reader import Reader


class KerasReader(Reader):
    """The network alone reads, without embeddings and memory. LiteRT is started beside it, in about 25 ms."""

    def __init__(self, model: Model, *, check: bool = True, classes: Classes = AS_TRAINED) -> None:
        import keras

        from qtdigits.ml.models import from_model
        from qtdigits.store.model_files import load_model

        super().__init__(model, check=False, classes=classes)
        assert model.path is not None
        keras.utils.disable_interactive_logging()
        self._network = from_model(load_model(model.path))

    @property
    def has_embedding(self) -> bool:
        return False

    def read(self, drawing: Ink | ArrayLike, memory: Memory | None = None) -> Reading:
        raster = render(drawing) if isinstance(drawing, Ink) else np.asarray(drawing, np.uint8)
        return Reading(raster, self.label_set.labels, self.read_many(raster[None])[0], self.undecided_below)

    def read_many(self, images: NDArray[np.uint8], *, threads: int = 1) -> NDArray[np.float32]:
        pixels = (images / np.float32(255)).astype(np.float32)[..., None]
        answers: NDArray[np.float32] = self._network.predict(pixels, verbose=0)
        return answers
