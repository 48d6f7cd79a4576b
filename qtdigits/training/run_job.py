"""The one place that knows how each kind of job is run: all report as events and end with exactly one ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Event, JobCancelled, JobFailed, JobFinished, JobProgress
from qtdigits.training.data_cache import DataCache
from qtdigits.training.jobs import (
    Job,
    LabelReviewJob,
    ModelUpgradeJob,
    TrainingJob,
    WriterMatrixJob,
    run_to_ending,
)


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
    job: LabelReviewJob | WriterMatrixJob | ModelUpgradeJob
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
