"""What the training panel can find out about runs, recipes and readings, without knowing where it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qtdigits.core.recipe_files import Recipe
from qtdigits.core.score.metrics import ReadDrawings, Tally


@dataclass(frozen=True)
class Knowledge:
    """`readings_of`: the id of a run → the drawings behind its scores, by the name of the set.

    `cost_text`: what a recipe will cost on this machine, in words. `judged_by`: the name of a model → how the drawings of the
    present writer were read by it when they were judged.
    """

    readings_of: Callable[[str], Mapping[str, ReadDrawings]] = lambda _run: {}
    cost_text: Callable[[Recipe], str] = lambda _recipe: ""
    judged_by: Callable[[str], Tally] = lambda _model: Tally(0, 0)
