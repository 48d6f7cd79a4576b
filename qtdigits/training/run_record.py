"""The line that a run has in `samples.db`: begun before it trains, ended however it ends."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic

from qtdigits.core.model import Model
from qtdigits.core.run.checkpoints import DataFingerprint
from qtdigits.core.run.events import (
    EpochEnded,
    Event,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunStarted,
    Terminal,
)
from qtdigits.core.run.figures import RunFigures, figures_of
from qtdigits.core.run.history import History
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import InputError, StoreError
from qtdigits.store.files import cannot_write
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import save_model
from qtdigits.store.run_files import prune, save_readings, save_result
from qtdigits.store.tables.runs import CANCELLED, INTERRUPTED, RUNNING, RunRecord, RunTable
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob

KEEP_EVERY_S = 10.0


class RunRecorder:
    """Writes a run down. The store is opened for each line: nothing holds it while the network trains.

    Where the store cannot be used, a run that wants no drawings goes on without a record, and `notice` is told.
    """

    def __init__(
        self,
        request: TrainingJob,
        *,
        notice: Callable[[str], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._request, self._notice = request, notice
        self._folder = Path(request.data_dir)
        self._is_recorded = False
        self._started: RunStarted | None = None
        self._before: RunRecord | None = None
        self._mark: DataFingerprint | None = None
        self._clock = clock
        self._kept_at = -math.inf

    def begin(self, *, prepare: Callable[[], object] = lambda: None) -> None:
        """`prepare` makes what a new run needs to go on after an interruption: it is there before the run is listed.

        Raises `StoreError` when the store cannot be used and the request wants its drawings.
        """
        record = RunRecord(self._request.id, self._request.recipe.to_json())
        try:
            with SampleStore.open(self._folder) as store:
                if self._request.resumes:
                    self._before = store.runs.get(record.id)
                    store.runs.reopen(record)
                else:
                    store.runs.add(record, prepare=prepare)
        except StoreError as error:
            if self._request.use_drawings:
                raise
            self._notice(f"This run is not recorded: {error.message}")
        else:
            self._is_recorded = True

    def set_data(self, mark: DataFingerprint) -> None:
        """The data is read. It is written down at once, so that it is known of a run that comes to nothing."""
        self._mark = mark
        if self._before is None:
            self._write(lambda runs: runs.save_figures(self._request.id, self._figures(History())))

    def on_event(self, event: Event, history: History) -> None:
        """Keep the curves so far when an epoch has ended, but not oftener than it is worth: a process may die at any moment."""
        if isinstance(event, RunStarted):
            self._started = event
        is_due = self._clock() - self._kept_at >= KEEP_EVERY_S
        if isinstance(event, EpochEnded) and is_due:
            self._kept_at = self._clock()
            self._write(lambda runs: runs.save_history(self._request.id, history, self._figures(history)))

    def end(self, ending: Terminal, history: History) -> None:
        """The model is safe by now, so that what goes wrong here is told and no more.

        A run that was given up goes to the trash, from where it can be put back to go on; one that was interrupted stays. A run
        that was to go on and could not is as it was before; one that was extended keeps its model in any case.
        """
        if not self._is_recorded:
            return
        try:
            with SampleStore.open(self._folder) as store:
                if self._before is not None and self._started is None:
                    store.runs.undo_reopen(self._before)
                else:
                    self._end(store.runs, ending, history)
                prune(self._folder, ended=_over_and_done_with(store.runs))
        except StoreError as error:
            self._notice(f"How this run ended is not recorded: {error.message}")

    def _write(self, write: Callable[[RunTable], None]) -> None:
        if not self._is_recorded:
            return
        try:
            with SampleStore.open(self._folder) as store:
                write(store.runs)
        except StoreError as error:
            self._notice(f"How far this run has come is not recorded: {error.message}")

    def _end(self, runs: RunTable, ending: Terminal, history: History) -> None:
        state, model = _state_of(ending)
        model = model or (self._before.model if self._before else "")
        figures = self._figures(history, ending)
        runs.end(self._request.id, state=state, model=model, history=history, figures=figures)
        if state == CANCELLED and not model:
            runs.delete([self._request.id])

    def _figures(self, history: History, ending: Terminal | None = None) -> RunFigures:
        figures = figures_of(history, ending.scores if isinstance(ending, RunFinished) else {})
        if isinstance(ending, RunFailed):
            figures = replace(figures, message=f"{ending.message} {ending.remedy}".strip())
        if self._mark is not None:
            digests = {name: digest for name, (_, digest) in self._mark.sources.items()}
            figures = replace(figures, data_sha256=self._mark.fingerprint, digests=digests)
        if self._started is not None:
            started = self._started
            figures = replace(
                figures,
                data=dict(started.data),
                n_parameters=started.n_parameters,
                steps_per_epoch=started.steps_per_epoch,
            )
        return figures


def keep_result(
    request: TrainingJob,
    finished: RunFinished,
    readings: Mapping[str, ReadDrawings],
    *,
    notice: Callable[[str], None],
) -> None:
    """Keep the result and the drawings behind its figures. That they cannot be kept is no reason to lose the model."""
    folder = Path(request.data_dir)
    try:
        save_result(folder, finished)
        save_readings(folder, request.id, readings)
    except (StoreError, InputError) as error:
        notice(f"The result is not kept beside the model: {error.message}")


def _over_and_done_with(runs: RunTable) -> list[str]:
    """Ids of runs that nobody is waiting for to go on, the latest first."""
    ended = [run for run in runs.records() if run.state not in {RUNNING, INTERRUPTED}]
    return [run.id for run in ended] + [run.id for run in runs.records(in_trash=True)]


def _state_of(ending: Terminal) -> tuple[str, str]:
    match ending:
        case RunFinished(outcome=outcome, model=model):
            return outcome, model
        case RunCancelled(is_interrupted=is_interrupted):
            return INTERRUPTED if is_interrupted else CANCELLED, ""
        case _:
            return "failed", ""


def model_path_for(request: TrainingJob) -> Path:
    """Found out before the training, not after it: whether the model can be stored there.

    Raises `InputError` where there is no folder, or the file is one, and `StoreError` where nothing can be written.
    """
    out = Path(request.out) if request.out else library_of(request).new_path(_name_for(request))
    try:
        has_folder, is_folder = out.parent.is_dir(), out.is_dir()
    except OSError as error:  # the name is too long
        raise cannot_write(out, error) from error
    if not has_folder:
        raise InputError(
            f"There is no folder {out.parent}.", "Make it, or let the model be written elsewhere."
        )
    if is_folder:
        raise InputError(f"{out} is a folder.", "Give the name of a file for the model.")
    if not os.access(out.parent, os.W_OK):
        raise StoreError(
            f"{out.parent} is read-only.", "Allow writing to it, or let the model be written elsewhere."
        )
    return out


def _name_for(request: TrainingJob) -> str:
    if request.recipe.is_personal and request.writer:
        return request.name or f"hand-of-{request.writer}"
    return request.name or request.recipe.name


def store_model(model: Model, request: TrainingJob, out: Path) -> Model:
    """The model as it was saved, with its path. Raises `StoreError`.

    A file that another window has put there meanwhile is not overwritten, unless it was asked for by name.
    """
    if request.out:
        return save_model(model, out)
    library = library_of(request)
    with library.adding():
        if out.exists():
            out = library.new_path(out.stem)
            model = replace(model, name=request.name or out.stem)
        return save_model(model, out)


def library_of(request: TrainingJob) -> ModelLibrary:
    return ModelLibrary(Path(request.data_dir))
