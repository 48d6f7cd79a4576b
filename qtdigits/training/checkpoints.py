"""Where a run stands, on the disk: written down while it trains, taken up when it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from qtdigits.core.model import Model
from qtdigits.core.run.checkpoints import Checkpoint, DataFingerprint, data_changes
from qtdigits.core.run.history import History
from qtdigits.errors import DataChangedError, InputError, StoreError, TrainingError
from qtdigits.store.run_files import RunFolder, taken
from qtdigits.training.gather import TrainingInputs
from qtdigits.training.jobs import TrainingJob

MOST_TIME = 0.02
"""Part of a training's time that is spent on writing checkpoints that may be left out, at most."""


class RunCheckpoints:
    """The folder of the run that goes on in this process, and the `core.run.checkpoints.CheckpointWriter` of its checkpoints.

    A run whose folder cannot be written trains all the same; `notice` is told once.
    """

    def __init__(
        self,
        request: TrainingJob,
        *,
        notice: Callable[[str], None],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._folder = RunFolder(Path(request.data_dir), request.id)
        self._notice = notice
        self._clock = clock
        self._next_at = clock()
        self._has_complained = False
        self._facts: Mapping[str, Any] = {}
        self._history = History()

    def claim(self, request: TrainingJob) -> None:
        """Keep other processes from the run. Raises `StoreError` when one is at it."""
        try:
            is_mine = self._folder.lock.acquire()
        except StoreError as error:
            self._complain(error)
            return
        if not is_mine:
            raise taken(request.id)

    def write_request(self, request: TrainingJob) -> None:
        with self._complaining():
            self._folder.write_request(request.to_json())

    def begin(self, request: TrainingJob) -> Checkpoint | None:
        """Where a run that goes on stands; None when it begins, or begins anew because nothing of it was kept."""
        if not request.resumes:
            return None
        kept = self._folder.latest()
        if kept is None and request.stages:
            raise TrainingError(
                f"What was kept of the run {request.id} cannot be read any more.",
                "Train by the same recipe, with more epochs, anew.",
            )
        if kept is None:
            self._notice("Nothing that could be gone on from was kept of this run: it begins anew.")
        return kept

    def check(
        self, kept: Checkpoint | None, gathered: TrainingInputs, models: Sequence[Model], history: History
    ) -> DataFingerprint:
        """Remember what is trained on and which models are learned from, and say it.

        Raises `DataChangedError` when they are not what they were at the checkpoint.
        """
        data = gathered.data
        mark = DataFingerprint.of(
            gathered.records,
            gathered.label_set.labels,
            (data.targets, data.training, data.validation, data.remembered),
            base=" ".join(dict.fromkeys(model.weights_sha256 for model in models)),
        )
        if kept is not None and (changed := data_changes(_mark_of(kept), mark)):
            raise DataChangedError(
                f"The run cannot go on: its data has changed ({'; '.join(changed)}).",
                "Train by the same recipe anew, or put the data back as it was.",
            )
        self._facts = {"data": mark.to_json(), "newest_sample": gathered.newest_sample}
        self._history = history
        return mark

    def check_libraries(self, kept: Checkpoint | None, libraries: Mapping[str, str]) -> None:
        self._facts = {**self._facts, "libraries": dict(libraries)}
        if kept is not None and kept.facts.get("libraries") != dict(libraries):
            self._notice(
                "The libraries are of other versions than when this run began: "
                "it goes on, but not to the last bit as it would have."
            )

    @property
    def is_due(self) -> bool:
        return self._clock() >= self._next_at

    def keep(self, checkpoint: Checkpoint) -> None:
        began = self._clock()
        with self._complaining():
            self._folder.write(replace(checkpoint, history=self._history, facts=self._facts))
        now = self._clock()
        self._next_at = now + (now - began) / MOST_TIME

    def end(self) -> None:
        """The run has ended, or goes on another time."""
        self._folder.lock.release()
        self._folder.remove_if_empty()

    def trim(self) -> None:
        self._folder.trim()

    def _complaining(self) -> _Complaining:
        return _Complaining(self._complain)

    def _complain(self, error: StoreError) -> None:
        if not self._has_complained:
            self._has_complained = True
            self._notice(f"This run could not go on after an interruption: {error.message} It trains on.")


class _Complaining:
    """Tells of a `StoreError` instead of ending the run with it."""

    def __init__(self, complain: Callable[[StoreError], None]) -> None:
        self._complain = complain

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if isinstance(error, StoreError):
            self._complain(error)
            return True
        return False


def last_sample_id(kept: Checkpoint | None) -> int:
    with suppress(KeyError, TypeError, ValueError):
        return int(kept.facts["newest_sample"]) if kept is not None else 0
    return 0


def _mark_of(kept: Checkpoint) -> DataFingerprint:
    try:
        return DataFingerprint.from_json(kept.facts["data"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("What was kept of this run is damaged.", "Train by the same recipe anew.") from error
