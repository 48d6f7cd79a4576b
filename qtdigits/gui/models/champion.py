"""The model in use, as a result is compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from qtdigits.core.score.metrics import Tally

Scores = Mapping[str, Mapping[str, Any]]
"""The name of a set → `Score.to_json()`, as in `RunFinished.scores` and in a model file."""


@dataclass(frozen=True)
class Champion:
    """The model in use, as far as a comparison needs it."""

    title: str = ""
    path: str = ""
    scores: Scores = field(default_factory=dict)

    def with_score(self, name: str, *, correct: int, n: int) -> Champion:
        """The same with what the model has just read of a set, rather than what it read when it was made."""
        return replace(self, scores={**self.scores, name: Tally(n, correct).to_json()})
