"""From a run that was begun before to the request by which it goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from qtdigits.core.run.events import RunFinished
from qtdigits.errors import InputError, ModelFileError, StoreError
from qtdigits.store.model_files import load_header
from qtdigits.store.run_files import RunFolder, load_result, taken
from qtdigits.store.tables.runs import CANCELLED, INTERRUPTED, RUNNING, RunRecord, RunTable
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob

UNFINISHED = frozenset({RUNNING, INTERRUPTED, CANCELLED, "stopped", "failed"})
"""How a run may have ended that has epochs before it: it can go on as it was planned."""

EXTENDABLE = frozenset({"completed", "converged", "stopped"})


def is_running(data_dir: Path, run: RunRecord) -> bool:
    """Whether a process is at it. One that is "running" without one was interrupted, by whatever ended the program."""
    return run.state == RUNNING and RunFolder(data_dir, run.id).lock.is_taken()


def with_current_state(data_dir: Path, run: RunRecord) -> RunRecord:
    """The run with the state that it is really in: "running" only while a process is at it."""
    if run.state != RUNNING or is_running(data_dir, run):
        return run
    return replace(run, state=INTERRUPTED)


def is_any_running(runs: RunTable, data_dir: Path) -> bool:
    """Whether a process trains in this data folder. Raises `StoreError`."""
    return any(is_running(data_dir, run) for run in runs.running())


def can_go_on(data_dir: Path, run: RunRecord) -> bool:
    """Whether there is something left of the run to do, and what it takes, and nobody is at it."""
    folder = RunFolder(data_dir, run.id)
    return run.state in UNFINISHED and folder.has_request and not folder.lock.is_taken()


def can_be_extended(data_dir: Path, run: RunRecord) -> bool:
    """Whether the run has come to its end, is kept so that it can be trained further, and nobody is at it."""
    folder = RunFolder(data_dir, run.id)
    return run.state in EXTENDABLE and folder.has_checkpoint and not folder.lock.is_taken()


def resumed(data_dir: Path, run: RunRecord, *, champion: str = "") -> TrainingJob:
    """The request by which an unfinished run goes on as it was planned. Raises `InputError` and `StoreError`."""
    request = _request_of(data_dir, run)
    if run.state not in UNFINISHED:
        raise InputError(
            f"The run {run.id} has ended ({run.state}).",
            "Say by how many epochs to extend it, such as --more-epochs 5.",
        )
    return replace(request, resumes=True, champion=champion)


def extended(data_dir: Path, run: RunRecord, more_epochs: int, *, champion: str = "") -> TrainingJob:
    """The request by which a run that has ended goes on for `more_epochs`. Its model becomes a new one, unless it was to have a
    certain name. Raises `InputError` and `StoreError`.
    """
    request = _request_of(data_dir, run)
    if run.state not in EXTENDABLE:
        raise InputError(
            f"The run {run.id} has not come to its end ({run.state}).", "Let it go on, or train anew."
        )
    kept = RunFolder(data_dir, run.id).latest()
    if kept is None:
        raise InputError(
            f"What was kept of the run {run.id} is not there any more.",
            "Train by the same recipe, with more epochs, anew.",
        )
    stages = request.stages or ((0, request.recipe.epochs),)
    recipe = request.recipe.with_values(epochs=kept.epochs + more_epochs)
    stages = (*stages, (kept.epochs, recipe.epochs))
    return replace(request, resumes=True, recipe=recipe, stages=stages, champion=champion)


def _request_of(data_dir: Path, run: RunRecord) -> TrainingJob:
    folder = RunFolder(data_dir, run.id)
    if folder.lock.is_taken():
        raise taken(run.id)
    # The data folder may have been moved meanwhile.
    return replace(TrainingJob.from_json(folder.request()), data_dir=str(data_dir))


@dataclass(frozen=True, eq=False)
class RunResult:
    """`finished.model` is the path of the model as it is now, "" when its file is not there any more; `problem` says so then."""

    finished: RunFinished
    problem: str = ""


def result_of(data_dir: Path, run: RunRecord) -> RunResult:
    """What the run's folder has kept; of a run that was made before results were kept, what its model says.

    Raises `InputError` and `ModelFileError` when neither can be read.
    """
    path = model_of(data_dir, run)
    try:
        kept = load_result(data_dir, run.id)
    except InputError:
        kept = None
    if kept is None:
        kept = _by_its_model(run, path)
    gone = f"The model file {run.model} is not there any more. Its figures are kept, but it cannot be used."
    return RunResult(replace(kept, model=str(path) if path else ""), "" if path else gone)


def model_of(data_dir: Path, run: RunRecord) -> Path | None:
    """Where the run's model is: where it was put, or in the data folder, which may have been moved meanwhile."""
    if not run.model:
        return None
    put = Path(run.model)
    return next((path for path in (put, data_dir / "models" / put.name) if path.is_file()), None)


def _by_its_model(run: RunRecord, path: Path | None) -> RunFinished:
    """Without the comparison of the day."""
    if path is None:
        raise ModelFileError(
            f"The model file {run.model} is not there any more, and of this run only the curves are kept."
        )
    figures = run.figures
    return RunFinished(
        run=run.id,
        outcome=run.state,
        model=str(path),
        epochs=figures.epochs,
        best_epoch=figures.best_epoch,
        elapsed_s=figures.elapsed_s,
        scores=load_header(path).scores,
    )


@dataclass(frozen=True)
class Trash:
    """Ids of the runs that can go, and what their folders take. One that waits in line, or trains, stays."""

    runs: tuple[str, ...]
    size_bytes: int

    @property
    def question(self) -> str:
        """What is asked before it is emptied."""
        many = len(self.runs) != 1
        runs, their = (f"{len(self.runs):,} runs", "Their") if many else ("1 run", "Its")
        return (
            f"Delete {runs} for good? {their} curves, figures and notes go, and what it takes to go on with "
            f"{'them' if many else 'it'}: {megabytes(self.size_bytes)} become free. "
            f"Models that came of {'them' if many else 'it'} stay. This cannot be undone."
        )


def inspect_trash(store: SampleStore, data_dir: Path) -> Trash:
    """Raises `StoreError`."""
    waiting = {entry.run_id for entry in store.queue.entries()}
    ids = [run.id for run in store.runs.records(in_trash=True) if run.id not in waiting]
    folders = [
        folder for folder in (RunFolder(data_dir, run_id) for run_id in ids) if not folder.lock.is_taken()
    ]
    return Trash(tuple(folder.path.name for folder in folders), sum(f.total_bytes() for f in folders))


def empty_trash(store: SampleStore, data_dir: Path, trash: Trash) -> tuple[str, ...]:
    """Delete those that are still in the trash, folder and record. Gives the ids of those that are gone.

    One whose folder cannot be removed keeps its record. Raises `StoreError`.
    """
    here = {run.id for run in store.runs.records(in_trash=True)}
    gone = [run_id for run_id in trash.runs if run_id in here and RunFolder(data_dir, run_id).remove()]
    store.runs.purge(gone)
    if left := len(here & set(trash.runs)) - len(gone):
        raise StoreError(
            f"{left} of the runs could not be removed from {data_dir / 'runs'}.",
            "See whether a training goes on there, and whether the folder may be written.",
        )
    return tuple(gone)


def megabytes(size_bytes: int) -> str:
    """Such as "3.4 MB"; below a tenth "less than 0.1 MB"."""
    size = size_bytes / 1e6
    return "less than 0.1 MB" if size < 0.1 else f"{size:,.1f} MB" if size < 100 else f"{size:,.0f} MB"
