"""Probabilities for drawings, from the LiteRT program inside a model."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qtdigits.core.model import Model
from qtdigits.errors import InputError, ModelFileError
from qtdigits.quiet import quiet

BATCH = 32


class Reader:
    """Reads drawings with one model, on one thread: what a window wants is a quick answer, not all processors.

    `check` runs the golden drawings first. Raises `ModelFileError` when the program does not load, does not fit the label set,
    or gives other answers than the golden ones.
    """

    def __init__(self, model: Model, *, check: bool = True) -> None:
        self.label_set = model.label_set
        self.model_name = model.name
        self.undecided_below = model.undecided_below
        self._flatbuffer = model.flatbuffer
        self._where = str(model.path or model.name)
        self._program = self._laid_out_for(1)
        self._programs: list[_Program] = []
        if check:
            answers = np.stack([self.read(image) for image in model.golden.images])
            if not model.golden.agrees_with(answers):
                raise self._unusable("it gives other answers than the golden ones that it carries")

    def read(self, raster: ArrayLike) -> NDArray[np.float32]:
        """`(28, 28) uint8`, ink 255, to `(k,)` probabilities in the order of the label set."""
        answer: NDArray[np.float32] = self._program.run(_checked(np.asarray(raster)[np.newaxis]))[0]
        return answer

    def read_many(self, images: NDArray[np.uint8], *, threads: int = 1) -> NDArray[np.float32]:
        """`(n, 28, 28) uint8` to `(n, k)`, twice as fast as one by one and more.

        In batches of one size, for which the program is laid out once; the last batch is filled up with blanks. LiteRT lets go of
        Python while it works, so that `threads`, each with a program of its own, read side by side. One reader is for one
        caller at a time: what was laid out is kept for the next call.
        """
        n = len(_checked(images))
        answers = np.empty((n, len(self.label_set)), np.float32)
        firsts = range(0, n, BATCH)
        wanted = min(threads, len(firsts))
        while len(self._programs) < wanted:
            # one after the other: what is laid out is kept quiet by redirecting the streams of the whole process
            self._programs.append(self._laid_out_for(BATCH))
        programs = self._programs[:wanted]
        if len(programs) == 1:
            _read_batches(programs[0], images, firsts, answers)
        elif programs:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(len(programs)) as pool:
                parts = [firsts[i :: len(programs)] for i in range(len(programs))]
                list(pool.map(_read_batches, programs, repeat(images), parts, repeat(answers)))
        return answers

    def _laid_out_for(self, size: int) -> _Program:
        try:
            # LiteRT greets on stderr, past Python; what goes wrong it raises
            with quiet():
                return _Program(self._flatbuffer, size, len(self.label_set))
        except (ValueError, RuntimeError, TypeError) as error:
            raise self._unusable(f"its LiteRT program does not load ({error})") from error

    def _unusable(self, reason: str) -> ModelFileError:
        return ModelFileError(
            f"{self._where} cannot be used: {reason}.", "Use another model, or train this one again."
        )


class _Program:
    """An interpreter that is laid out for batches of one size. Raises `ValueError` or `RuntimeError` when it cannot be."""

    def __init__(self, flatbuffer: bytes, size: int, n_classes: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.size = size
        self._interpreter: Any = Interpreter(model_content=flatbuffer, num_threads=1)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1 or list(inputs[0]["shape"][1:]) != [28, 28, 1]:
            raise ValueError("it does not take 28x28 images")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        if list(inputs[0]["shape"]) != [size, 28, 28, 1]:
            self._interpreter.resize_tensor_input(self._input, (size, 28, 28, 1))
        self._interpreter.allocate_tensors()
        # only running it tells the shape of what comes out
        shape = self.run(np.zeros((size, 28, 28), np.uint8)).shape
        if shape != (size, n_classes):
            raise ValueError(f"it gives {shape[-1]} probabilities for {n_classes} classes")

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._input, (images / np.float32(255.0))[..., np.newaxis])
        self._interpreter.invoke()
        answer: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return answer


def _read_batches(
    program: _Program, images: NDArray[np.uint8], firsts: range, answers: NDArray[np.float32]
) -> None:
    """Fill in the answers to the batches that begin at `firsts`."""
    for first in firsts:
        part = images[first : first + BATCH]
        batch = np.zeros((BATCH, 28, 28), np.uint8)
        batch[: len(part)] = part
        answers[first : first + len(part)] = program.run(batch)[: len(part)]


def _checked(images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise InputError(f"A drawing is (28, 28) uint8, not {images.shape[1:]} {images.dtype}.")
    return images
