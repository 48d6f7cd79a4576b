"""The work on a study: one process that trains trial after trial, beside any number of others.

Every trial is a run like any other: recorded, with checkpoints, resumable. A hopeless one is a cancelled run in the trash. An
interrupted one is resumed from its checkpoint where that is, and trained again on any other machine.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import TYPE_CHECKING

from qtdigits.core.drawing.samples import MY_HOLD_OUT
from qtdigits.core.drawing.samples import VALIDATION as VALIDATION_PART
from qtdigits.core.model import Model
from qtdigits.core.recipe import Value
from qtdigits.core.run.control import StudyControl
from qtdigits.core.run.events import EpochEnded, Event, RunCancelled, RunFailed, RunFinished
from qtdigits.core.search import CORRECTIONS, READING_FIELDS, Point, Search
from qtdigits.core.study import HOLD_OUT, NO_PRUNER, TIME, Figures
from qtdigits.errors import CancelledError, QtDigitsError, TrainingError
from qtdigits.reader import Reader
from qtdigits.store.data.datasets import read_dataset
from qtdigits.store.files import make_folder
from qtdigits.store.library import ModelLibrary
from qtdigits.store.locks import ProcessLock
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.data_cache import DataCache
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.runs import can_be_resumed, model_of, result_of, resumed, with_current_state
from qtdigits.training.study_data import checked_data
from qtdigits.training.study_scoring import Drawings
from qtdigits.training.study_storage import (
    ERROR,
    FIGURES,
    RUNS,
    SLOT,
    StoredStudy,
    reporting,
    runs_of,
)

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

MOST_FAILURES = 3
"""After so many failed trainings in a row something else than the points is wrong."""
N_READINGS = 200
"""Single readings of which the median is the reading time."""
POLL_S = 0.01


class _NotNeededError(Exception):
    """Another worker has taken the last trial, or the same one."""


class _TrialFailedError(Exception):
    """A training failed; the study goes on."""


def work_on(
    stored: StoredStudy,
    *,
    data_dir: Path,
    control: StudyControl,
    on_event: Callable[[Event], None] = lambda event: None,
    on_trial: Callable[[FrozenTrial], None] = lambda trial: None,
    url: str = "",
    poll_s: float = 1.0,
) -> None:
    """Train until every trial of the study has ended, also those of workers that die meanwhile.

    `on_trial` is called when one has ended here. Returns early when an end is asked for. Raises `TrainingError` when trainings
    fail one after the other, `InputError` for data that is not that of the study, and `StoreError`.
    """
    worker = _Worker(stored, data_dir, control, on_event)
    with reporting(url):
        while not control.is_stopping:
            control.wait_while_paused()
            states = {slot: stored.state_of(trial) for slot, trial in worker.current_slots().items()}
            if "waiting" in states.values():
                worker.take_one()
                if worker.trial is not None:
                    on_trial(worker.trial)
            elif "running" in states.values():
                control.wait(poll_s)
            else:
                return


class _Worker:
    def __init__(
        self, stored: StoredStudy, data_dir: Path, control: StudyControl, on_event: Callable[[Event], None]
    ) -> None:
        self._stored, self._study = stored, stored.study
        self._data_dir, self._control, self._on_event = data_dir, control, on_event
        self._load = ModelLibrary(data_dir).load
        self._cache = DataCache(keeps_files=True)
        self._spec = checked_data(stored.spec, data_dir)
        self._asking = ProcessLock(stored.folder / "locks" / "asking")
        self._lock = stored.lock_of(0)
        self._number: int | None = None
        self._failures: list[QtDigitsError] = []
        self._drawings: Drawings | None = None
        if self._spec.reads_itself:
            file = Path(self._spec.objective)
            dataset = read_dataset(file).with_default_writer("")
            has_corrections = any(one.name == CORRECTIONS for one in self._spec.search)
            self._drawings = Drawings(
                dataset, has_corrections=has_corrections, folder=stored.folder / "corrections"
            )

    def current_slots(self) -> dict[int, FrozenTrial]:
        """Return the trial of each slot, after those of dead workers were handed on.

        A database's heartbeat tells who is dead; here the locks of their trials do.
        """
        import optuna

        with self._only_one_asking():
            if not self._stored.is_local:
                with _without_warnings():
                    optuna.storages.fail_stale_trials(self._study)
            slots = self._stored.slots()
            for trial in slots.values() if self._stored.is_local else ():
                if trial.state.name == "RUNNING" and not self._stored.lock_of(trial.number).is_taken():
                    self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            if not any(trial.state.name == "WAITING" for trial in slots.values()):
                for trial in self._stored.slots().values():
                    if trial.state.name == "FAIL" and ERROR not in trial.user_attrs:
                        self._stored.retry(trial)
            return self._stored.slots()

    @property
    def trial(self) -> FrozenTrial | None:
        """The last trial of this worker, if that trial counts."""
        if self._number is None:
            return None
        return self._study.get_trials(deepcopy=False)[self._number]

    def take_one(self) -> None:
        """Train the next trial that waits. Raises `TrainingError` for the last of `MOST_FAILURES` in a row."""
        self._number = None
        try:
            with self._only_one_asking():
                self._study.optimize(self._objective, n_trials=1, catch=(_TrialFailedError, _NotNeededError))
        except KeyboardInterrupt:
            self._control.interrupt()
        finally:
            self._lock.release()  # not before the storage has the result
        if len(self._failures) >= MOST_FAILURES:
            raise TrainingError(
                f"{MOST_FAILURES} trainings failed, one after the other. The last: {self._failures[-1].message}",
                self._failures[-1].remedy,
            )

    def _objective(self, trial: Trial) -> float | tuple[float, float]:
        import optuna

        if self._stored.is_local:
            self._lock = self._stored.lock_of(trial.number)
            self._lock.acquire()
            self._asking.release()
        try:
            slot = trial.user_attrs.get(SLOT)
            if slot is None or self._stored.slots()[slot].number != trial.number:
                raise _NotNeededError
            self._number = trial.number
            point = {one.name: _suggested(trial, one) for one in self._spec.search}
            figures = self._figures(trial, point)
        except CancelledError:
            raise KeyboardInterrupt from None
        except QtDigitsError as error:
            self._failures.append(error)
            trial.set_user_attr(ERROR, str(error))
            raise _TrialFailedError from error
        except optuna.TrialPruned:
            self._failures.clear()
            raise
        self._failures.clear()
        trial.set_user_attr(FIGURES, figures.to_json())
        return figures.value if figures.second is None else (figures.value, figures.second)

    def _figures(self, trial: Trial, point: dict[str, Value]) -> Figures:
        spec, read, models = self._spec, [], []
        for number in range(1 if spec.model else spec.seeds):
            if spec.model:
                finished = None
                model = Path(spec.model)
            else:
                finished = self._shared_result(trial, point, number) or self._trained(trial, point, number)
                model = Path(finished.model)
            self._control.raise_if_cancelled()
            if self._drawings is not None:
                read.append(self._drawings.read(model, point, load=self._load))
            elif finished is not None:
                read.append(self._score(finished))
            models.append(model)
        second = [
            _reading_ms(self._load(m)) if spec.second == TIME else float(m.stat().st_size)
            for m in models
            if spec.second
        ]
        runs = tuple(runs_of(trial).values())  # type: ignore[arg-type]
        correct = tuple(correct for _, correct in read)
        return Figures(
            read[0][0], correct, runs, tuple(map(str, models)), sum(second) / len(second) if second else None
        )

    def _score(self, finished: RunFinished) -> tuple[int, int]:
        name = {HOLD_OUT: MY_HOLD_OUT}.get(self._spec.objective, VALIDATION_PART)
        if self._spec.has_file:
            name = Path(self._spec.objective).name.partition(".")[0]
        return int(finished.scores[name]["n"]), int(finished.scores[name]["correct"])

    def _shared_result(self, trial: Trial, point: Point, number: int) -> RunFinished | None:
        """Return the same training by another trial here, which differs at most in what its model is read with.

        One that another worker of this machine has begun is waited for.
        """

        def trained_by(params: Point) -> Point:
            of_reading = READING_FIELDS.keys() - ({"scaling"} if params.get(CORRECTIONS) else set())
            return {name: value for name, value in params.items() if name not in of_reading}

        while True:
            is_begun = False
            for other in self._study.get_trials(deepcopy=False):
                run = runs_of(other).get(str(number))
                is_alike = other.number != trial.number and trained_by(other.params) == trained_by(point)
                if run and is_alike and (found := self._result(run)):
                    trial.set_user_attr(RUNS, {**runs_of(trial), str(number): run})  # type: ignore[arg-type]
                    return found
                is_earlier = is_alike and other.number < trial.number  # or two would wait for each other
                is_begun |= is_earlier and self._stored.state_of(other) == "running" and self._is_here(other)
            if not is_begun:
                return None
            self._control.wait(1)
            self._control.raise_if_cancelled()

    def _is_here(self, trial: FrozenTrial) -> bool:
        """Return whether a worker of this machine trains the trial."""
        with SampleStore.open(self._data_dir) as store:
            return any(store.runs.get(run) is not None for run in runs_of(trial).values())

    def _result(self, run_id: str) -> RunFinished | None:
        """Return the result of a run that has ended on this machine and has its model, else None."""
        with SampleStore.open(self._data_dir) as store:
            run = store.runs.get(run_id)
        if run is None or not run.model or model_of(self._data_dir, run) is None:
            return None
        return result_of(self._data_dir, run).finished

    def _trained(self, trial: Trial, point: Point, number: int) -> RunFinished:
        """Train a point with a seed, resume the training where it was interrupted, or return its result if it has one."""
        runs = runs_of(trial)  # type: ignore[arg-type]
        job = self._job(trial, point, number)
        if earlier := runs.get(str(number)):
            if found := self._result(earlier):
                return found
            with SampleStore.open(self._data_dir) as store:
                run = store.runs.get(earlier)
            if run is not None and can_be_resumed(self._data_dir, run):
                job = resumed(self._data_dir, with_current_state(self._data_dir, run))
        trial.set_user_attr(RUNS, {**runs, str(number): job.id})
        return self._run(trial, job, is_reported=number == 0)

    def _job(self, trial: Trial, point: Point, number: int) -> TrainingJob:
        spec, models = self._spec, self._stored.folder / "models"
        # The drawings are partly trained on when there are corrections.
        is_watched = spec.has_file and spec.pruner != NO_PRUNER and CORRECTIONS not in point
        make_folder(models)
        name = f"{self._stored.name} {trial.number}" + (f", seed {number + 1}" if spec.seeds > 1 else "")
        return TrainingJob.new(
            replace(spec.recipe_at(point, number=number), name=name),
            data_dir=self._data_dir,
            out=str(models / f"{trial.number:04}-{number + 1}.h5"),
            mnist=spec.mnist,
            csv_pairs=self._drawings.corrections(point) if self._drawings else (),
            csv_is_raw=True,
            ink_files=spec.ink_files,
            leave_out=spec.leave_out,
            use_drawings=spec.use_drawings,
            score_on=(spec.objective,) if is_watched or (spec.has_file and not self._drawings) else (),
            watches_file=is_watched,
            name=name,
            base=spec.base,
            writer=spec.writer,
            newest_sample=spec.newest_sample,
        )

    def _run(self, trial: Trial, job: TrainingJob, *, is_reported: bool) -> RunFinished:
        """Run the job. Raises `TrialPruned` for a hopeless one, `CancelledError` when interrupted, `TrainingError`."""
        import optuna

        from qtdigits.training.train import train_job

        control, endings = self._control.for_training(), []
        known = set(self._study.get_trials(deepcopy=False)[trial.number].intermediate_values)
        is_hopeless = False

        def emit(event: Event) -> None:
            nonlocal is_hopeless
            if isinstance(event, RunFinished | RunCancelled | RunFailed):
                endings.append(event)
            if is_reported and isinstance(event, EpochEnded):
                has_own = self._spec.objective == HOLD_OUT or job.watches_file
                value = event.hold_out_accuracy if has_own else event.val_accuracy
                if value is not None and event.epoch not in known and self._spec.second:
                    # Optuna's own method, and its pruners, are for one objective.
                    trial.storage.set_trial_intermediate_value(trial._trial_id, event.epoch, value)
                elif value is not None and event.epoch not in known:
                    trial.report(value, event.epoch)
                    if event.epoch < job.recipe.epochs and trial.should_prune():
                        is_hopeless = True
                        control.cancel()
            self._on_event(event)

        train_job(job, emit=emit, control=control, cache=self._cache)
        _tidy_up()
        match endings:
            case [RunFinished() as finished]:
                return finished
            case [RunFailed(message=message, remedy=remedy)]:
                raise TrainingError(message, remedy)
        if is_hopeless and not self._control.is_stopping:
            raise optuna.TrialPruned
        raise CancelledError("The training was interrupted.")

    @contextmanager
    def _only_one_asking(self) -> Iterator[None]:
        """Keep other workers of this machine from looking for trials. A database does so itself."""
        while self._stored.is_local and not self._asking.acquire():
            sleep(POLL_S)
        try:
            yield
        finally:
            self._asking.release()


def _suggested(trial: Trial, one: Search) -> Value:
    if one.choices:
        chosen: Value = trial.suggest_categorical(one.name, one.choices)  # type: ignore[assignment]
        return chosen
    if one.is_whole:
        return trial.suggest_int(
            one.name, int(one.low), int(one.high), step=int(one.step) or 1, log=one.is_log
        )
    return trial.suggest_float(one.name, one.low, one.high, step=one.step or None, log=one.is_log)


def _reading_ms(loaded: Model) -> float:
    """Return the median time of a reading on one thread."""
    reader, image = Reader(loaded, check=False), loaded.golden.images[0]
    times = []
    for _ in range(N_READINGS):
        began = perf_counter()
        reader.probabilities(image)
        times.append((perf_counter() - began) * 1000)
    return median(times)


def _tidy_up() -> None:
    if "qtdigits.ml.training" in sys.modules:
        from qtdigits.ml.training import tidy_up

        tidy_up()


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Without what Optuna says of its heartbeat being experimental."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
