"""Readings of drawings, from the LiteRT program inside a model. LiteRT is used here only."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.drawing.raster import render
from qtdigits.core.embedding import Whitening, unit_rows, whitening_of
from qtdigits.core.judging import Reading
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.core.network_inspection import features, layer_outputs
from qtdigits.core.score.calibration import ALIKE
from qtdigits.errors import InputError, ModelFileError
from qtdigits.paths import user_data_dir
from qtdigits.quiet import quiet
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.store.tables.classes import classes_of

BATCH = 32
EMBEDDING_OUTPUTS = ("output_0", "output_1")
"""The outputs of a program that gives the embedding beside the probabilities, as Keras's export names them in order."""

Outputs = tuple[NDArray[np.float32], ...]


class Reader:
    """Reads drawings with one model, on one thread: what a window wants is a quick answer, not all processors.

    Answers are classes of the model, or with `classes` what these are shown as now. `check` runs the golden drawings first.
    Raises `ModelFileError` when the program does not load, does not fit the label set, or gives other answers than the golden
    ones.
    """

    def __init__(self, model: Model, *, check: bool = True, classes: Classes = AS_TRAINED) -> None:
        self.model_name = model.name
        self.undecided_below, self.unlike_below = model.undecided_below, model.unlike_below
        self._model = model
        self._classes = AS_TRAINED
        self._shown = self._classes.shown(model.label_set)
        self._program = self._laid_out_for(1)
        self._programs: list[_Program | _Weights] = []
        self._whitening: Whitening | None = None  # of a program that gives no embedding
        if model.unlike_below and self._program.output_shapes[1:] != (model.class_means.shape[1:],):
            raise self._unusable("the means of its classes are not like its embeddings")
        if check:
            answers = np.stack([self.probabilities(image) for image in model.golden.images])
            if not model.golden.agrees_with(answers):
                raise self._unusable("it gives other answers than the golden ones that it carries")
        self.show_as(classes)

    @classmethod
    def open(
        cls,
        name_or_path: str | os.PathLike[str] = "default",
        *,
        data_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """A reader of the model at a path or of a name: of a model in `data_dir` (default: the person's), of one that is shipped
        ("default", "cnn-32-64", "mlp-50-50"), or "champion". It answers with the labels that classes have there. Raises
        `InputError` with the names there are, `ModelFileError`.
        """
        folder = user_data_dir(data_dir)
        library = ModelLibrary(folder)
        return cls(library.load(library.find(os.fspath(name_or_path))), classes=classes_of(folder))

    @property
    def path(self) -> Path | None:
        """The file of the model, None if it is not stored."""
        return self._model.path

    @property
    def label_set(self) -> LabelSet:
        """What it answers."""
        return self._shown.label_set

    @property
    def outputs(self) -> LabelSet:
        """The classes that the model was trained on, shown or not."""
        return self._model.label_set

    def show_as(self, classes: Classes) -> None:
        """Answer what the outputs of the model stand for among `classes`, from the next reading on."""
        self._classes, self._shown = classes, classes.shown(self._model.label_set)

    def meaning_of(self, label: str, *, is_id: bool = False) -> str:
        """Return the label by which this reader calls the class of drawings with `label`, or of those with this id."""
        return self._classes.meaning_of(label, self.label_set, is_id=is_id)

    def read(self, drawing: Ink | ArrayLike, memory: Memory | None = None) -> Reading:
        """Read ink, or a raster `(28, 28) uint8`, ink 255. With a `memory`, its drawings that look alike have their say.

        Raises `InputError` for anything that is neither.
        """
        raster = render(drawing) if isinstance(drawing, Ink) else _checked(np.asarray(drawing)[np.newaxis])[0]
        classes, outputs = self.label_set.labels, self._program.run(raster[np.newaxis])
        probabilities = self._shown.of(outputs[0])[0]
        likeness = self.likeness(outputs[-1])
        similarity = float(self.similarity_of(likeness)[0])
        if memory is None:
            return Reading(
                *(raster, classes, probabilities, self.undecided_below),
                similarity=similarity,
                unlike_below=self.unlike_below,
            )
        embedding = outputs[1][0] if len(outputs) > 1 else self.embed(raster[np.newaxis])[0]
        neighbours = memory.neighbours(embedding)
        n_trained, network_label = len(classes), classes[int(probabilities.argmax())] if classes else ""
        classes, probabilities = memory.combine(classes, probabilities, neighbours, likeness[0])
        return Reading(
            *(raster, classes, probabilities, self.undecided_below, embedding, neighbours, network_label),
            similarity=max([similarity, *(one.similarity for one in neighbours[:1])]),
            unlike_below=self.unlike_below,
            is_prototype=int(probabilities.argmax()) >= n_trained if classes else False,
        )

    def probabilities(self, raster: ArrayLike) -> NDArray[np.float32]:
        """`(28, 28) uint8`, ink 255, to `(k,)` probabilities in the order of the label set."""
        answer: NDArray[np.float32] = self._answers(
            self._program.run(_checked(np.asarray(raster)[np.newaxis]))
        )[0]
        return answer

    @property
    def has_embedding(self) -> bool:
        """Whether the LiteRT program gives the embedding too. Programs of older model files do not; `embed` takes longer then."""
        return self._program.n_outputs > 1

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(n, 28, 28) uint8` to `(n, d) float32` of unit length: what the network makes of them just before its output layer,
        as in `core.embedding`.

        Raises `InputError` for other shapes, `ModelFileError` where the program gives none and the weights cannot be loaded.
        """
        if self.has_embedding:
            return self._outputs(_checked(rasters), 1)[1]
        if not self._model.weights:
            if self._model.path is None:
                raise self._unusable("its weights were not loaded")
            self._model = replace(self._model, weights=load_model(self._model.path).weights)
        network, weights = self._model.network, self._model.weights
        found = features(network, weights, _checked(rasters))
        if self._whitening is None:
            self._whitening = whitening_of(network, lambda drawings: features(network, weights, drawings))
        return unit_rows(found) if self._whitening is None else self._whitening.embed(found)

    def read_and_embed(
        self, images: NDArray[np.uint8], *, threads: int = 1
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The probabilities `(n, k)` of `read_many` and the embeddings `(n, d)` of `embed`, in one pass. Raises as `embed`."""
        outputs = self._outputs(_checked(images), threads)
        return self._answers(outputs), outputs[1] if self.has_embedding else self.embed(images)

    def read_and_compare(
        self, images: NDArray[np.uint8], *, threads: int = 1
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The probabilities `(n, k)` of `read_many`, and how similar each drawing is to the most similar class `(n,)`.

        `ALIKE` for a model that has no means of its classes.
        """
        outputs = self._outputs(_checked(images), threads)
        return self._answers(outputs), self.similarity_of(self.likeness(outputs[-1]))

    def likeness(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(n, d)` embeddings to `(n, k)`: their cosines with the mean of each class that is shown; `(n, 0)` without means."""
        if not self.unlike_below:
            return np.empty((len(embeddings), 0), np.float32)
        return self._shown.greatest(embeddings @ self._model.class_means.T)

    def similarity_of(self, likeness: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(n, k)` of `likeness`, or of some of its classes, to `(n,)`: that of the most similar class; `ALIKE` without means."""
        if not self.unlike_below:
            return np.full(len(likeness), ALIKE, np.float32)
        greatest: NDArray[np.float32] = likeness.max(axis=1, initial=-1.0)
        return greatest

    def read_many(self, images: NDArray[np.uint8], *, threads: int = 1) -> NDArray[np.float32]:
        """`(n, 28, 28) uint8` to `(n, k)`, twice as fast as one by one and more.

        In batches of one size, for which the program is laid out once; the last batch is filled up with blanks. LiteRT lets go of
        Python while it works, so that `threads`, each with a program of its own, read side by side. One reader is for one
        caller at a time: what was laid out is kept for the next call.
        """
        return self._answers(self._outputs(_checked(images), threads))

    def _answers(self, outputs: Outputs) -> NDArray[np.float32]:
        """`(n, k)` of the classes shown. Raises `ModelFileError` where the model knows none of them."""
        if not len(self.label_set):
            raise self._unusable("it knows none of the classes that are in use")
        return self._shown.of(outputs[0])

    def _outputs(self, images: NDArray[np.uint8], threads: int) -> Outputs:
        """All outputs of the program for `(n, 28, 28) uint8`."""
        if isinstance(self._program, _Weights):
            return self._program.run(images)
        outputs = tuple(np.empty((len(images), *shape), np.float32) for shape in self._program.output_shapes)
        firsts = range(0, len(images), BATCH)
        wanted = min(threads, len(firsts))
        while len(self._programs) < wanted:
            # one after the other: what is laid out is kept quiet by redirecting the streams of the whole process
            self._programs.append(self._laid_out_for(BATCH))
        programs = self._programs[:wanted]
        if len(programs) == 1:
            _read_batches(programs[0], images, firsts, outputs)
        elif programs:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(len(programs)) as pool:
                parts = [firsts[i :: len(programs)] for i in range(len(programs))]
                list(pool.map(_read_batches, programs, repeat(images), parts, repeat(outputs)))
        return outputs

    def _laid_out_for(self, size: int) -> _Program | _Weights:
        try:
            if not self._model.flatbuffer:
                return _Weights(self._model)
            # LiteRT greets on stderr, past Python; what goes wrong it raises
            with quiet():
                return _Program(self._model.flatbuffer, size, len(self._model.label_set))
        except InputError as error:
            raise self._unusable(error.message.rstrip(".").lower()) from error
        except (ValueError, RuntimeError, TypeError) as error:
            raise self._unusable(f"its LiteRT program does not load ({error})") from error

    def _unusable(self, reason: str) -> ModelFileError:
        return ModelFileError(
            f"{self._model.path or self._model.name} cannot be used: {reason}.",
            "Use another model, or train this one again.",
        )


def answers_of_weights(model: Model) -> NDArray[np.float32]:
    """The probabilities of the golden drawings `(n, k)`, computed from the weights alone. Raises `InputError`."""
    outputs = (layer_outputs(model.network, model.weights, image) for image in model.golden.images)
    return np.stack([layers[-1].values for layers in outputs])


class _Program:
    """An interpreter that is laid out for batches of one size. Raises `ValueError` or `RuntimeError` when it cannot be."""

    def __init__(self, flatbuffer: bytes, size: int, n_classes: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.size = size
        self._interpreter: Any = Interpreter(model_content=flatbuffer, num_threads=1)
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1 or list(inputs[0]["shape"][1:]) != [28, 28, 1]:
            raise ValueError("it does not take 28x28 images")
        self._input, self._outputs = inputs[0]["index"], self._output_indices()
        if list(inputs[0]["shape"]) != [size, 28, 28, 1]:
            self._interpreter.resize_tensor_input(self._input, (size, 28, 28, 1))
        self._interpreter.allocate_tensors()
        # only running it tells the shape of what comes out
        shapes = [output.shape for output in self.run(np.zeros((size, 28, 28), np.uint8))]
        if shapes[0] != (size, n_classes):
            raise ValueError(f"it gives {shapes[0][-1]} probabilities for {n_classes} classes")
        if any(len(shape) != 2 or shape[0] != size for shape in shapes):
            raise ValueError("its embedding is not a row of numbers")
        self.output_shapes = tuple(shape[1:] for shape in shapes)

    @property
    def n_outputs(self) -> int:
        return len(self._outputs)

    def _output_indices(self) -> list[int]:
        """Of the probabilities and, from newer programs, of the embedding: outputs are listed in no order of ours."""
        if (n := len(details := self._interpreter.get_output_details())) == 1:
            return [details[0]["index"]]
        named = self._interpreter.get_signature_runner().get_output_details()
        if n != len(EMBEDDING_OUTPUTS) or set(named) != set(EMBEDDING_OUTPUTS):
            raise ValueError("it does not give probabilities and an embedding")
        return [named[name]["index"] for name in EMBEDDING_OUTPUTS]

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """`(size, 28, 28)` to the probabilities `(size, k)` and, where the program gives it, the embedding `(size, d)`."""
        self._interpreter.set_tensor(self._input, (images / np.float32(255.0))[..., np.newaxis])
        self._interpreter.invoke()
        found = tuple(self._interpreter.get_tensor(output) for output in self._outputs)
        for embedding in found[1:]:
            # Older programs lack `core.embedding.NO_FEATURES`: LiteRT divides by the length of features that are all zero.
            embedding[~np.isfinite(embedding).all(axis=1)] = 1.0 / np.sqrt(embedding.shape[1])
        return found


class _Weights:
    """In the place of a program that may not be run: the network is computed from its weights, much more slowly.

    Raises `InputError` where the weights are not those of the network.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        shapes = [output.shape for output in self.run(np.zeros((1, 28, 28), np.uint8))]
        if shapes != [(1, len(model.label_set))]:
            raise InputError("The weights are not those of this network.")
        self.output_shapes = tuple(shape[1:] for shape in shapes)
        self.n_outputs = 1

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """`(n, 28, 28)` to the probabilities `(n, k)`."""
        network, weights = self._model.network, self._model.weights
        found = np.empty((len(images), len(self._model.label_set)), np.float32)
        with np.errstate(all="ignore"):  # odd weights give odd answers, which are not the golden ones
            for row, image in zip(found, images, strict=True):
                row[:] = layer_outputs(network, weights, image)[-1].values
        return (found,)


def _read_batches(
    program: _Program | _Weights, images: NDArray[np.uint8], firsts: range, outputs: Outputs
) -> None:
    """Fill in the outputs for the batches that begin at `firsts`."""
    for first in firsts:
        part = images[first : first + BATCH]
        batch = np.zeros((BATCH, 28, 28), np.uint8)
        batch[: len(part)] = part
        for output, found in zip(outputs, program.run(batch), strict=True):
            output[first : first + len(part)] = found[: len(part)]


def _checked(images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise InputError(f"A drawing is (28, 28) uint8, not {images.shape[1:]} {images.dtype}.")
    return images
