"""All that is measured of a writer for a report: judgements, and the held-out drawings, read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.formatting import counted, percent
from qtdigits.core.model import Model
from qtdigits.core.score.comparison import Gain
from qtdigits.core.score.learning import LearningPoint, before_learning
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import InputError, ModelFileError
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.accuracy_record import AccuracyRecord
from qtdigits.training.compare import (
    Drawings,
    ancestors,
    headers_of,
    learned_by,
    learning_points,
    may_be_of_files,
    root_ancestor,
)
from qtdigits.training.evaluate import Answers, answers_as_used, answers_of

Progress = Callable[[int, int], None]

MOST_COMPARED = 5_000
"""Of more drawings the latest are read, so that a report takes seconds."""
ALONE, WITH_MEMORY = "network alone", "with memory"


@dataclass(frozen=True, eq=False)
class Read:
    """How a network reads the held-out drawings today, alone and with memory (None: it has no embedding)."""

    name: str
    alone: Answers
    used: Answers | None

    @property
    def answers(self) -> dict[str, Answers]:
        return {ALONE: self.alone, **({WITH_MEMORY: self.used} if self.used is not None else {})}


@dataclass(frozen=True, eq=False)
class WriterFigures:
    """All that is measured of a writer. `read` has the network before the personal trainings, and the one in use.

    `model` is the one that the figures of `record` and the `confidences` are about, "" without any; `judged` (model, right,
    judged) of all of them, the last one first. `outcomes` are those of all models.
    """

    writer: str
    n: int
    model: str
    record: AccuracyRecord
    judged: tuple[tuple[str, int, int], ...]
    outcomes: NDArray[np.bool_]
    confidences: tuple[NDArray[np.float64], NDArray[np.bool_]]
    points: tuple[LearningPoint, ...]
    learned: int
    read: tuple[Read, ...] = ()
    n_read_of: int = 0
    may_be_known: bool = False
    lineage: tuple[Model, ...] = ()

    @property
    def gain(self) -> Gain | None:
        """Before the model in use learned this hand, and since."""
        before = before_learning(self.points) if self.learned else Tally(0, 0)
        return Gain(before, self.record.tally) if before.n and self.record.n else None

    @property
    def headline(self) -> str:
        """The sentence that anyone understands."""
        tally = self.record.tally
        if tally.n:
            return _right(tally, f"drawings by {self.writer}")
        if self.read:
            tally = list(self.read[-1].answers.values())[-1].score.tally
            return _right(tally, f"held-out drawings by {self.writer}")
        return f"{counted(self.n, 'drawing')} by {self.writer}; none has been judged yet."


def _right(tally: Tally, what: str) -> str:
    return f"QtDigits read {tally.correct:,} of {tally.n:,} {what} right: {percent(tally.accuracy)}."


def chosen_writer(store: SampleStore, writer: str) -> str:
    """Return the writer, "": whoever drew last. Raises `InputError` where there is nothing to report."""
    names = store.writers()
    if writer:
        if writer not in names:
            raise InputError(f"There is no writer {writer!r}.", f"Writers: {', '.join(names) or 'none yet'}.")
        if store.count(writer=writer) or store.judgements.models(writer):
            return writer
        raise InputError(
            f"{writer} has not drawn anything yet.", "Draw and judge some digits in the window first."
        )
    latest = next(store.samples(newest_first=True, limit=1), None)
    names = [latest.writer] if latest else [name for name in names if store.judgements.models(name)]
    if not names:
        raise InputError(
            "There are no drawings yet.",
            "Draw some in the window, or import some: qtdigits samples import FILE.",
        )
    return names[0]


def measured(store: SampleStore, library: ModelLibrary, writer: str, progress: Progress) -> WriterFigures:
    judged = tuple(store.judgements.models(writer))
    try:
        champion: Model | None = load_model(library.champion_path(), weights=False)
    except ModelFileError:
        champion = None
    in_use = champion.name if champion else ""
    models = [model for model, _, _ in judged]
    model = in_use if in_use in models or not models else models[0]
    path = champion.path if champion else None
    known = WriterFigures(
        writer,
        store.count(writer=writer),
        model,
        AccuracyRecord.of(store, writer, model),
        judged,
        store.outcomes(writer, None),
        store.judgements.confidences(writer, model),
        learning_points(store, library, writer, model=path),
        learned_by(store, library, writer, path) if model == in_use else 0,
    )
    return known if champion is None else _with_readings(known, store, library, champion, progress)


def _with_readings(
    known: WriterFigures, store: SampleStore, library: ModelLibrary, champion: Model, progress: Progress
) -> WriterFigures:
    """Read the held-out drawings with the network before all personal trainings, and with the one in use."""
    drawings = Drawings.of(store, writer=known.writer, class_set=library.class_set)
    latest = np.arange(len(drawings))[-MOST_COMPARED:]
    dataset, held_out = drawings.dataset.take(latest), drawings.is_held_out[latest]
    lineage = tuple(ancestors(champion, headers_of(library)))
    if not held_out.any():
        return replace(known, lineage=lineage)
    root = root_ancestor(champion, library)
    models = [champion] if root.name == champion.name else [root, champion]
    read = []
    for number, model in enumerate(models):
        reader = Reader(model, classes=drawings.classes)

        def told(done: int, total: int, before: int = number * len(dataset)) -> None:
            progress(before + done, len(models) * len(dataset))

        if reader.has_embedding:
            read.append(Read(model.name, *answers_as_used(reader, dataset, are_read=held_out, progress=told)))
        else:
            read.append(
                Read(
                    model.name,
                    answers_of(reader, dataset.take(np.flatnonzero(held_out)), progress=told),
                    None,
                )
            )
    known_files = may_be_of_files(champion, drawings.origins[latest][held_out], headers_of(library))
    return replace(
        known, read=tuple(read), n_read_of=len(dataset), may_be_known=bool(known_files.any()), lineage=lineage
    )
