"""The record of a run in `samples.db`, from before it trains to its ending, its result, and its model file."""

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
from qtdigits.store.run_files import RunFolder, prune_checkpoints
from qtdigits.store.tables.runs import CANCELLED, INTERRUPTED, RUNNING, RunRecord, RunTable
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob

SAVE_EVERY_S = 10.0


class RunRecorder:
    """Records a run. The store is opened for each change, and is not held while the network trains.

    Where the store cannot be used, a run without stored drawings trains without a record, and `notice` says so.
    """

    def __init__(
        self,
        job: TrainingJob,
        *,
        notice: Callable[[str], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._job, self._notice = job, notice
        self._folder = Path(job.data_dir)
        self._is_recorded = False
        self._started: RunStarted | None = None
        self._before: RunRecord | None = None
        self._data: DataFingerprint | None = None
        self._clock = clock
        self._saved_at = -math.inf

    def begin(self, *, prepare: Callable[[], object] = lambda: None) -> None:
        """Add the run, or reopen one that is resumed.

        `prepare` writes what it takes to resume a new run, before the run is listed. Raises `StoreError` when the store cannot be
        used and the job needs its drawings.
        """
        record = RunRecord(self._job.id, self._job.recipe.to_json())
        try:
            with SampleStore.open(self._folder) as store:
                if self._job.resumes:
                    self._before = store.runs.get(record.id)
                    store.runs.reopen(record)
                else:
                    store.runs.add(record, prepare=prepare)
        except StoreError as error:
            if self._job.use_drawings:
                raise
            self._notice(f"This run is not recorded: {error.message}")
        else:
            self._is_recorded = True

    def set_data(self, data: DataFingerprint) -> None:
        """Record the data at once, so that it is known of runs that fail, too."""
        self._data = data
        if self._before is None:
            self._write(lambda runs: runs.save_figures(self._job.id, self._figures(History())))

    def on_event(self, event: Event, history: History) -> None:
        """Save the curves after an epoch, at most every `SAVE_EVERY_S`: the process may die at any moment."""
        if isinstance(event, RunStarted):
            self._started = event
        is_due = self._clock() - self._saved_at >= SAVE_EVERY_S
        if isinstance(event, EpochEnded) and is_due:
            self._saved_at = self._clock()
            self._write(lambda runs: runs.save_history(self._job.id, history, self._figures(history)))

    def end(self, ending: Terminal, history: History) -> None:
        """Record the ending. The model is stored by now, so errors become notices.

        A cancelled run goes to the trash, from where it can be restored and resumed; an interrupted one stays in the list. A run
        that could not be resumed is as it was before; an extended one keeps its model in any case.
        """
        if not self._is_recorded:
            return
        try:
            with SampleStore.open(self._folder) as store:
                if self._before is not None and self._started is None:
                    store.runs.undo_reopen(self._before)
                else:
                    self._end(store.runs, ending, history)
                prune_checkpoints(self._folder, ended=_ended_runs(store.runs))
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
        runs.end(self._job.id, state=state, model=model, history=history, figures=figures)
        if state == CANCELLED and not model:
            runs.delete([self._job.id])

    def _figures(self, history: History, ending: Terminal | None = None) -> RunFigures:
        figures = figures_of(history, ending.scores if isinstance(ending, RunFinished) else {})
        if isinstance(ending, RunFailed):
            figures = replace(figures, message=f"{ending.message} {ending.remedy}".strip())
        if self._data is not None:
            digests = {name: digest for name, (_, digest) in self._data.sources.items()}
            figures = replace(figures, data_sha256=self._data.fingerprint, digests=digests)
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
    job: TrainingJob,
    finished: RunFinished,
    readings: Mapping[str, ReadDrawings],
    *,
    notice: Callable[[str], None],
) -> None:
    """Save the result and the drawings behind its figures; an error becomes a notice and costs no model."""
    try:
        folder = RunFolder(Path(job.data_dir), job.id)
        folder.save_result(finished)
        folder.save_readings(readings)
    except (StoreError, InputError) as error:
        notice(f"The result of this run is not saved: {error.message}")


def model_path_for(job: TrainingJob) -> Path:
    """Return where the model is to be stored, checked before the training.

    Raises `InputError` where the folder is missing or the path is one, and `StoreError` where it cannot be written.
    """
    out = Path(job.out) if job.out else library_of(job).new_path(_name_for(job))
    try:
        has_folder, is_folder = out.parent.is_dir(), out.is_dir()
    except OSError as error:  # the name is too long
        raise cannot_write(out, error) from error
    if not has_folder:
        raise InputError(f"There is no folder {out.parent}.", "Create it, or write the model elsewhere.")
    if is_folder:
        raise InputError(f"{out} is a folder.", "Give the name of a file for the model.")
    if not os.access(out.parent, os.W_OK):
        raise StoreError(f"{out.parent} is read-only.", "Allow writing to it, or write the model elsewhere.")
    return out


def store_model(model: Model, job: TrainingJob, out: Path) -> Model:
    """Save the model and return it with its path. Raises `StoreError`.

    A file that another process has written meanwhile is not overwritten, unless the job names the file.
    """
    library = library_of(job)
    if job.out:
        return library.save(model, out)
    with library.adding():
        if out.exists():
            out = library.new_path(out.stem)
            model = replace(model, name=job.name or out.stem)
        return library.save(model, out)


def library_of(job: TrainingJob) -> ModelLibrary:
    return ModelLibrary(Path(job.data_dir))


def _name_for(job: TrainingJob) -> str:
    if job.recipe.is_personal and job.writer:
        return job.name or f"hand-of-{job.writer}"
    return job.name or job.recipe.name


def _ended_runs(runs: RunTable) -> list[str]:
    """Return the ids of runs that are neither running nor interrupted, the latest first, then those in the trash."""
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
