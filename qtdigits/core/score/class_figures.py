"""How well each class is read: how much of it is found, and how far an answer can be believed."""

from __future__ import annotations

from dataclasses import dataclass

from qtdigits.core.score.metrics import Score, Tally


@dataclass(frozen=True)
class ClassFigures:
    """One class: `drawn` times drawn, `answered` times the answer, `correct` times both."""

    label: str
    drawn: int
    answered: int
    correct: int

    @property
    def recall(self) -> float:
        """Part of the drawings of this class that are read as it; NaN when there are none."""
        return Tally(self.drawn, self.correct).accuracy

    @property
    def precision(self) -> float:
        """Part of the answers of this class that are right; NaN when there are none."""
        return Tally(self.answered, self.correct).accuracy

    @property
    def recall_interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return Tally(self.drawn, self.correct).interval

    @property
    def precision_interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %."""
        return Tally(self.answered, self.correct).interval


def class_figures(score: Score) -> tuple[ClassFigures, ...]:
    """In the order of the score's classes."""
    drawn, answered = score.confusion.sum(axis=1), score.confusion.sum(axis=0)
    return tuple(
        ClassFigures(label, int(drawn[i]), int(answered[i]), int(score.confusion[i, i]))
        for i, label in enumerate(score.classes)
    )
