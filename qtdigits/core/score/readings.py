"""Drawings with how they were read: what lies behind the cells of a confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MOST_IN_CELL = 100
MOST_RIGHT_IN_CELL = 40
"""There are thousands of drawings that are read rightly; the least sure of them are worth looking at."""


@dataclass(frozen=True, eq=False)
class Readings:
    """`images` `(n, 28, 28) uint8`, `truth` and `answer` `(n,)` indices into `classes`, `confidence` `(n,)` from 0 to 1."""

    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    confidence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def of_cell(self, truth: int, answer: int) -> Readings:
        """What was drawn as `truth` and read as `answer`: the surest mistake first, or the least sure right answer."""
        found = np.flatnonzero((self.truth == truth) & (self.answer == answer))
        order = self.confidence[found] if truth == answer else -self.confidence[found]
        return self.take(found[np.argsort(order, kind="stable")])

    def worth_keeping(self) -> Readings:
        """The first of every cell, so many that a person may want to look at them."""
        wrong, right = self.truth != self.answer, self.truth == self.answer
        place = np.arange(len(self))
        kept = [
            self._first_of_cells(place[wrong], MOST_IN_CELL),
            self._first_of_cells(place[right], MOST_RIGHT_IN_CELL),
        ]
        return self.take(np.sort(np.concatenate(kept)))

    def take(self, chosen: NDArray[np.int64]) -> Readings:
        """Those at the places `chosen` `(m,)`, in that order."""
        return replace(
            self,
            images=self.images[chosen],
            truth=self.truth[chosen],
            answer=self.answer[chosen],
            confidence=self.confidence[chosen],
        )

    def _first_of_cells(self, among: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        """At most `most` of every cell, in the order of `of_cell`; `among` are all wrong or all right."""
        if not len(among):
            return among
        cell = self.truth[among] * len(self.classes) + self.answer[among]
        is_right = self.truth[among[0]] == self.answer[among[0]]
        sure = self.confidence[among] if is_right else -self.confidence[among]
        order = np.lexsort((sure, cell))
        begins = np.flatnonzero(np.r_[True, np.diff(cell[order]) != 0])
        rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.r_[begins, len(order)]))
        chosen: NDArray[np.int64] = among[order[rank < most]]
        return chosen
