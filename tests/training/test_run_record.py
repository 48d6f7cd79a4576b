"""What is written down of a run while it goes on, so that it survives whatever ends it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qtdigits.core.recipe import Recipe
from qtdigits.core.run.checkpoints import DataFingerprint
from qtdigits.core.run.events import BatchEnded, EpochEnded, RunCancelled, RunFailed, RunFinished, RunStarted
from qtdigits.core.run.history import History
from qtdigits.errors import StoreError
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.run_record import SAVE_EVERY_S, RunRecorder

EPOCH = EpochEnded("run", 1, 9, 1.0, 0.5, 0.9, 0.6, is_best=True, elapsed_s=2.0, remaining_s=4.0)
SCORES = {"MNIST test": {"accuracy": 0.9, "n": 10}}


class Clock:
    time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


class Recording:
    def __init__(self, folder: Path) -> None:
        self.clock, self.history, self.notices = Clock(), History(), list[str]()
        request = TrainingJob(id="run", recipe=Recipe(), data_dir=str(folder))
        self.recorder = RunRecorder(request, notice=self.notices.append, clock=self.clock)
        self._folder = folder

    def hear(self, event: BatchEnded | EpochEnded) -> None:
        self.history.apply(event)
        self.recorder.on_event(event, self.history)

    @property
    def epochs_kept(self) -> int:
        with SampleStore.open(self._folder) as store:
            return store.runs.find("run").figures.epochs


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


def test_that_a_run_is_kept_after_an_epoch_but_not_oftener_than_it_is_worth(recording: Recording) -> None:
    recording.recorder.begin()
    recording.hear(BatchEnded("run", 5, 1, 0.5, 0.8, 1.0, 9.0, 100.0))
    assert recording.epochs_kept == 0
    recording.hear(EPOCH)
    assert recording.epochs_kept == 1
    recording.clock.time_s = SAVE_EVERY_S - 1
    recording.hear(replace(EPOCH, epoch=2))
    assert recording.epochs_kept == 1
    recording.clock.time_s = SAVE_EVERY_S
    recording.hear(replace(EPOCH, epoch=3))
    assert recording.epochs_kept == 3


def test_that_an_ended_run_has_all_its_epochs_and_scores(recording: Recording, tmp_path: Path) -> None:
    recording.recorder.begin()
    recording.hear(EPOCH)
    recording.hear(replace(EPOCH, epoch=2))
    recording.recorder.end(RunFinished("run", "completed", "m.h5", 2, 2, 9.0, SCORES), recording.history)
    with SampleStore.open(tmp_path) as store:
        run = store.runs.find("run")
    assert (run.state, run.figures.epochs, run.figures.scores) == ("completed", 2, {"MNIST test": (0.9, 10)})


def test_that_what_was_trained_on_and_why_it_failed_are_written_down(
    recording: Recording, tmp_path: Path
) -> None:
    recording.recorder.begin()
    started = RunStarted("run", {}, ("0", "1"), {"MNIST": 100, "drawings": 7}, 107, 10, 5, 2, 42_310)
    recording.recorder.on_event(started, recording.history)
    recording.recorder.end(RunFailed("run", "diverged", "It diverged.", "Learn slower."), recording.history)
    with SampleStore.open(tmp_path) as store:
        run = store.runs.find("run")
    assert (run.state, run.figures.message) == ("failed", "It diverged. Learn slower.")
    assert run.figures.steps_per_epoch == 5
    assert (run.figures.data, run.figures.n_parameters) == ({"MNIST": 100, "drawings": 7}, 42_310)


def test_that_a_store_that_fails_later_is_told_and_the_run_goes_on(
    recording: Recording, tmp_path: Path
) -> None:
    recording.recorder.begin()
    (tmp_path / "samples.db").write_bytes(b"junk")
    recording.hear(EPOCH)
    assert "How far this run has come is not recorded" in recording.notices[0]


@pytest.mark.parametrize(("is_interrupted", "state"), [(True, "interrupted"), (False, "cancelled")])
def test_that_an_interrupted_run_stays_in_the_list_and_one_that_was_given_up_does_not(
    recording: Recording, tmp_path: Path, *, is_interrupted: bool, state: str
) -> None:
    recording.recorder.begin()
    recording.recorder.end(RunCancelled("run", is_interrupted), recording.history)
    with SampleStore.open(tmp_path) as store:
        assert store.runs.find("run", in_trash=not is_interrupted).state == state


def test_that_a_run_is_listed_when_all_is_there_that_it_needs_to_go_on(
    recording: Recording, tmp_path: Path
) -> None:
    listed: list[int] = []

    def look() -> None:
        with SampleStore.open_read_only(tmp_path / "samples.db") as store:
            listed.append(len(store.runs.records()))

    recording.recorder.begin(prepare=look)
    look()
    assert listed == [0, 1]
    with pytest.raises(StoreError, match="already"):
        recording.recorder.begin(prepare=look)
    assert listed == [0, 1]


MARK = DataFingerprint({"MNIST": (100, "ab" * 32), "drawings": (7, "cd" * 32)}, ("0", "1"), "mix")


@pytest.mark.parametrize("ending", [RunFailed("run", "memory", "No memory."), RunCancelled("run")])
def test_that_the_fingerprint_of_the_data_stays_with_a_run_that_comes_to_nothing(
    recording: Recording, tmp_path: Path, ending: RunFailed | RunCancelled
) -> None:
    recording.recorder.begin()
    recording.recorder.set_data(MARK)
    with SampleStore.open(tmp_path) as store:
        assert store.runs.find("run").figures.data_sha256 == MARK.fingerprint
        assert store.runs.history("run") is None
    recording.recorder.end(ending, recording.history)
    with SampleStore.open(tmp_path) as store:
        found = store.runs.get("run")
    assert found is not None
    assert found.figures.data_sha256 == MARK.fingerprint
    assert found.figures.digests == {"MNIST": "ab" * 32, "drawings": "cd" * 32}


SAVE_OVER_AND_OVER = """
import sys
from pathlib import Path
from qtdigits.core.recipe import Recipe
from qtdigits.training.run_record import model_path_for, store_model
from qtdigits.training.jobs import TrainingJob
from tests.store.values import a_model

request = TrainingJob(id="run", recipe=Recipe(), data_dir=sys.argv[1], name="same")
for _ in range(10):
    out = model_path_for(request)
    print("ready", flush=True)
    sys.stdin.readline()
    store_model(a_model(), request, out)
"""


def test_that_trainings_that_end_at_once_do_not_overwrite_one_anothers_model(tmp_path: Path) -> None:
    terminals = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE_OVER_AND_OVER, tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        for _ in range(2)
    ]
    for _ in range(10):
        for terminal in terminals:
            assert terminal.stdout is not None
            assert terminal.stdout.readline() == b"ready\n"
        for terminal in terminals:
            assert terminal.stdin is not None
            terminal.stdin.write(b"\n")
    for terminal in terminals:
        terminal.communicate()
    assert [terminal.returncode for terminal in terminals] == [0, 0]
    assert len(list((tmp_path / "models").glob("same*.h5"))) == 20
