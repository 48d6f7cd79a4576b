"""What the window shows of the studies in a data folder: read again and again while workers write, importances, time left."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.recipe import Value
from qtdigits.core.study import StudySpec
from qtdigits.paths import studies_dir
from qtdigits.training.study_storage import (
    ENDED,
    JOURNAL,
    STATES,
    StoredStudy,
    folder_of,
    open_study,
    reporting,
    trial_json,
)

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

Floats = NDArray[np.float64]
Importances = dict[str, tuple[float, float, float]]
"""The importance of each field, 0 to 1, and both ends of its interval at 95 %."""
LEAST_FOR_IMPORTANCES = 10
NEW_IMPORTANCES = 1.05
"""They are worked out again when there are so many times as many trials."""
GROUPS = 10
"""Importances are worked out without each tenth of the trials, too; how much they differ then gives their intervals."""
LEAST_FOR_TIME = 3


@dataclass(frozen=True)
class TrialOverview:
    """A trial. `curve` is the accuracy after each epoch of its first training, where it was reported; `models` may be gone."""

    number: int
    state: str
    params: Mapping[str, Value]
    value: float | None = None
    interval: tuple[float, float] | None = None
    second: float | None = None
    n: int = 0
    run: str = ""
    models: tuple[str, ...] = ()
    seconds: float | None = None
    error: str = ""
    curve: Mapping[int, float] | None = None


@dataclass(frozen=True, eq=False)
class StudyOverview:
    """A study at a moment. `trials` have begun, in the order of their numbers; `front` are the numbers of the Pareto front."""

    name: str
    spec: StudySpec
    n_trials: int
    trials: tuple[TrialOverview, ...]
    front: frozenset[int] = frozenset()

    def count(self, *states: str) -> int:
        return sum(trial.state in states for trial in self.trials)

    @property
    def complete(self) -> list[TrialOverview]:
        return [trial for trial in self.trials if trial.state == "complete"]

    @property
    def is_over(self) -> bool:
        return self.count(*ENDED) == self.n_trials

    @property
    def is_running(self) -> bool:
        return self.count("running") > 0

    @property
    def best(self) -> TrialOverview | None:
        return max(self.complete, key=lambda trial: trial.value or 0, default=None)

    def trial(self, number: int | None) -> TrialOverview | None:
        return next((trial for trial in self.trials if trial.number == number), None)

    def time_left_s(self) -> tuple[float, float] | None:
        """Return between how many seconds the rest will likely take, by the trials that have ended; None where these are few."""
        took = [trial.seconds for trial in self.trials if trial.state in ENDED and trial.seconds]
        left = self.n_trials - self.count(*ENDED)
        if len(took) < LEAST_FOR_TIME:
            return None
        begun = [trial.seconds or 0 for trial in self.trials if trial.state == "running"]
        workers = max(1, len(begun))
        middle = (left * fmean(took) - sum(min(spent, fmean(took)) for spent in begun)) / workers
        # Of the sum of the trials that are left, and of the mean that they are taken to have.
        spread = 2 * stdev(took) * math.sqrt(left + left**2 / len(took)) / workers
        return max(0.0, middle - spread), middle + spread


def values_of(trials: Sequence[TrialOverview]) -> tuple[Floats, Floats, Floats]:
    """Return the accuracies of complete trials, and both ends of their intervals: `(n,)` each."""
    found = [(trial.value or 0.0, *(trial.interval or (0.0, 1.0))) for trial in trials]
    value, low, high = np.array(found, np.float64).reshape(-1, 3).T
    return value, low, high


class StudyReader:
    """Reads studies of a data folder; what has been read is kept, so that a further look reads only what is new.

    Its methods are called by one thread.
    """

    def __init__(self, data_dir: Path, *, url: str = "") -> None:
        """`url` is that of their database, where they are not in the data folder itself."""
        self._data_dir, self._url = data_dir, url
        self._opened: dict[str, tuple[int, StoredStudy]] = {}
        self._ended: dict[str, dict[int, TrialOverview]] = {}
        self._importances: dict[str, tuple[int, Importances]] = {}

    def read(self, name: str) -> StudyOverview | None:
        """Return the study as it is now; None where there is none. Raises `StoreError`, and `InputError` for a foreign one."""
        stored = self._stored(name)
        if stored is None:
            return None
        ended = self._ended.setdefault(name, {})
        with reporting(self._url):
            slots = stored.slots()
            found = {
                trial.number: ended.get(trial.number) or _seen(trial, stored) for trial in slots.values()
            }
            ended |= {number: trial for number, trial in found.items() if trial.state in ENDED}
            trials = [found[number] for number in sorted(found) if found[number].state != "waiting"]
            front = {trial.number for trial in stored.study.best_trials} if stored.spec.second else set()
        return StudyOverview(name, stored.spec, len(slots), tuple(trials), frozenset(front))

    def importances(self, name: str) -> Importances:
        """Return the importance of each field, 0 to 1, with its interval at 95 %; {} where too few trials are complete.

        By PED-ANOVA (Watanabe, Bansal & Hutter 2023): how much the best tenth of the trials differs from all in this field.
        The interval is by leaving out each tenth of the trials in turn (jackknife).
        """
        stored = self._stored(name)
        if stored is None:
            return {}
        with reporting(self._url):
            trials = stored.study.get_trials(deepcopy=False)
            n = sum(trial.state.name == "COMPLETE" for trial in trials)
            if n < LEAST_FOR_IMPORTANCES:
                return {}
            n_before, before = self._importances.get(name, (0, {}))
            if n_before <= n < n_before * NEW_IMPORTANCES:
                return before
            whole, *parts = (_importances(stored.study, without=out) for out in (None, *range(GROUPS)))
        found: Importances = {}
        for name_of_field, value in sorted(whole.items(), key=lambda item: -item[1]):
            without = np.array([part.get(name_of_field, 0.0) for part in parts])
            half = 1.96 * math.sqrt((GROUPS - 1) / GROUPS * float(((without - without.mean()) ** 2).sum()))
            found[name_of_field] = value, max(0.0, value - half), min(1.0, value + half)
        self._importances[name] = n, found
        return found

    def _stored(self, name: str) -> StoredStudy | None:
        """Return the study that was opened before, unless its journal is another file now."""
        path = folder_of(name, self._data_dir) / JOURNAL
        inode = path.stat().st_ino if path.is_file() else -1
        kept = self._opened.get(name)
        if kept is None or kept[0] != inode:
            for kept_of in (self._opened, self._ended, self._importances):
                kept_of.pop(name, None)
            stored = open_study(name, data_dir=self._data_dir, url=self._url)
            if stored is None:
                return None
            kept = self._opened[name] = inode, stored
        return kept[1]


def _seen(trial: FrozenTrial, stored: StoredStudy) -> TrialOverview:
    state = stored.state_of(trial)
    values = trial_json(trial, state)
    assert state in STATES
    return TrialOverview(
        trial.number,
        state,
        values["params"],
        values["value"],
        tuple(values["interval"]) if values["interval"] else None,
        values["second"],
        values["n"] or 0,
        values["run"] or "",
        tuple(values["models"]),
        _elapsed_s(trial) if state == "running" else values["seconds"],
        values["error"],
        dict(sorted(trial.intermediate_values.items())),
    )


def _elapsed_s(trial: FrozenTrial) -> float | None:
    """Return for how long a trial has been running; Optuna's times are local ones without a zone."""
    began = trial.datetime_start
    return (datetime.now(began.tzinfo) - began).total_seconds() if began else None


def _importances(study: Study, *, without: int | None) -> dict[str, float]:
    """Return the shares of the fields in what makes a trial good; they add up to 1, or are all 0.

    `without`: one of the `GROUPS` of trials that is left out.
    """
    import optuna

    def target(trial: FrozenTrial) -> float:
        """The lower the better; what is no number is left out."""
        return math.nan if trial.number % GROUPS == without else -trial.values[0]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that lower is better
        found = optuna.importance.PedAnovaImportanceEvaluator().evaluate(study, target=target)
    total = sum(found.values())
    return {name: value / total if total else 0.0 for name, value in found.items()}


def journals(data_dir: Path) -> dict[str, tuple[int, int, int]]:
    """Return the names of the studies in a data folder, the one written to last first; what stands by a name changes with it."""
    folder = studies_dir(data_dir)
    found = {}
    for path in folder.rglob(JOURNAL):
        with contextlib.suppress(OSError):  # deleted meanwhile
            status = path.stat()
            name = path.parent.relative_to(folder).as_posix()
            found[name] = status.st_mtime_ns, status.st_size, status.st_ino
    return dict(sorted(found.items(), key=lambda item: item[1], reverse=True))
