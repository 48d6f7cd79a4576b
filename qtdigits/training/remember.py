"""Building the memory of a writer's stored drawings for a model; in a thread, with a reader and a connection of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.reader import Reader
from qtdigits.store.tables.samples import SampleStore

AT_ONCE = 128
"""After so many drawings it looks whether the memory is still wanted."""


class MemoryRequest:
    """A memory to build, of the classes with the ids `among` (None: of all).

    `known` are memories of the same model, no longer used: what they hold need not be read again.
    """

    def __init__(
        self,
        model: Model,
        writer: str,
        known: Sequence[Memory] = (),
        *,
        among: frozenset[str] | None = None,
    ) -> None:
        self.model = model
        self.among = among
        self.writer = writer
        self.known = tuple(memory for memory in known if len(memory))
        self.cancelled = Event()

    def build(self, store_path: Path) -> Memory | None:
        """Remember every drawing of the writer whose label is not doubted, by its id. None if it was cancelled meanwhile.

        Raises `StoreError`, `ModelFileError`.
        """
        if self.cancelled.is_set():
            return None
        with SampleStore.open_read_only(store_path) as store:
            drawings = store.dataset(writer=self.writer, is_suspect=False, among=self.among)
        memory, new = Memory(), []
        for place, (key, label) in enumerate(zip(drawings.ids, drawings.labels, strict=True)):
            known = next((memory for memory in self.known if key in memory), None)
            if known is None:
                new.append(place)
            else:
                memory.add(known.embedding(key), label, key=key)
        self._embed(drawings.take(new), memory)
        return None if self.cancelled.is_set() else memory

    def _embed(self, drawings: Dataset, memory: Memory) -> None:
        """Add `drawings` to `memory`."""
        if not len(drawings):
            return
        reader = Reader(self.model, check=False)
        for first in range(0, len(drawings), AT_ONCE):
            if self.cancelled.is_set():
                return
            part = drawings.take(np.arange(first, min(first + AT_ONCE, len(drawings))))
            for embedding, label, key in zip(reader.embed(part.images), part.labels, part.ids, strict=True):
                memory.add(embedding, label, key=key)
