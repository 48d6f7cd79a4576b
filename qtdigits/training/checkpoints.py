"""Checkpoints of a run on disk: written while it trains, read when it is resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from qtdigits.core.model import Model
from qtdigits.core.run.checkpoints import Checkpoint, DataFingerprint, data_changes
from qtdigits.core.run.history import History
from qtdigits.errors import DataChangedError, InputError, StoreError, TrainingError
from qtdigits.store.run_files import RunFolder, in_use_error
from qtdigits.training.gather import TrainingInputs
from qtdigits.training.jobs import TrainingJob

MOST_TIME = 0.02
"""Largest part of a training's time for writing checkpoints that may be left out."""


class RunCheckpoints:
    """The folder of a run in this process, and the `core.run.checkpoints.CheckpointWriter` of its checkpoints.

    A run whose folder cannot be written trains all the same; `notice` is called once.
    """

    def __init__(
        self,
        job: TrainingJob,
        *,
        notice: Callable[[str], None],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._run = job.id
        self._folder = RunFolder(Path(job.data_dir), job.id)
        self._notice = notice
        self._clock = clock
        self._next_at = clock()
        self._has_reported = False
        self._facts: Mapping[str, Any] = {}
        self._history = History()

    def claim(self) -> None:
        """Keep other processes from the run. Raises `StoreError` when one is training it."""
        is_mine = True
        with self._reporting_errors():
            is_mine = self._folder.lock.acquire()
        if not is_mine:
            raise in_use_error(self._run)

    def write_job(self, job: TrainingJob) -> None:
        """Write down the job, from which the run can be resumed."""
        with self._reporting_errors():
            self._folder.write_request(job.to_json())

    def latest(self, job: TrainingJob) -> Checkpoint | None:
        """Return the checkpoint that a resumed run continues from, None for a new run or where there is none."""
        if not job.resumes:
            return None
        checkpoint = self._folder.latest_checkpoint()
        if checkpoint is None and job.stages:
            raise TrainingError(
                f"The checkpoints of the run {self._run} cannot be read any more.",
                "Train with the same recipe and more epochs again.",
            )
        if checkpoint is None:
            self._notice("This run has no checkpoint that can be read: it starts again from the beginning.")
        return checkpoint

    def check(
        self,
        checkpoint: Checkpoint | None,
        inputs: TrainingInputs,
        models: Sequence[Model],
        history: History,
    ) -> DataFingerprint:
        """Return the fingerprint of the data and of the models that are learned from; it goes into later checkpoints.

        Raises `DataChangedError` when it is not that of `checkpoint`.
        """
        data = inputs.data
        fingerprint = DataFingerprint.of(
            inputs.records,
            inputs.label_set.ids,  # a class may be renamed while a run waits
            # runs without a second head were interrupted before there was one
            (
                data.targets,
                data.training,
                data.validation,
                data.remembered,
                *([data.characters] if len(data.characters) else []),
            ),
            base=" ".join(dict.fromkeys(model.weights_sha256 for model in models)),
        )
        if checkpoint is not None and (changed := data_changes(_fingerprint_of(checkpoint), fingerprint)):
            raise DataChangedError(
                f"The run cannot be resumed: its data has changed ({'; '.join(changed)}).",
                "Train with the same recipe again, or restore the data.",
            )
        self._facts = {"data": fingerprint.to_json(), "newest_sample": inputs.newest_sample}
        self._history = history
        return fingerprint

    def check_libraries(self, checkpoint: Checkpoint | None, libraries: Mapping[str, str]) -> None:
        """Give notice when the libraries are not those of `checkpoint`; their versions go into later checkpoints."""
        self._facts = {**self._facts, "libraries": dict(libraries)}
        if checkpoint is not None and checkpoint.facts.get("libraries") != dict(libraries):
            self._notice(
                "This run began with other versions of the libraries. It is resumed, but its weights will not be "
                "exactly those of an uninterrupted run."
            )

    @property
    def is_due(self) -> bool:
        return self._clock() >= self._next_at

    def write(self, checkpoint: Checkpoint) -> None:
        began = self._clock()
        with self._reporting_errors():
            self._folder.write_checkpoint(replace(checkpoint, history=self._history, facts=self._facts))
        now = self._clock()
        self._next_at = now + (now - began) / MOST_TIME

    def trim(self) -> None:
        """Keep one checkpoint, which is enough to extend the run."""
        self._folder.trim_checkpoints()

    def end(self) -> None:
        """Release the run."""
        self._folder.lock.release()
        self._folder.remove_if_empty()

    @contextmanager
    def _reporting_errors(self) -> Iterator[None]:
        """Give notice of the first `StoreError` instead of ending the run with it."""
        try:
            yield
        except StoreError as error:
            if not self._has_reported:
                self._has_reported = True
                self._notice(
                    f"This run cannot be resumed after an interruption: {error.message} It trains on."
                )


def last_sample_id(checkpoint: Checkpoint) -> int:
    """Return the highest id of the drawings that the run has read, 0 if unknown."""
    with suppress(KeyError, TypeError, ValueError):
        return int(checkpoint.facts["newest_sample"])
    return 0


def _fingerprint_of(checkpoint: Checkpoint) -> DataFingerprint:
    try:
        return DataFingerprint.from_json(checkpoint.facts["data"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            "The checkpoint of this run is damaged.", "Train with the same recipe again."
        ) from error
