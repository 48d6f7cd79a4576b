"""What a recipe will cost on this machine, in words: by the trainings that were made here, and by timing the model in use."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from qtdigits.core.network.network_summary import cost_of, layers_of
from qtdigits.core.recipe.recipes import Recipe
from qtdigits.core.run.recipe_costs import Estimate, Pace, epoch_estimate, paces_of
from qtdigits.core.texts import duration
from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.store.model.model_files import load_header

N_TIMED = 5
"""The fastest counts: the others were held up by something else."""


class RecipeCosts:
    """Looks at the store once until `forget`; a model is timed once, with a few readings of a blank."""

    def __init__(self, *, session: Session) -> None:
        self._session = session
        self._paces: list[Pace] | None = None
        self._timed: tuple[object, float, int] | None = None

    def forget(self) -> None:
        """Another training was made."""
        self._paces = None

    def text(self, recipe: Recipe) -> str:
        """Such as "about 2.1 ms, going by default · an epoch took 0:42 in my run"."""
        try:
            return " · ".join(filter(None, (self._reading_text(recipe), self._epoch_text(recipe))))
        except QtDigitsError:  # what it may cost is not worth a message
            return ""

    def _reading_text(self, recipe: Recipe) -> str:
        timed = self._model_in_use()
        if timed is None:
            return ""
        _, seconds, cost = timed
        own = cost_of(layers_of(recipe.network, len(self._session.label_set)))
        if own == cost:
            return f"{1e3 * seconds:.1f} ms, measured with {self._session.model_name}"
        return f"about {1e3 * seconds * own / cost:.2g} ms, going by {self._session.model_name}"

    def _epoch_text(self, recipe: Recipe) -> str:
        store = self._session.store
        if self._paces is None:
            runs = [(run.title, run.recipe, run.figures) for run in store.runs.records()]
            self._paces = paces_of(runs, len(self._session.label_set))
        found = epoch_estimate(
            recipe,
            self._paces,
            n_classes=len(self._session.label_set),
            n_drawings=store.count(held_out=False, is_suspect=False),
        )
        return epoch_text(found, epochs=recipe.epochs)

    def _model_in_use(self) -> tuple[object, float, int] | None:
        """The reader, seconds for one reading, and its multiply-adds."""
        reader, path = self._session.reader, self._session.model_path
        if reader is None or path is None:
            return None
        if self._timed is None or self._timed[0] is not reader:
            network = load_header(path).network
            blank, times = np.zeros((28, 28), np.uint8), []
            for _ in range(N_TIMED):
                began = perf_counter()
                reader.read(blank)
                times.append(perf_counter() - began)
            self._timed = reader, min(times), cost_of(layers_of(network, len(reader.label_set)))
        return self._timed


def epoch_text(found: Estimate | None, *, epochs: int) -> str:
    """What an epoch and the whole run will take, and how that is known."""
    if found is None:
        return "time of an epoch: known after the first training with such a network"
    whole = f", all {epochs} in {duration(epochs * found.seconds)}" if epochs > 1 else ""
    how = f"measured in the run {found.title}" if found.is_measured else f"going by the run {found.title}"
    about = "" if found.is_measured else "about "
    return f"an epoch in {about}{duration(found.seconds)}{whole}, {how}"
