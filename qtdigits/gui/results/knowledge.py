"""What the training panel can find out about runs, recipes and readings, without knowing where it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qtdigits.core.recipe import Recipe
from qtdigits.core.score.metrics import ReadDrawings, Tally
from qtdigits.errors import InputError
from qtdigits.store.run_files import load_readings


@dataclass(frozen=True)
class Knowledge:
    """`readings_of`: the id of a run → the drawings behind its scores, by the name of the set.

    `cost_text`: what a recipe will cost on this machine, in words. `judged_by`: the name of a model → how the drawings of the
    present writer were read by it when they were judged.
    """

    readings_of: Callable[[str], Mapping[str, ReadDrawings]] = lambda _run: {}
    cost_text: Callable[[Recipe], str] = lambda _recipe: ""
    judged_by: Callable[[str], Tally] = lambda _model: Tally(0, 0)


def readings_of(data_dir: Path, run: str) -> Mapping[str, ReadDrawings]:
    """Return the drawings behind the scores of a run, by the name of the set; none where their file cannot be read."""
    try:
        return load_readings(data_dir, run)
    except InputError:
        return {}
