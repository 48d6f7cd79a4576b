"""Studies on disk or in a database: opened, created, listed and deleted; and which of their trials count.

A study is planned as slots, one for each trial it shall have; a trial that was interrupted hands its slot on to the trial that
takes its place. So no trial is lost, and none counts twice, however many workers there are and whenever they die.

On one machine a study is a journal file in `studies/NAME` of the data folder. Any other storage is a database.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import warnings
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

import msgspec

from qtdigits.core.study import HYPERBAND, MEDIAN, TPE, Figures, StudySpec
from qtdigits.errors import InputError, StoreError
from qtdigits.paths import studies_dir
from qtdigits.store.files import make_folder
from qtdigits.store.locks import ProcessLock
from qtdigits.untrusted import Count, converted

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage, RDBStorage
    from optuna.storages.journal._file import BaseJournalFileLock
    from optuna.trial import FrozenTrial

JOURNAL = "journal.log"
HEARTBEAT_S = 60
GRACE = 5
"""A worker that was silent for so many heartbeats is dead."""
ENDED = ("complete", "pruned", "failed")
STATES = (*ENDED, "running", "waiting")

SLOT, RUNS, FIGURES, ERROR = "slot", "runs", "figures", "error"
"""User attributes of trials: their slot, the ids of their runs by number of the seed, what came out, and why they failed."""
SPEC = "spec"
"""The user attribute of a study, written when all of its slots are there."""

_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")
PATIENCE_S = 30.0


class _TrialAttributes(msgspec.Struct):
    """The user attributes of a trial, checked when a study is opened."""

    slot: Count | None = None
    runs: dict[str, str] = {}
    figures: Figures | None = None
    error: str = ""


class StoredStudy:
    """A study in a storage. `folder` is for its models, and for its locks where the storage is a file in it."""

    def __init__(self, study: Study, spec: StudySpec, folder: Path, *, url: str) -> None:
        self.study, self.spec, self.folder = study, spec, folder
        self.name = study.study_name
        self.is_local = not url

    def slots(self) -> dict[int, FrozenTrial]:
        """Return the trial that counts for each slot: one that has ended, else one that runs, else one that waits."""
        found: dict[int, FrozenTrial] = {}
        for trial in sorted(self.study.get_trials(deepcopy=False), key=_precedence):
            if (slot := trial.user_attrs.get(SLOT)) is not None:
                found.setdefault(int(slot), trial)
        return dict(sorted(found.items()))

    def lock_of(self, number: int) -> ProcessLock:
        """Return the lock that a worker of this machine holds as long as the trial runs."""
        return ProcessLock(self.folder / "locks" / f"trial-{number}")

    def state_of(self, trial: FrozenTrial) -> str:
        """Return one of `STATES`; a trial whose worker died waits to be retried."""
        state = trial.state.name
        if state == "FAIL":
            return "failed" if ERROR in trial.user_attrs else "waiting"
        if state == "RUNNING" and self.is_local and not self.lock_of(trial.number).is_taken():
            return "waiting"
        return {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running"}.get(state, "waiting")

    def plan(self, trials: int) -> None:
        """Add the slots that are missing up to `trials`."""
        spec, present = self.spec, self.slots()
        points = spec.points() or [{}] * trials
        for slot, point in enumerate(points[:trials]):
            if slot not in present:
                self.study.enqueue_trial(dict(point), user_attrs={SLOT: slot})

    def retry(self, trial: FrozenTrial) -> None:
        """Let another trial take the place of one that ended without a result; it inherits values, runs and slot."""
        _retry()(self.study, trial)

    def extend(self, trials: int) -> None:
        self.spec = replace(self.spec, trials=trials).checked()
        self.plan(trials)
        self.study.set_user_attr(SPEC, self.spec.to_json())

    def summary(self) -> dict[str, Any]:
        """Return what `study show --json` prints."""
        trials = [(trial, self.state_of(trial)) for trial in self.slots().values()]
        states = {state: sum(one == state for _, one in trials) for state in STATES}
        found = [trial_json(trial, state) for trial, state in trials if state != "waiting"]
        best = max(
            (one for one in found if one["state"] == "complete"), key=lambda one: one["value"], default=None
        )
        described = {"name": self.name, "n_trials": len(trials), "states": states, "best": best}
        if self.spec.second:
            front = {trial.number for trial in self.study.best_trials}
            described["front"] = [one for one in found if one["number"] in front]
        return {**described, "spec": self.spec.to_json(), "trials": found}

    def delete(self) -> list[str]:
        """Delete the study, and return the ids of its runs; models stay. Raises `InputError` while it is worked on."""
        import optuna

        if any(self.state_of(trial) == "running" for trial in self.slots().values()):
            raise InputError(f"Somebody works on the study {self.name}.", "End the workers first.")
        runs = [run for trial in self.study.get_trials(deepcopy=False) for run in runs_of(trial).values()]
        optuna.delete_study(study_name=self.name, storage=self.study._storage)
        if self.is_local:
            for part in (JOURNAL, "locks", "corrections"):
                path = self.folder / part
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.folder.rmdir()
        return runs


def create_or_join(
    name: str,
    spec: StudySpec,
    *,
    data_dir: Path,
    url: str = "",
    heartbeat_s: int = HEARTBEAT_S,
    patience_s: float = PATIENCE_S,
) -> StoredStudy:
    """Create the study; if another worker has done so, return that one, whatever its spec is.

    One that is still being planned is waited for, and after `patience_s` planned to its end. Raises `StoreError`,
    and `InputError` for a study of another program.
    """
    import optuna

    with reporting(url):
        storage = _storage(name, data_dir, url, heartbeat_s, creates=True)
        best = (optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE)
        try:
            study = optuna.create_study(
                storage=storage, study_name=name, directions=best if spec.second else best[:1]
            )
        except optuna.exceptions.DuplicatedStudyError:
            study = optuna.load_study(study_name=name, storage=storage)
            for _ in range(int(patience_s * 10)):
                if SPEC in study.user_attrs:
                    break
                sleep(0.1)
            if SPEC in study.user_attrs or _is_foreign(study):
                return _stored(study, data_dir, url)
        stored = StoredStudy(study, spec, folder_of(name, data_dir), url=url)
        stored.plan(spec.trials)
        study.set_user_attr(SPEC, spec.to_json())
        return _stored(study, data_dir, url)


def open_study(
    name: str, *, data_dir: Path, url: str = "", heartbeat_s: int = HEARTBEAT_S
) -> StoredStudy | None:
    """Return the study; None when there is none of that name, or it is still being planned.

    Raises `StoreError`, and `InputError` for a study of another program.
    """
    import optuna

    with reporting(url):
        if not url and not (folder_of(name, data_dir) / JOURNAL).is_file():
            return None
        storage = _storage(name, data_dir, url, heartbeat_s)
        try:
            study = optuna.load_study(study_name=name, storage=storage)
        except KeyError:
            return None
        is_planned = SPEC in study.user_attrs or _is_foreign(study)
        return _stored(study, data_dir, url) if is_planned else None


def study_names(*, data_dir: Path, url: str = "") -> list[str]:
    """Return the names of all studies. Raises `StoreError`."""
    import optuna

    if not url:
        folder = studies_dir(data_dir)
        return sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob(JOURNAL))
    with reporting(url):
        return sorted(optuna.get_all_study_names(_storage("", data_dir, url, HEARTBEAT_S)))


def folder_of(name: str, data_dir: Path) -> Path:
    """Return the folder of a study. Raises `InputError` for a name that cannot be one."""
    if not _NAME.fullmatch(name) or len(name) > 100:
        raise InputError(
            f"{name!r} cannot be the name of a study.",
            "Use letters, digits, - and _; / puts it into a group.",
        )
    return studies_dir(data_dir) / name


def no_study(name: str, *, data_dir: Path, url: str = "") -> InputError:
    """Return the error for a study that is not there, with the names of those that are."""
    names = ", ".join(study_names(data_dir=data_dir, url=url)) or "none yet"
    return InputError(f"There is no study {name!r}.", f"Studies: {names}.")


def none_complete(name: str) -> InputError:
    return InputError(f"No trial of {name} is complete yet.", f"Work on it: qtdigits study resume {name}")


def runs_of(trial: FrozenTrial) -> dict[str, str]:
    """Return the ids of a trial's runs by number of the seed."""
    return dict(trial.user_attrs.get(RUNS, {}))


def trial_json(trial: FrozenTrial, state: str) -> dict[str, Any]:
    """Return a trial as `study show --json` prints it; `run` is the first of its runs, `interval` that of its value."""
    figures = Figures.from_json(trial.user_attrs[FIGURES]) if FIGURES in trial.user_attrs else None
    runs = list(runs_of(trial).values())
    return {
        "number": trial.number,
        "state": state,
        "value": figures.value if figures else None,
        "interval": list(figures.interval) if figures else None,
        "params": dict(trial.params),
        "run": runs[0] if runs else None,
        "runs": runs,
        "n": figures.n if figures else None,
        "correct": list(figures.correct) if figures else None,
        "second": figures.second if figures else None,
        "models": list(figures.models) if figures else [],
        "seconds": trial.duration.total_seconds() if trial.duration else None,
        "error": trial.user_attrs.get(ERROR, ""),
    }


def _precedence(trial: FrozenTrial) -> tuple[int, int]:
    """What counts for a slot comes first."""
    order = {"COMPLETE": 0, "PRUNED": 0, "RUNNING": 1, "WAITING": 2}
    has_failed = trial.state.name == "FAIL" and ERROR in trial.user_attrs
    return 0 if has_failed else order.get(trial.state.name, 3), trial.number


def _is_foreign(study: Study) -> bool:
    attributes: Iterable[object] = (trial.user_attrs for trial in study.get_trials(deepcopy=False))
    return any(not isinstance(known, dict) or SLOT not in known for known in attributes)


def _stored(study: Study, data_dir: Path, url: str) -> StoredStudy:
    if SPEC not in study.user_attrs:
        raise InputError(f"{study.study_name} is no study of QtDigits.", "Choose another name.")
    spec = StudySpec.from_json(study.user_attrs[SPEC])
    for trial in study.get_trials(deepcopy=False):
        converted(trial.user_attrs, _TrialAttributes, what=f"{study.study_name}, trial {trial.number}")
    study.sampler, study.pruner = _sampler(spec), _pruner(spec)
    return StoredStudy(study, spec, folder_of(study.study_name, data_dir), url=url)


def _storage(name: str, data_dir: Path, url: str, heartbeat_s: int, *, creates: bool = False) -> BaseStorage:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalFileSymlinkLock

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if not url:
        path = folder_of(name, data_dir) / JOURNAL
        if creates:
            make_folder(path.parent)
        # Links need rights on Windows.
        lock = (JournalFileOpenLock if os.name == "nt" else JournalFileSymlinkLock)(str(path))
        _cut_torn_line(path, lock)
        try:
            return JournalStorage(JournalFileBackend(str(path), lock))
        except OSError:
            raise
        except Exception as error:  # Optuna takes every line of a journal for its own
            raise StoreError(
                f"{path} is damaged: {type(error).__name__}.", "Delete the study, and run it again."
            ) from error
    if url.startswith("sqlite"):
        raise InputError(
            "SQLite loses trials of several workers.",
            "Leave out --storage on one machine, or use PostgreSQL.",
        )
    from sqlalchemy.exc import IntegrityError, ProgrammingError

    attempts = 10
    for attempt in range(attempts):
        try:
            return _database(url, heartbeat_s)
        except (IntegrityError, ProgrammingError):  # several workers create its tables at once
            if attempt == attempts - 1:
                raise
            sleep(0.2)
    raise AssertionError


def _database(url: str, heartbeat_s: int) -> RDBStorage:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = optuna.storages.RDBStorage(
            re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url),
            engine_kwargs={"pool_pre_ping": True},
            heartbeat_interval=heartbeat_s,
            grace_period=GRACE * heartbeat_s,
            heartbeat_stale_trial_callback=_retry(),
        )
    weakref.finalize(storage, storage.engine.dispose)  # closes the connections
    return storage


def _cut_torn_line(path: Path, lock: BaseJournalFileLock) -> None:
    """Cut off what a full disk or a power failure left of the last line: Optuna could read nothing after it."""
    if not path.exists() or not (content := path.read_bytes()) or content.endswith(b"\n"):
        return
    lock.acquire()
    try:
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)
    finally:
        lock.release()


def _retry() -> Any:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.RetryHeartbeatStaleTrialCallback(inherit_intermediate_values=True)


def _sampler(spec: StudySpec) -> BaseSampler:
    """Grid and random points are planned in advance: a sampler of them would lose those that are retried."""
    import optuna

    if spec.sampler != TPE:
        return optuna.samplers.RandomSampler()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(multivariate=True, constant_liar=not spec.second)


def _pruner(spec: StudySpec) -> BasePruner:
    import optuna

    if spec.pruner == MEDIAN:
        return optuna.pruners.MedianPruner()
    if spec.pruner == HYPERBAND:
        return optuna.pruners.HyperbandPruner(max_resource=spec.recipe.epochs)
    return optuna.pruners.NopPruner()


@contextlib.contextmanager
def reporting(url: str) -> Iterator[None]:
    """Raise `StoreError` for what a storage raises. A password in its URL is not shown."""
    import optuna

    errors: tuple[type[Exception], ...] = (optuna.exceptions.OptunaError, OSError, json.JSONDecodeError)
    if url:  # SQLAlchemy takes a fifth of a second to import, and a journal needs none
        from sqlalchemy.exc import SQLAlchemyError

        errors = (*errors, SQLAlchemyError)
    shown = re.sub(r"//[^@/]*@", "//…@", url) or "The journal of the study"
    try:
        yield
    except ImportError as error:
        raise InputError(
            f"{shown}: {error}.", "For PostgreSQL: pip install 'qtdigits[postgresql]'."
        ) from error
    except errors as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise StoreError(
            f"{shown} cannot be used: {reason}.", "Check the address, and that the server runs."
        ) from error
