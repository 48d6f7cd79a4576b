"""What a study costs beside its bare trainings, and what a second worker brings.

Both sides of a row train the same points. Bare trainings run one after the other in one process, as those of a study do; what is
compared is processor time. Workers have one thread each; what is compared is the time from the first trial's start to the last
one's end, so it needs two free cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import Row, alternate, finish

if TYPE_CHECKING:
    from qtdigits.core.run.events import Event
    from qtdigits.core.study import StudySpec

ROUNDS = 2
N_TRIALS, AMOUNT = 4, {"mnist_images": 20_000, "epochs": 4}
"""Fewer trials than the pruner must have seen before it ends one."""
N_OF_WORKERS, AMOUNT_OF_WORKERS = 8, {"mnist_images": 60_000, "epochs": 8}
"""More: a worker's first trial includes the start of TensorFlow."""


def measure() -> list[Row]:
    study, bare = alternate(ROUNDS, "study_cost", ("study",), ("bare",))
    one, two = alternate(ROUNDS, "study_cost", ("workers", "1"), ("workers", "2"))
    return [
        Row(f"{N_TRIALS} trials, processor time", study["s"], bare["s"], "s", "bare trainings", "≤ 1.05"),
        Row(f"{N_OF_WORKERS} trials by one worker", one["s"], two["s"], "s", "by two workers", "≥ 1.8"),
    ]


def child(side: str, workers: str = "1") -> None:
    with tempfile.TemporaryDirectory(prefix="qtdigits-studies-") as folder:
        measured = {"study": _study, "bare": _bare, "workers": _by_workers}[side]
        seconds = measured(Path(folder), int(workers))
    finish(s=seconds)


def _spec(n_trials: int, amount: dict[str, int], pruner: str) -> StudySpec:
    from qtdigits.core.recipe_files import load_recipe
    from qtdigits.core.search import Search
    from qtdigits.core.study import GRID, StudySpec

    search = Search.parse(f"neurons={'|'.join(str(40 + i) for i in range(n_trials))}")
    recipe = load_recipe("mlp-50-50").with_values(**amount)
    return StudySpec(recipe, (search,), sampler=GRID, trials=n_trials, pruner=pruner, use_drawings=False)


def _study(folder: Path, _: int) -> float:
    import optuna  # noqa: F401  importing is not what is measured

    import qtdigits.ml.training  # noqa: F401
    from qtdigits.core.run.control import StudyControl
    from qtdigits.training.studies import work_on
    from qtdigits.training.study_data import with_data
    from qtdigits.training.study_storage import create_or_join

    began = time.process_time()
    stored = create_or_join("bench", with_data(_spec(N_TRIALS, AMOUNT, "median"), folder), data_dir=folder)
    work_on(stored, data_dir=folder, control=StudyControl())
    seconds = time.process_time() - began
    assert stored.summary()["states"]["complete"] == N_TRIALS
    return seconds


def _bare(folder: Path, _: int) -> float:
    import qtdigits.ml.training
    from qtdigits.core.run.control import Control
    from qtdigits.core.run.events import RunFinished
    from qtdigits.training.data_cache import DataCache
    from qtdigits.training.jobs import TrainingJob
    from qtdigits.training.train import train_job

    spec, cache = _spec(N_TRIALS, AMOUNT, "median"), DataCache(keeps_files=True)
    endings: list[Event] = []
    began = time.process_time()
    for point in spec.points():
        job = TrainingJob.new(
            spec.recipe_at(point),
            data_dir=folder,
            out=str(folder / f"{point['neurons']}.h5"),
            use_drawings=False,
        )
        train_job(job, emit=endings.append, control=Control(), cache=cache)
        qtdigits.ml.training.tidy_up()
    seconds = time.process_time() - began
    assert sum(isinstance(event, RunFinished) for event in endings) == N_TRIALS
    return seconds


def _by_workers(folder: Path, workers: int) -> float:
    from qtdigits.training.study_data import with_data
    from qtdigits.training.study_storage import create_or_join

    stored = create_or_join(
        "bench", with_data(_spec(N_OF_WORKERS, AMOUNT_OF_WORKERS, "none"), folder), data_dir=folder
    )
    command: Sequence[str] = (sys.executable, "-m", "qtdigits", "study", "resume", "bench")
    processes = [
        subprocess.Popen([*command, "--data-dir", str(folder)], stdout=subprocess.DEVNULL, env=_one_thread())
        for _ in range(workers)
    ]
    assert [process.wait() for process in processes] == [0] * workers
    trials = stored.slots().values()
    began, ended = (
        min(trial.datetime_start for trial in trials if trial.datetime_start),
        max(trial.datetime_complete for trial in trials if trial.datetime_complete),
    )
    return (ended - began).total_seconds()


def _one_thread() -> dict[str, str]:
    import os

    return {**os.environ, "QTDIGITS_THREADS": "1"}


if __name__ == "__main__":
    child(*sys.argv[1:])
