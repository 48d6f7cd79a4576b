"""What a study reads beyond a training: with a memory, scaled as in 2022, after corrections by the same users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.core.search import CORRECTIONS, WINDOW_SCALING, Point
from qtdigits.errors import InputError
from qtdigits.reader import Reader
from qtdigits.store.data.csv_pair import write_csv_pair
from qtdigits.store.files import make_folder
from qtdigits.store.model_files import load_model

WINDOW_SIDE_PX, WINDOW_CENTRE_PX = (22.6, 2.4), ((12.9, 1.9), (13.5, 1.3))
"""Longer side, and centre along x and y, of the drawings in the 2022 program's window once that was resized: mean and deviation
of what is darker than half, measured on its 1,666 corrections. Those were misread: other drawings may have been smaller."""
HALF = 128


class Drawings:
    """The drawings of an objective's file, as each point has them read.

    With `corrections` in the search, the earlier half of each writer's drawings is what the users may correct, and only the
    later half is scored.
    """

    def __init__(self, dataset: Dataset, *, has_corrections: bool, folder: Path) -> None:
        numbers, of_writer = _numbers_by_writer(dataset), Counter(dataset.writers)
        order = np.argsort(
            numbers, kind="stable"
        )  # the first drawing of each writer, then the second of each, …
        halves = np.array([of_writer[writer] / 2 for writer in dataset.writers])
        is_early = numbers < halves
        self._pool = dataset.take(order[is_early[order]])
        self._scored = dataset.take(np.flatnonzero(~is_early)) if has_corrections else dataset
        self._folder = folder
        self._images: dict[object, NDArray[np.uint8]] = {}
        self._read: tuple[object, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]] | None = None

    def corrections(self, point: Point) -> tuple[tuple[str, str], ...]:
        """Write the corrections that are trained on at a point as a CSV pair, and return its files. Raises `InputError`."""
        n, scaling = int(point.get(CORRECTIONS, 0)), point.get("scaling", "mnist")
        if n > len(self._pool):
            raise InputError(
                f"The users have {len(self._pool):,} drawings to correct, not {n:,}.",
                "Search fewer corrections.",
            )
        if not n:
            return ()
        make_folder(self._folder)
        images, labels = (self._folder / f"{kind}-{n}-{scaling}.csv" for kind in ("images", "labels"))
        if not images.exists() or not labels.exists():
            chosen = self._pool.take(range(n))
            write_csv_pair(images, labels, _scaled(chosen.images, scaling), chosen.labels)
        return ((str(images), str(labels)),)

    def read(
        self, model: Path, point: Point, *, load: Callable[[Path], Model] = load_model
    ) -> tuple[int, int]:
        """Return how many drawings there are, and how many the model reads rightly at a point."""
        scored, scaling = self._scored, point.get("scaling", "mnist")
        key = (model, scaling)
        if self._read is None or self._read[0] != key:
            if scaling not in self._images:
                self._images[scaling] = _scaled(scored.images, scaling)
            reader = Reader(load(model), check=False)
            probabilities, embeddings = reader.read_and_embed(self._images[scaling])
            self._read = (key, probabilities, embeddings, reader.likeness(embeddings))
            self._labels = reader.label_set.labels
        _, probabilities, embeddings, likeness = self._read
        constants = {
            name.removeprefix("memory_"): value for name, value in point.items() if name.startswith("memory_")
        }
        if not constants:
            answers = np.asarray(self._labels)[probabilities.argmax(axis=1)]
            return len(scored), int((answers == np.asarray(scored.labels)).sum())
        memories: dict[str, Memory] = {}
        correct = 0
        for i, (writer, label) in enumerate(zip(scored.writers, scored.labels, strict=True)):
            memory = memories.setdefault(writer, Memory(**constants))  # type: ignore[arg-type]
            labels, combined = memory.combine(
                self._labels,
                probabilities[i],
                memory.neighbours(embeddings[i]),
                likeness[i],
            )
            correct += labels[int(combined.argmax())] == label
            memory.add(embeddings[i], label)
        return len(scored), correct


def in_window(images: NDArray[np.uint8], *, seed: int = 1) -> NDArray[np.uint8]:
    """Return drawings that were scaled by MNIST's rule, `(n, 28, 28) uint8`, as the 2022 program had them.

    It resized its whole window, wherever and however large the digit was drawn in it.
    """
    rng = np.random.default_rng(seed)
    n, at = len(images), np.arange(28)
    sides = np.clip(rng.normal(*WINDOW_SIDE_PX, n), 16, 27)
    out = np.zeros_like(images)
    for i, image in enumerate(images):
        is_inked = image >= min(HALF, max(image.max(), 1))
        rows, columns = np.flatnonzero(is_inked.any(axis=1)), np.flatnonzero(is_inked.any(axis=0))
        if not len(rows):
            continue
        scale = sides[i] / (max(np.ptp(rows), np.ptp(columns)) + 1)
        weights = []
        for axis, inked in enumerate((columns, rows)):
            low, high = inked[0], inked[-1] + 1
            half = (high - low) * scale / 2
            centre = np.clip(rng.normal(*WINDOW_CENTRE_PX[axis]), half, max(half, 28 - half))
            source = (at + 0.5 - centre) / scale + (low + high) / 2 - 0.5
            weights.append(np.maximum(0, 1 - np.abs(source[:, None] - at)))
        out[i] = np.clip(weights[1] @ image @ weights[0].T + 0.5, 0, 255).astype(np.uint8)
    return out


def _scaled(images: NDArray[np.uint8], scaling: object) -> NDArray[np.uint8]:
    return in_window(images) if scaling == WINDOW_SCALING else images


def _numbers_by_writer(dataset: Dataset) -> NDArray[np.int64]:
    """Return the number of each drawing among those of its writer, from 0."""
    seen: dict[str, int] = {}
    numbers = []
    for writer in dataset.writers:
        numbers.append(seen.get(writer, 0))
        seen[writer] = numbers[-1] + 1
    return np.array(numbers, np.int64)
