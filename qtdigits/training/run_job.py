"""How the engine runs errands: like a training, each tells what it does as events, and ends with exactly one of three."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtdigits.core.run.control import Control
from qtdigits.core.run.events import (
    ErrandCancelled,
    ErrandFailed,
    ErrandFinished,
    ErrandProgressed,
    Event,
)
from qtdigits.training.data_cache import DataCache
from qtdigits.training.jobs import CheckLabels, Errand, MeasureWriters, run_to_ending


def run_errand(
    errand: Errand, *, emit: Callable[[Event], None], control: Control, cache: DataCache | None = None
) -> None:
    """Never raises, whatever happens; the trace of what nobody expected goes to stderr."""
    name = errand.errand
    running = _Running(errand, emit, control, cache or DataCache())
    ending = run_to_ending(
        lambda: ErrandFinished(name, _result_of(running)),
        cancelled=lambda: ErrandCancelled(name),
        failed=lambda error: ErrandFailed.of(name, error),
    )
    emit(ending)


@dataclass(frozen=True, eq=False)
class _Running:
    errand: Errand
    emit: Callable[[Event], None]
    control: Control
    cache: DataCache

    def progress(self, what: str, done: int = 0, total: int = 0) -> None:
        self.emit(ErrandProgressed(self.errand.errand, what, done, total))


def _result_of(running: _Running) -> dict[str, Any]:
    match running.errand:
        case CheckLabels():
            return _check_labels(running, running.errand)
        case MeasureWriters():
            return _measure_writers(running, running.errand)


def _check_labels(running: _Running, errand: CheckLabels) -> dict[str, Any]:
    from qtdigits.store.tables.samples import SampleStore
    from qtdigits.training.label_review import review

    with SampleStore.open(Path(errand.data_dir)) as store:
        found = review(
            store,
            running.cache.witness(),
            running.control,
            writer=errand.writer or None,
            progress=running.progress,
        )
        return {"n": found.n, "waiting": len(found.doubted)}


def _measure_writers(running: _Running, errand: MeasureWriters) -> dict[str, Any]:
    from qtdigits.training.writer_matrix import stored_writer_matrix

    found = stored_writer_matrix(
        Path(errand.data_dir),
        model=Path(errand.model),
        cache=running.cache,
        control=running.control,
        progress=running.progress,
    )
    return {"matrix": found.to_json()}
