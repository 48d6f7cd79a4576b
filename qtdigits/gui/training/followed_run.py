"""The run that the training panel shows, from one click to the next: what is known of it, and what was asked of it."""

from __future__ import annotations

from dataclasses import replace

from qtdigits.core.recipe import Recipe
from qtdigits.core.run import events as ev
from qtdigits.core.run.events import EngineLost, RunFailed
from qtdigits.core.run.history import History
from qtdigits.gui.texts import running_text
from qtdigits.training.jobs import TrainingJob

STOPPING = "stopping, the best is kept"
CANCELLING = "giving up"


class FollowedRun:
    """Hears the events of one run after the other; `history` is that of the present or the last one.

    `asked` says what the person has asked for, `STOPPING` or `CANCELLING`, until the run has ended. `started` and `batch` are the
    last events of their kind, None where figures are not known (yet, or while something else goes on than training).
    `to_go_on` was interrupted and can be taken up; by the recipe `to_repeat` a training failed.
    """

    def __init__(self) -> None:
        self.history = History()
        self.started: ev.RunStarted | None = None
        self.batch: ev.BatchEnded | None = None
        self.asked = ""
        self.to_go_on: TrainingJob | None = None
        self.to_repeat: Recipe | None = None
        self._is_running = False

    @property
    def is_running(self) -> bool:
        return self._is_running

    @property
    def has_figures(self) -> bool:
        return len(self.history.batches) > 0

    @property
    def can_stop(self) -> bool:
        """It goes on, nobody has ended it yet, and there is something to keep."""
        return self._is_running and not self.asked and self.has_figures

    @property
    def can_cancel(self) -> bool:
        return self._is_running and self.asked != CANCELLING

    @property
    def is_preparing(self) -> bool:
        return self._is_running and self.started is None and not self.asked

    @property
    def recipe_name(self) -> str:
        return str(self.started.recipe.get("name") or "") if self.started is not None else ""

    def begin(self) -> None:
        """Somebody has clicked: no figures yet."""
        self._is_running, self.asked = True, ""
        self.to_go_on = self.to_repeat = None
        self.started = self.batch = None
        self.history = History()

    def start(self, event: ev.RunStarted) -> None:
        self._is_running = True
        self.started, self.batch = event, None
        self.history = History()

    def resume(self, event: ev.RunResumed) -> None:
        self.history.apply(event)

    def batch_ended(self, event: ev.BatchEnded) -> None:
        self.history.apply(event)
        self.batch = event

    def epoch_ended(self, event: ev.EpochEnded) -> None:
        self.history.apply(event)

    def end(self, event: ev.Terminal | ev.EngineLost, *, last: TrainingJob | None) -> bool:
        """`last` is what was asked for last. Gives whether a run went on at all: an idle engine can be lost, too."""
        was_running, self._is_running, self.asked, self.batch = self._is_running, False, "", None
        is_lost = isinstance(event, EngineLost) and was_running
        self.to_go_on = replace(last, resumes=True) if is_lost and last is not None else None
        self.to_repeat = last.recipe if isinstance(event, RunFailed) and last is not None else None
        return was_running

    def text(self, *, is_paused: bool, other_recipe: str = "") -> str:
        """Where it stands, in a line; "" while that is for others to say. `other_recipe`: it is trained by that one, mind you."""
        what = self.asked or ("paused" if is_paused else "")
        if self.started is None or self.batch is None:
            return f"{self.asked} …" if self.asked else what
        figures = running_text(
            self.batch,
            epochs=self.started.epochs,
            best_epoch=self.history.best_epoch,
            waited=self.history.epochs_since_best,
            patience=int(self.started.recipe.get("patience") or 0),
        )
        return " · ".join(part for part in (what, other_recipe, figures) if part)
