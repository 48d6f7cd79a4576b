"""The one place that knows how each kind of job is run: all report as events and end with exactly one ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtdigits.core.formatting import duration
from qtdigits.core.run.control import Control, StudyControl
from qtdigits.core.run.events import (
    BatchEnded,
    Event,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobProgress,
    Notice,
    RunContinued,
    RunPaused,
    RunStarted,
)
from qtdigits.errors import InputError
from qtdigits.training.data_cache import DataCache
from qtdigits.training.jobs import (
    Job,
    LabelReviewJob,
    ModelUpgradeJob,
    StudyJob,
    TrainingJob,
    WriterMatrixJob,
    run_to_ending,
)

SAY_EVERY_S = 2.0
"""How often a study says how far its training is."""


def run_job(
    job: Job, *, emit: Callable[[Event], None], control: Control, cache: DataCache | None = None
) -> None:
    """Never raises, whatever happens; the trace of what nobody expected goes to stderr."""
    cache = cache or DataCache()
    if isinstance(job, TrainingJob):
        from qtdigits.training.train import train_job

        train_job(job, emit=emit, control=control, cache=cache)
        return
    running = _Running(job, emit, control, cache)
    ending = run_to_ending(
        lambda: JobFinished(job.id, job.kind, _result_of(running)),
        cancelled=lambda: JobCancelled(job.id, job.kind),
        failed=lambda error: JobFailed.of(job.id, job.kind, error),
    )
    emit(ending)


@dataclass(frozen=True, eq=False)
class _Running:
    job: LabelReviewJob | WriterMatrixJob | ModelUpgradeJob | StudyJob
    emit: Callable[[Event], None]
    control: Control
    cache: DataCache

    def progress(self, what: str, done: int = 0, total: int = 0) -> None:
        self.emit(JobProgress(self.job.id, self.job.kind, what, done, total))


def _result_of(running: _Running) -> dict[str, Any]:
    match running.job:
        case LabelReviewJob():
            return _review_labels(running, running.job)
        case WriterMatrixJob():
            return _measure_writers(running, running.job)
        case ModelUpgradeJob():
            return _upgrade_model(running, running.job)
        case StudyJob():
            return _work_on_study(running, running.job)


def _review_labels(running: _Running, job: LabelReviewJob) -> dict[str, Any]:
    from qtdigits.store.tables.samples import SampleStore
    from qtdigits.training.label_review import review

    with SampleStore.open(Path(job.data_dir)) as store:
        found = review(
            store,
            running.control,
            writer=job.writer or None,
            progress=running.progress,
        )
        return {"n": found.n, "waiting": len(found.doubted)}


def _measure_writers(running: _Running, job: WriterMatrixJob) -> dict[str, Any]:
    from qtdigits.training.writer_matrix import stored_writer_matrix

    found = stored_writer_matrix(
        Path(job.data_dir),
        model=Path(job.model),
        cache=running.cache,
        control=running.control,
        progress=running.progress,
    )
    return {"matrix": found.to_json()}


def _upgrade_model(running: _Running, job: ModelUpgradeJob) -> dict[str, Any]:
    from qtdigits.training.model_upgrade import upgrade_model

    return {"has_embedding": upgrade_model(Path(job.model), Path(job.data_dir), running.control)}


def _work_on_study(running: _Running, job: StudyJob) -> dict[str, Any]:
    """Of the trainings' events the notices are passed on, and that one waits or continues; the others become progress."""
    from qtdigits.core.study import StudySpec
    from qtdigits.training.studies import work_on
    from qtdigits.training.study_data import with_data
    from qtdigits.training.study_storage import create_or_join, open_study

    data_dir, n_epochs, said_at_s = Path(job.data_dir), 0, 0.0
    told: set[str] = set()
    stored = open_study(job.name, data_dir=data_dir)
    if stored is None and job.spec:
        spec = with_data(StudySpec.from_json(job.spec), data_dir)
        stored = create_or_join(job.name, spec, data_dir=data_dir)
    if stored is None:
        raise InputError(f"There is no study {job.name!r}.", "Begin it anew.")

    def on_event(event: Event) -> None:
        nonlocal n_epochs, said_at_s
        match event:
            case RunStarted():
                n_epochs, said_at_s = event.epochs, -SAY_EVERY_S
                running.progress(f"epoch 1 of {n_epochs}")
            case BatchEnded() if event.elapsed_s >= said_at_s + SAY_EVERY_S and event.remaining_s:
                said_at_s = event.elapsed_s
                left = duration(event.remaining_s)
                running.progress(f"epoch {event.epoch} of {n_epochs}, {left} left")
            case Notice(message=message) if message in told:
                pass  # each trial says it again
            case Notice() | RunPaused() | RunContinued():
                told.add(getattr(event, "message", ""))
                running.emit(event)

    control = running.control
    assert isinstance(control, StudyControl)
    work_on(stored, data_dir=data_dir, control=control, on_event=on_event)
    control.raise_if_cancelled()
    return {}
