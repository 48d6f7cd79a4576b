"""Looking at a data folder after something bad has happened: nothing lost, nothing doubled, nothing half done, a champion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bad_days.victims import CHAMPIONS, N_EDITED, number_of
from qtdigits.errors import QtDigitsError
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model
from qtdigits.store.tables.runs import RUNNING
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.runs import can_be_resumed

DRAWINGS_PER_FILE = 60


@dataclass
class Found:
    """Things that were acknowledged, how many of them are lost or doubled, and what else is wrong."""

    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    champions: int = 0
    champions_that_work: int = 0
    wrong: tuple[str, ...] = ()

    def add(self, other: Found) -> None:
        self.acknowledged += other.acknowledged
        self.lost += other.lost
        self.doubled += other.doubled
        self.champions += other.champions
        self.champions_that_work += other.champions_that_work
        self.wrong += other.wrong


def look(work: str, folder: Path, said: Sequence[str]) -> Found:
    """What is found in `folder` after a `work` that has `said` these things."""
    found = Found(acknowledged=len(said), champions=1)
    try:
        _look_at_champion(folder, said if work == "promote" else (), found)
        looks = {
            "bring_in": _look_at_imports,
            "edit": _look_at_edits,
            "save": _look_at_models,
            "train": _look_at_runs,
        }
        looks.get(work, _look_at_drawings)(folder, said, found)
        with SampleStore.open(folder / "data" if work == "bring_in" else folder) as store:
            list(store.samples()), list(store.trials()), store.runs.records()
            found.wrong += store.check()
        if work in {"save", "promote"}:
            found.acknowledged = 0  # these are no drawings
    except QtDigitsError as error:
        found.wrong += (str(error),)
    return found


def _look_at_champion(folder: Path, said: Sequence[str], found: Found) -> None:
    model, notice = ModelLibrary(folder, shipped=folder / "shipped").load_champion()
    after = {said[-1], CHAMPIONS[len(said) % len(CHAMPIONS)]} if said else {model.name}
    found.champions_that_work += notice == "" and model.name in after


def _look_at_drawings(folder: Path, said: Sequence[str], found: Found) -> None:
    """`said` are numbers, or such as "b 7" by writers of their own."""
    with SampleStore.open(folder) as store:
        drawn = Counter(
            _name_of(sample.writer, number_of(sample.ink.strokes[0]))
            for sample in store.samples()
            if sample.ink
        )
        samples = [sample.id for sample in store.samples()]
        if sorted(trial.sample_id or 0 for trial in store.trials()) != sorted(samples):
            found.wrong += ("a drawing without its judgement, or a judgement without its drawing",)
    found.lost += (
        len(set(said) - set(drawn)) if (said and said[0][0].isdecimal()) or (said and " " in said[0]) else 0
    )
    found.doubled += sum(drawn.values()) - len(drawn)


def _name_of(writer: str, number: int) -> str:
    return str(number) if writer == "me" else f"{writer} {number}"


def _look_at_imports(folder: Path, said: Sequence[str], found: Found) -> None:
    with SampleStore.open(folder / "data") as store:
        counts = {writer: store.count(writer=writer) for writer in store.writers()}
    found.acknowledged = DRAWINGS_PER_FILE * len(said)
    found.lost += sum(DRAWINGS_PER_FILE - counts.get(writer, 0) for writer in said)
    found.doubled += sum(max(0, count - DRAWINGS_PER_FILE) for count in counts.values())
    found.wrong += tuple(f"{w}: {n} drawings" for w, n in counts.items() if n not in {0, DRAWINGS_PER_FILE})


def _look_at_edits(folder: Path, said: Sequence[str], found: Found) -> None:
    found.acknowledged = 0
    with SampleStore.open(folder) as store:
        for writer in store.writers():
            for label in "38":
                for is_deleted in (False, True):
                    n = store.count(writer=writer, label=label, is_deleted=is_deleted)
                    if n % N_EDITED:
                        found.wrong += (f"{n} of {N_EDITED} drawings were changed",)


def _look_at_models(folder: Path, said: Sequence[str], found: Found) -> None:
    for name in {*said, "a.h5", "b.h5", "c.h5", "again.h5"}:
        check_model(folder / "models" / name)


def _look_at_runs(folder: Path, said: Sequence[str], found: Found) -> None:
    found.acknowledged = 0
    with SampleStore.open(folder) as store:
        runs = store.runs.records()
    found.lost += len({line.split()[-1] for line in said} - {run.id for run in runs})
    found.wrong += tuple(
        f"the run {run.id} is {run.state} and cannot be resumed"
        for run in runs
        if run.state == RUNNING and not can_be_resumed(folder, run)
    )
    for path in (folder / "models").glob("*.h5"):
        check_model(path)
