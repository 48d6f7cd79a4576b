"""The result of a run that was made before, put together from what is left of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from qtdigits.core.run.events import RunFinished
from qtdigits.errors import InputError, ModelFileError
from qtdigits.store.model.model_files import load_header
from qtdigits.store.run.run_results import load_result
from qtdigits.store.tables.runs import RunRecord


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
