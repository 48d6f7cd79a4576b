"""Label review: finds stored drawings whose label is probably wrong and marks them, so that they are not trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.label_review import Embedded, find_suspects
from qtdigits.core.drawing.samples import Dataset, Suspicion
from qtdigits.core.embedding import reference_drawings
from qtdigits.core.formatting import awaiting_review
from qtdigits.core.run.control import Control
from qtdigits.paths import shipped_models_dir
from qtdigits.reader import Reader
from qtdigits.store.model_files import load_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.data_cache import DataCache, Progress


@dataclass(frozen=True)
class Review:
    """The number of drawings that were reviewed, and the ids of those whose labels are doubted now."""

    n: int
    doubted: tuple[int, ...]


class LabelReviewer:
    """Looks for wrong labels with the embeddings of one network."""

    def __init__(self, embed: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
        drawings, labels = reference_drawings()
        self._embed, self._examples = embed, Embedded(embed(drawings), labels)

    def suspects(self, drawings: Dataset) -> dict[int, Suspicion]:
        """As `find_suspects`, among the drawings of one person."""
        return find_suspects(Embedded(self._embed(drawings.images), drawings.labels), self._examples)


@cache
def shipped_reviewer() -> LabelReviewer:
    """The shipped `default`, not the champion: that one may have learned a wrong label."""
    return LabelReviewer(Reader(load_model(shipped_models_dir() / "default.h5", weights=False)).embed)


def review(
    store: SampleStore,
    control: Control,
    *,
    reviewer: LabelReviewer | None = None,
    writer: str | None = None,
    reviewed: dict[tuple[Path, str], bytes] | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Review:
    """Review the drawings of `writer`, None: of everybody, each among those of the same writer; by default `shipped_reviewer`'s.

    Drawings that a person has reviewed stay as they are, and count as examples. Doubts that no longer hold are removed. A
    writer whose drawings and labels are unchanged since `reviewed` is skipped; otherwise `reviewed` is updated.
    """
    reviewer = reviewer or shipped_reviewer()
    known = {} if reviewed is None else reviewed
    writers = store.writers() if writer is None else [writer]
    n = 0
    for done, name in enumerate(writers):
        control.raise_if_stopping()
        progress("Checking the labels", done, len(writers))
        drawings = store.dataset(writer=name, with_doubted=True)
        n += len(drawings)
        digest = _digest_of(drawings)
        if known.get((store.path, name)) != digest:
            _mark(store, reviewer.suspects(drawings), drawings, writer=name)
            known[store.path, name] = digest
    return Review(n, tuple(int(i) for i in store.ids(writer=writer, is_suspect=True)))


def review_before_training(
    folder: Path,
    *,
    cache: DataCache,
    control: Control,
    progress: Progress,
    notice: Callable[[str], None],
    reviewer: LabelReviewer | None = None,
) -> None:
    """Review all labels, and give notice of how many are doubted. Raises `StoreError`, and `CancelledError` on a stop."""
    with SampleStore.open(folder) as store:
        if not store.count(held_out=False):
            return
        review(store, control, reviewer=reviewer, reviewed=cache.reviewed, progress=progress)
        if waiting := store.count(held_out=False, is_suspect=True):
            notice(awaiting_review(waiting))


def _mark(store: SampleStore, suspects: dict[int, Suspicion], drawings: Dataset, *, writer: str) -> None:
    """Write doubts that are new, have changed, or are gone."""
    before = {sample.id: sample.suspicion for sample in store.samples(writer=writer, is_suspect=True)}
    found = {drawings.ids[row]: doubt for row, doubt in suspects.items()}
    marks: dict[int, Suspicion | None] = {i: None for i in before if i is not None and i not in found}
    for i, doubt in found.items():
        old = before.get(i)
        if old is None or old.suggestion != doubt.suggestion:
            marks[i] = doubt
    if marks:
        store.mark_suspects(marks)


def _digest_of(drawings: Dataset) -> bytes:
    digest = blake2b(np.asarray(drawings.ids, np.int64).tobytes())
    digest.update("\n".join(drawings.labels).encode())
    return digest.digest()
