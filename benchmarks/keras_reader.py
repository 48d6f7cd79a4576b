"""The obvious way to read: TensorFlow in the window's process, one `model.predict` a drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.judging import Reading
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model


class KerasReader:
    """Has the face of `qtdigits.reader.Reader`, and no embeddings: the network alone reads."""

    has_embedding = False

    def __init__(self, header: Model) -> None:
        import keras

        from qtdigits.ml.models import from_model
        from qtdigits.store.model_files import load_model

        assert header.path is not None
        model = load_model(header.path)
        keras.utils.disable_interactive_logging()
        self.model_name = model.name
        self.undecided_below = model.undecided_below
        self.label_set: LabelSet = model.label_set
        self._network = from_model(model)

    def read(self, raster: NDArray[np.uint8], memory: Memory | None = None) -> Reading:
        return Reading(raster, self.label_set.labels, self.read_many(raster[None])[0], self.undecided_below)

    def read_many(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = (images / np.float32(255)).astype(np.float32)[..., None]
        answers: NDArray[np.float32] = self._network.predict(pixels, verbose=0)
        return answers
