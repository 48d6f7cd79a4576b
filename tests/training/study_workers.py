"""Workers on a study whose trainings take no time: `python -m tests.training.study_workers NAME DATA_DIR URL [POINT]`.

A worker says "ready", works when it is told to by a line, and says the number of each trial that has ended. It kills itself at
POINT, which is "epoch" (in the middle of a training) or "asked" (before a training has begun).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from qtdigits.core.run.control import Control, StudyControl
from qtdigits.core.run.events import EpochEnded, Event, RunCancelled, RunFailed, RunFinished, RunStarted
from qtdigits.training import train
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.studies import work_on
from qtdigits.training.study_storage import open_study

HEARTBEAT_S = 1


def train_at_once(
    job: TrainingJob, *, emit: Callable[[Event], None], control: Control, cache: object = None
) -> None:
    """As `train_job`: more neurons are better, 13 of them fail. After each epoch a file seems to be read the other way round."""
    recipe = job.recipe
    correct = min(recipe.network.dense[0].neurons, 100)
    emit(RunStarted(job.id, recipe.to_json(), (), {}, 100, 100, 1, recipe.epochs, 1))
    for epoch in range(1, recipe.epochs + 1):
        if control.is_cancelled:
            emit(RunCancelled(job.id, control.is_interrupted))
            return
        watched = 1 - correct / 100 if job.watches_file else None
        emit(EpochEnded(job.id, epoch, epoch, 1, 1, 1, correct / 100, True, 1, 1, hold_out_accuracy=watched))
    if correct == 13:
        emit(RunFailed(job.id, "training", "It does not train.", "Try another number."))
        return
    Path(job.out).write_bytes(b"a model")
    names = ["validation", *(Path(file).name.partition(".")[0] for file in job.score_on)]
    scores = {name: {"n": 100, "correct": correct} for name in names}
    emit(RunFinished(job.id, "completed", job.out, recipe.epochs, 1, 1.0, scores))


def main(name: str, data_dir: str, url: str, point: str = "") -> None:
    def reach(event: Event) -> None:
        if isinstance(event, {"epoch": EpochEnded, "asked": RunStarted}.get(point, ())):
            os.kill(os.getpid(), signal.SIGKILL)

    train.train_job = train_at_once
    stored = open_study(name, data_dir=Path(data_dir), url=url, heartbeat_s=HEARTBEAT_S)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    work_on(
        stored,
        data_dir=Path(data_dir),
        control=StudyControl(),
        on_event=reach,
        on_trial=lambda trial: print(trial.number, flush=True),  # noqa: T201
        url=url,
        poll_s=0.1,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
