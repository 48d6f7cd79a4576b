"""What was judged of one writer and one model, for the figures of the *Learning* tab."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Trial
from qtdigits.core.formatting import counted, percent_range
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.metrics import Score, Tally, confusion_matrix
from qtdigits.core.score.practice import JudgedReading
from qtdigits.store.tables.samples import SampleStore

COACHED = 1000
"""The advice on what to draw next goes by so many of the latest drawings."""


@dataclass(frozen=True, eq=False)
class AccuracyRecord:
    """The judgements of one writer and one model, read once and then added to.

    `outcomes` `(n,)` in the order of judging; `confusions` counts (truth, answer); `recent` are readings of all models.
    `memory` compares the network alone with what was shown, memory included.
    """

    writer: str
    model: str
    outcomes: NDArray[np.bool_]
    confusions: dict[tuple[str, str], int]
    recent: tuple[JudgedReading, ...]
    memory: PairedComparison = field(default_factory=PairedComparison)

    @classmethod
    def of(cls, store: SampleStore, writer: str, model: str) -> AccuracyRecord:
        """Raises `StoreError`."""
        judgements = store.judgements
        return cls(
            *(writer, model, store.outcomes(writer, model), judgements.confusions(writer, model)),
            tuple(judgements.recent(writer, COACHED)),
            judgements.without_memory(writer, model),
        )

    def with_trial(self, trial: Trial) -> AccuracyRecord:
        """Return the record with one more judgement by this writer. One of another model counts for the advice only."""
        if trial.truth is None:
            return self
        recent = (*self.recent, JudgedReading(trial.truth, trial.answer, trial.model))[-COACHED:]
        if trial.model != self.model:
            return replace(self, recent=recent)
        pair = (trial.truth, trial.answer)
        counts = {**self.confusions, pair: self.confusions.get(pair, 0) + 1}
        return replace(
            self,
            outcomes=np.append(self.outcomes, trial.is_right),
            confusions=counts,
            recent=recent,
            memory=self.memory.combined_with(_memory_of(trial)),
        )

    @property
    def n(self) -> int:
        return len(self.outcomes)

    @property
    def tally(self) -> Tally:
        return Tally(self.n, int(self.outcomes.sum()))

    def score(self, labels: tuple[str, ...]) -> Score:
        """Return the confusions as a matrix: first the classes `labels`, then further ones that occur."""
        classes = tuple(dict.fromkeys([*labels, *(name for pair in self.confusions for name in pair)]))
        position = {name: i for i, name in enumerate(classes)}
        pairs = np.array([(position[t], position[a]) for t, a in self.confusions], np.int64).reshape(-1, 2)
        pairs = np.repeat(pairs, np.array(list(self.confusions.values()), np.int64), axis=0)
        return Score(classes, confusion_matrix(pairs[:, 0], pairs[:, 1], len(classes)))


def _memory_of(trial: Trial) -> PairedComparison:
    alone = np.array([trial.network_answer == trial.truth] if trial.network_answer else [], bool)
    return PairedComparison.of(alone, np.full(len(alone), trial.is_right))


def detail_text(record: AccuracyRecord) -> str:
    """Such as: 97 of 100 drawings by me read right by the model default; 95 % interval 91.5 to 99.0 %."""
    if not record.n:
        model = f"The model {record.model}" if record.model else "No model"
        return (
            f"{model} has not been judged on drawings by {record.writer} yet: draw, and judge its readings."
        )
    return (
        f"{record.tally.correct:,} of {counted(record.n, 'drawing')} by {record.writer} read right by the model {record.model}; "
        f"95 % interval {percent_range(*record.tally.interval)}."
    )
