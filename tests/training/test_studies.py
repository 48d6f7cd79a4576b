"""Studies on one machine: what is trained, what is resumed, and what counts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import optuna
import pytest

from cli.running import write_ink
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.control import StudyControl
from qtdigits.core.run.events import EpochEnded, Event
from qtdigits.core.search import Search
from qtdigits.core.study import GRID, HOLD_OUT, MEDIAN, RANDOM, StudySpec
from qtdigits.errors import DataMissingError, InputError, StoreError, TrainingError
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import train
from qtdigits.training.studies import work_on
from qtdigits.training.study_data import checked_data, with_data
from qtdigits.training.study_overview import StudyReader
from qtdigits.training.study_storage import JOURNAL, StoredStudy, create_or_join, open_study, study_names
from tests.training.study_workers import train_at_once
from tiny_training import write_tiny_mnist

ROOT = Path(__file__).resolve().parents[2]
TINY = recipe_of({"dense": "16", "epochs": 2, "batch_size": 50, "mnist_images": 0, "synthetic_images": 200})


def create(folder: Path, *search: str, name: str = "widths", **values: object) -> StoredStudy:
    spec = StudySpec(TINY, tuple(map(Search.parse, search)), **values).checked()  # type: ignore[arg-type]
    return create_or_join(name, with_data(spec, folder), data_dir=folder)


def work(stored: StoredStudy, folder: Path, on_event: Callable[[Event], None] = lambda event: None) -> dict:
    work_on(stored, data_dir=folder, control=StudyControl(), on_event=on_event, poll_s=0.05)
    return stored.summary()


@pytest.fixture
def ink_file(tmp_path: Path) -> Path:
    return write_ink(tmp_path / "users.jsonl.gz", *synthetic_digits(40, seed=3), writers=("ada", "bob"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that take no time."""
    monkeypatch.setattr(train, "train_job", train_at_once)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("sampler", ["tpe", RANDOM])
def test_that_a_study_has_the_trials_that_it_shall_have(sampler: str, data_dir: Path) -> None:
    summary = work(create(data_dir, "neurons=14..90", sampler=sampler, trials=5), data_dir)
    assert summary["n_trials"] == summary["states"]["complete"] == 5
    best = summary["best"]
    assert best["value"] == max(one["value"] for one in summary["trials"]) == best["params"]["neurons"] / 100
    assert best["interval"][0] < best["value"] < best["interval"][1]
    assert best["run"]


@pytest.mark.usefixtures("quick")
def test_that_a_grid_tries_each_point_once(data_dir: Path) -> None:
    summary = work(create(data_dir, "neurons=16|32|64", sampler=GRID, trials=3), data_dir)
    assert sorted(one["params"]["neurons"] for one in summary["trials"]) == [16, 32, 64]
    assert summary["best"]["params"] == {"neurons": 64}


@pytest.mark.usefixtures("quick")
def test_that_a_failed_training_is_counted_and_the_study_goes_on(data_dir: Path) -> None:
    summary = work(create(data_dir, "neurons=16|13|64", sampler=GRID, trials=3), data_dir)
    assert summary["states"] | {"complete": 2, "failed": 1} == summary["states"]
    failed = next(one for one in summary["trials"] if one["state"] == "failed")
    assert failed["error"] == "It does not train. Try another number."


@pytest.mark.usefixtures("quick")
def test_that_a_study_in_which_everything_fails_ends(data_dir: Path) -> None:
    stored = create(data_dir, "neurons=13", "batch_size=1|2|3|4|5", sampler=GRID, trials=5)
    with pytest.raises(TrainingError, match="It does not train"):
        work(stored, data_dir)
    assert stored.summary()["states"]["failed"] == 3


@pytest.mark.usefixtures("quick")
def test_that_hopeless_trials_are_pruned_and_their_runs_cancelled(data_dir: Path) -> None:
    stored = create(data_dir, "neurons=16|64", sampler=GRID, trials=2)
    stored.study.pruner = optuna.pruners.ThresholdPruner(lower=0.5)
    states = {one["params"]["neurons"]: one["state"] for one in work(stored, data_dir)["trials"]}
    assert states == {16: "pruned", 64: "complete"}


@pytest.mark.usefixtures("quick")
def test_that_trials_ranked_on_a_file_are_pruned_by_it(data_dir: Path, ink_file: Path) -> None:
    stored = create(data_dir, "neurons=16|64", sampler=GRID, trials=2, objective=str(ink_file), pruner=MEDIAN)
    stored.study.pruner = optuna.pruners.ThresholdPruner(lower=0.5)
    states = {one["params"]["neurons"]: one["state"] for one in work(stored, data_dir)["trials"]}
    assert states == {16: "complete", 64: "pruned"}


@pytest.mark.usefixtures("quick")
def test_that_a_second_objective_gives_a_front(data_dir: Path) -> None:
    summary = work(create(data_dir, "neurons=16|64", sampler=GRID, trials=2, second="size"), data_dir)
    assert all(one["second"] == len(b"a model") for one in summary["trials"])
    assert [one["params"]["neurons"] for one in summary["front"]] == [64]
    study = StudyReader(data_dir).read("widths")
    assert study is not None
    assert {tuple(trial.curve or ()) for trial in study.trials} == {(1, 2)}


@pytest.mark.usefixtures("quick")
def test_that_more_trials_extend_a_study(data_dir: Path) -> None:
    stored = create(data_dir, "neurons=14..90", sampler=RANDOM, trials=2)
    first = work(stored, data_dir)["trials"]
    stored.extend(4)
    summary = work(open_study("widths", data_dir=data_dir), data_dir)
    assert summary["n_trials"] == summary["states"]["complete"] == 4
    assert summary["trials"][:2] == first


@pytest.mark.usefixtures("quick")
def test_that_a_second_worker_joins_instead_of_creating(data_dir: Path) -> None:
    create(data_dir, "neurons=16|32", sampler=GRID, trials=2)
    again = create(data_dir, "neurons=64|128", sampler=GRID, trials=2)
    assert again.spec.search[0].text == "16|32"
    assert len(again.slots()) == 2


@pytest.mark.usefixtures("quick")
def test_that_a_study_whose_creator_died_is_planned_to_its_end(data_dir: Path) -> None:
    folder = data_dir / "studies" / "widths"
    folder.mkdir(parents=True)
    journal = optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL))
    begun = optuna.create_study(
        study_name="widths", storage=optuna.storages.JournalStorage(journal), direction="maximize"
    )
    begun.enqueue_trial({"neurons": 16}, user_attrs={"slot": 0})
    assert open_study("widths", data_dir=data_dir) is None
    spec = with_data(StudySpec(TINY, (Search.parse("neurons=16|32"),), sampler=GRID, trials=2), data_dir)
    summary = work(create_or_join("widths", spec, data_dir=data_dir, patience_s=0), data_dir)
    assert sorted(one["params"]["neurons"] for one in summary["trials"]) == [16, 32]
    begun.ask()
    assert open_study("widths", data_dir=data_dir).summary()["states"]["complete"] == 2


@pytest.mark.parametrize("point", ["asked", "epoch"])
def test_that_no_trial_is_lost_or_counted_twice_when_a_worker_is_killed(point: str, data_dir: Path) -> None:
    stored = create(data_dir, "neurons=16|32|48|64", sampler=GRID, trials=4)
    command = (sys.executable, "-m", "tests.training.study_workers", "widths", str(data_dir), "")
    killed = subprocess.run(
        [*command, point], cwd=ROOT, input="go\n", capture_output=True, text=True, check=False
    )
    assert killed.returncode < 0, killed.stderr
    assert open_study("widths", data_dir=data_dir).summary()["states"]["waiting"] == 4
    done = subprocess.run(command, cwd=ROOT, input="go\n", capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) == 1 + 4
    summary = stored.summary()
    assert summary["states"]["complete"] == summary["n_trials"] == 4
    assert sorted(one["params"]["neurons"] for one in summary["trials"]) == [16, 32, 48, 64]


def test_that_a_torn_journal_is_mended(data_dir: Path) -> None:
    create(data_dir, "neurons=16|32", sampler=GRID, trials=2)
    with (data_dir / "studies" / "widths" / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code": 5, "tri')
    stored = open_study("widths", data_dir=data_dir)
    stored.study.set_user_attr("note", "written after it")
    assert open_study("widths", data_dir=data_dir).study.user_attrs["note"] == "written after it"


@pytest.mark.tensorflow
def test_that_an_interrupted_training_is_resumed_as_the_same_run(data_dir: Path) -> None:
    stored = create(data_dir, "neurons=8|16", sampler=GRID, trials=2)
    control = StudyControl()

    def interrupt(event: Event) -> None:
        if isinstance(event, EpochEnded):
            control.stop()

    work_on(stored, data_dir=data_dir, control=control, on_event=interrupt)
    assert stored.summary()["states"]["complete"] == 0
    with SampleStore.open(data_dir) as store:
        (interrupted,) = store.runs.records()
    summary = work(open_study("widths", data_dir=data_dir), data_dir)
    assert summary["states"]["complete"] == summary["n_trials"] == 2
    with SampleStore.open(data_dir) as store:
        runs = {run.id: run for run in store.runs.records()}
    assert set(runs) == {one["run"] for one in summary["trials"]}
    assert runs[interrupted.id].state == "completed"
    assert all(Path(run.model).is_file() for run in runs.values())


@pytest.mark.tensorflow
def test_that_a_training_that_another_worker_has_begun_is_waited_for(data_dir: Path, ink_file: Path) -> None:
    search, values = ("neurons=16", "scaling=mnist|window"), {"sampler": GRID, "trials": 2}
    stored = create(data_dir, *search, objective=str(ink_file), **values)
    other = Thread(target=lambda: work(open_study("widths", data_dir=data_dir), data_dir))

    def start_other(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 1:
            other.start()
            while stored.summary()["states"]["running"] < 2:
                pass

    work(stored, data_dir, on_event=start_other)
    other.join()
    summary = stored.summary()
    assert summary["states"]["complete"] == 2
    with SampleStore.open(data_dir) as store:
        assert len(store.runs.records()) == 1


@pytest.mark.usefixtures("quick")
def test_that_a_deleted_study_is_gone(data_dir: Path) -> None:
    stored = create(data_dir, "neurons=16|32", sampler=GRID, trials=2, name="group/widths")
    work(stored, data_dir)
    assert study_names(data_dir=data_dir) == ["group/widths"]
    assert len(stored.delete()) == 2
    assert study_names(data_dir=data_dir) == []
    assert open_study("group/widths", data_dir=data_dir) is None


def test_that_the_objective_is_no_test_set_and_nothing_that_is_trained_on(
    data_dir: Path, ink_file: Path
) -> None:
    mnist = write_tiny_mnist(data_dir / "some.npz")
    with pytest.raises(InputError, match="test set"):
        create(data_dir, "epochs=1|2", objective=str(mnist))
    with pytest.raises(InputError, match="trained on"):
        create(data_dir, "epochs=1|2", objective=str(ink_file), ink_files=(str(ink_file),))
    with pytest.raises(InputError, match="held out"):
        create(data_dir, "epochs=1|2", objective=HOLD_OUT)
    with pytest.raises(DataMissingError, match=r"nowhere\.jsonl"):
        create(data_dir, "epochs=1|2", objective="nowhere.jsonl")


def test_that_a_worker_with_another_file_is_refused(data_dir: Path, ink_file: Path) -> None:
    stored = create(data_dir, "epochs=1|2", objective=str(ink_file))
    moved = ink_file.rename(data_dir / ink_file.name)
    assert checked_data(stored.spec, data_dir).objective == str(moved)
    moved.write_bytes(b"something else")
    with pytest.raises(InputError, match="not the file that the study began with"):
        checked_data(stored.spec, data_dir)


@pytest.mark.parametrize("name", ["", "../up", "/abs", "a//b", ".hidden", "a b"])
def test_that_a_name_is_one_of_a_folder(name: str, data_dir: Path) -> None:
    with pytest.raises(InputError, match="name of a study"):
        create(data_dir, "epochs=1|2", name=name)


def test_that_sqlite_is_refused_and_an_unreachable_database_is_named_without_its_password(
    data_dir: Path,
) -> None:
    with pytest.raises(InputError, match="SQLite"):
        open_study("x", data_dir=data_dir, url="sqlite:///x.db")
    with pytest.raises(StoreError) as caught:
        open_study("x", data_dir=data_dir, url="postgresql+psycopg://me:secret@localhost:1/x")
    assert "secret" not in str(caught.value)
