"""Earlier runs: resume and extend them, their results, and their trash."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from qtdigits.core.formatting import counted
from qtdigits.core.run.events import RunFinished
from qtdigits.errors import InputError, ModelFileError, StoreError
from qtdigits.paths import studies_dir
from qtdigits.store.model_files import load_header
from qtdigits.store.run_files import RunFolder, in_use_error
from qtdigits.store.tables.runs import CANCELLED, INTERRUPTED, RUNNING, RunRecord, RunTable
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob

UNFINISHED = frozenset({RUNNING, INTERRUPTED, CANCELLED, "stopped", "failed"})
"""States of runs that can be resumed as they were planned."""

EXTENDABLE = frozenset({"completed", "converged", "stopped"})


def is_running(data_dir: Path, run: RunRecord) -> bool:
    """Whether a process is training it. A run that is "running" without a process was interrupted."""
    return run.state == RUNNING and RunFolder(data_dir, run.id).lock.is_taken()


def with_current_state(data_dir: Path, run: RunRecord) -> RunRecord:
    """Return the run with its actual state: "running" only while a process is training it."""
    if run.state != RUNNING or is_running(data_dir, run):
        return run
    return replace(run, state=INTERRUPTED)


def is_any_running(runs: RunTable, data_dir: Path) -> bool:
    """Whether a process is training in this data folder. Raises `StoreError`."""
    return any(is_running(data_dir, run) for run in runs.running())


def can_be_resumed(data_dir: Path, run: RunRecord) -> bool:
    """Whether the run is unfinished, can be resumed, and is not being trained."""
    folder = RunFolder(data_dir, run.id)
    return run.state in UNFINISHED and folder.has_request and not folder.lock.is_taken()


def interrupted_run(store: SampleStore, data_dir: Path) -> RunRecord | None:
    """Return the newest run if it was interrupted and can be resumed, and is not queued. Raises `StoreError`.

    A trial of a study is resumed with its study.
    """
    newest = next(iter(store.runs.records(most=1)), None)
    if newest is None or with_current_state(data_dir, newest).state != INTERRUPTED:
        return None
    is_queued = any(entry.run_id == newest.id for entry in store.queue.entries())
    if is_queued or not can_be_resumed(data_dir, newest):
        return None
    with suppress(InputError):  # a request that cannot be read is reported when the run is resumed
        out = Path(str(RunFolder(data_dir, newest.id).request().get("out", "")))
        if studies_dir(data_dir).absolute() in out.absolute().parents:
            return None
    return newest


def can_be_extended(data_dir: Path, run: RunRecord) -> bool:
    """Whether the run has ended, has a checkpoint, and is not being trained."""
    folder = RunFolder(data_dir, run.id)
    return run.state in EXTENDABLE and folder.has_checkpoint and not folder.lock.is_taken()


def resumed(data_dir: Path, run: RunRecord, *, champion: str = "") -> TrainingJob:
    """Return the job that resumes an unfinished run as it was planned. Raises `InputError` and `StoreError`."""
    request = _request_of(data_dir, run)
    if run.state not in UNFINISHED:
        raise InputError(
            f"The run {run.id} has ended ({run.state}).",
            "Give a number of epochs to extend it by, such as --more-epochs 5.",
        )
    return replace(request, resumes=True, champion=champion)


def extended(data_dir: Path, run: RunRecord, more_epochs: int, *, champion: str = "") -> TrainingJob:
    """Return the job that extends an ended run by `more_epochs`; it stores a new model, unless the run's job named a file.

    Raises `InputError` and `StoreError`.
    """
    request = _request_of(data_dir, run)
    if run.state not in EXTENDABLE:
        raise InputError(f"The run {run.id} has not ended ({run.state}).", "Resume it, or train a new one.")
    kept = RunFolder(data_dir, run.id).latest_checkpoint()
    if kept is None:
        raise InputError(
            f"The run {run.id} has no checkpoint any more.",
            "Train with the same recipe and more epochs again.",
        )
    stages = request.stages or ((0, request.recipe.epochs),)
    recipe = request.recipe.with_values(epochs=kept.epochs + more_epochs)
    stages = (*stages, (kept.epochs, recipe.epochs))
    return replace(request, resumes=True, recipe=recipe, stages=stages, champion=champion)


def _request_of(data_dir: Path, run: RunRecord) -> TrainingJob:
    folder = RunFolder(data_dir, run.id)
    if folder.lock.is_taken():
        raise in_use_error(run.id)
    # The data folder may have been moved meanwhile.
    return replace(TrainingJob.from_json(folder.request()), data_dir=str(data_dir))


@dataclass(frozen=True, eq=False)
class RunResult:
    """The ending of a run. `finished.model` is the model's current path, "" when its file is missing, as `problem` says then."""

    finished: RunFinished
    problem: str = ""


def result_of(data_dir: Path, run: RunRecord) -> RunResult:
    """Return the stored result of a run; for a run from before results were stored, that of its model.

    Raises `InputError` and `ModelFileError` when neither can be read.
    """
    path = model_of(data_dir, run)
    try:
        kept = RunFolder(data_dir, run.id).result()
    except InputError:
        kept = None
    if kept is None:
        kept = _by_its_model(run, path)
    gone = f"The model file {run.model} is missing. Its figures are stored, but it cannot be used."
    return RunResult(replace(kept, model=str(path) if path else ""), "" if path else gone)


def model_of(data_dir: Path, run: RunRecord) -> Path | None:
    """Return the path of the run's model: the recorded one, or in the data folder, which may have been moved."""
    if not run.model:
        return None
    recorded = Path(run.model)
    return next((path for path in (recorded, data_dir / "models" / recorded.name) if path.is_file()), None)


def _by_its_model(run: RunRecord, path: Path | None) -> RunFinished:
    """Return a result from the model's scores, without a comparison."""
    if path is None:
        raise ModelFileError(
            f"The model file {run.model} is missing, and of this run only the curves are stored."
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
    """Ids of the runs that can be deleted, and the size of their folders. Queued and running ones are not among them."""

    runs: tuple[str, ...]
    size_bytes: int

    @property
    def question(self) -> str:
        """The question before it is emptied."""
        return (
            f"Delete {counted(len(self.runs), 'run')} for good, with curves, figures, notes and checkpoints? "
            f"This frees {megabytes(self.size_bytes)}. The trained models stay. This cannot be undone."
        )


def inspect_trash(store: SampleStore, data_dir: Path) -> Trash:
    """Return what can be deleted. Raises `StoreError`."""
    queued = {entry.run_id for entry in store.queue.entries()}
    ids = [run.id for run in store.runs.records(in_trash=True) if run.id not in queued]
    folders = [
        folder for folder in (RunFolder(data_dir, run_id) for run_id in ids) if not folder.lock.is_taken()
    ]
    return Trash(tuple(folder.path.name for folder in folders), sum(f.total_bytes() for f in folders))


def empty_trash(store: SampleStore, data_dir: Path, trash: Trash) -> tuple[str, ...]:
    """Delete folders and records of the runs that are still in the trash, and return their ids.

    A run whose folder cannot be removed keeps its record. Raises `StoreError`.
    """
    here = {run.id for run in store.runs.records(in_trash=True)}
    gone = [run_id for run_id in trash.runs if run_id in here and RunFolder(data_dir, run_id).remove()]
    store.runs.purge(gone)
    if left := len(here & set(trash.runs)) - len(gone):
        raise StoreError(
            f"{left} of the runs could not be removed from {data_dir / 'runs'}.",
            "Check that no training is running there and that the folder can be written.",
        )
    return tuple(gone)


def megabytes(size_bytes: int) -> str:
    """Format a size, such as "3.4 MB"; below a tenth "less than 0.1 MB"."""
    size = size_bytes / 1e6
    return "less than 0.1 MB" if size < 0.1 else f"{size:,.1f} MB" if size < 100 else f"{size:,.0f} MB"
