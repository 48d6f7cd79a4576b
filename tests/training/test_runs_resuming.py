"""A run that ended before its end goes on: from its folder, by its request, on its data, as one run in the list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import (
    BatchEnded,
    EpochEnded,
    Event,
    Notice,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunResumed,
    Terminal,
)
from qtdigits.errors import InputError, StoreError
from qtdigits.store.model_files import load_model
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.runs import can_be_extended, can_be_resumed, extended, resumed
from qtdigits.training.train import train_job
from tiny_training import TINY_RECIPE, Recorder, write_tiny_mnist

pytestmark = pytest.mark.tensorflow

RECIPE = TINY_RECIPE.with_values(epochs=3, augmentation=1.0)


@pytest.fixture
def mnist(data_dir: Path) -> Path:
    return write_tiny_mnist(data_dir / "mnist.npz")


def run(request: TrainingJob, *, emit: Recorder | None = None, control: Control | None = None) -> Terminal:
    recorder = emit or Recorder()
    train_job(request, emit=recorder, control=control or Control())
    ending = recorder.events[-1]
    assert isinstance(ending, RunFinished | RunCancelled | RunFailed)
    return ending


def run_until(
    epoch: int, request: TrainingJob, ask: Callable[[Control], None] = Control.interrupt
) -> Terminal:
    """Run it, and ask for something when so many epochs have ended."""
    control = Control()

    def hear(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == epoch:
            ask(control)

    return run(request, emit=Recorder(hear), control=control)


def draw(data_dir: Path, n: int, *, seed: int) -> None:
    inks, labels = synthetic_digits(n, seed=seed)
    with SampleStore.open(data_dir) as store:
        store.add_samples(
            Sample(label, raster, "me", ink)
            for ink, label, raster in zip(inks, labels, render_many(inks), strict=True)
        )


def the_run(data_dir: Path) -> RunRecord:
    """The only run that there is."""
    with SampleStore.open(data_dir) as store:
        (record,) = store.runs.records()
        return record


def digest(ending: Terminal) -> str:
    assert isinstance(ending, RunFinished), ending
    return load_model(Path(ending.model)).weights_sha256


@pytest.fixture
def interrupted(data_dir: Path, mnist: Path) -> RunRecord:
    """A run on MNIST and drawings that was interrupted after its first epoch."""
    draw(data_dir, 40, seed=3)
    assert isinstance(run_until(1, TrainingJob.new(RECIPE, data_dir=data_dir)), RunCancelled)
    return the_run(data_dir)


def test_that_an_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(
    data_dir: Path, interrupted: RunRecord
) -> None:
    assert (interrupted.state, interrupted.figures.epochs, interrupted.model) == ("interrupted", 1, "")
    assert can_be_resumed(data_dir, interrupted)
    draw(data_dir, 30, seed=4)  # what was drawn meanwhile is for another training
    with SampleStore.open(data_dir) as store:
        store.class_table.rename("7", "seven")
    emit = Recorder()
    ending = run(resumed(data_dir, interrupted), emit=emit)
    assert emit.of(RunResumed)[0].epochs == 1
    assert [e.epoch for e in emit.of(EpochEnded)] == [2, 3]

    record = the_run(data_dir)
    assert (record.id, record.state, record.figures.epochs) == (interrupted.id, "completed", 3)
    with SampleStore.open(data_dir) as store:
        history = store.runs.history(record.id)
        store.runs.delete([record.id])
    assert history is not None
    assert history.epochs["epoch"].tolist() == [1, 2, 3]
    assert (history.batches["step"][1:] > history.batches["step"][:-1]).all()
    assert (history.batches["elapsed_s"][1:] > history.batches["elapsed_s"][:-1]).all()

    newest = RunFolder(data_dir, record.id).request()["newest_sample"]
    whole = run(TrainingJob.new(RECIPE, data_dir=data_dir, newest_sample=newest))
    assert digest(ending) == digest(whole)


def test_that_a_run_whose_data_has_changed_says_what_and_stays_as_it_was(
    data_dir: Path, interrupted: RunRecord
) -> None:
    with SampleStore.open(data_dir) as store:
        trained_on = [sample.id for sample in store.samples() if not sample.held_out]
        deletion = store.delete_samples(trained_on[:3])
        before = store.runs.history(interrupted.id)
    failed = run(resumed(data_dir, interrupted))
    assert isinstance(failed, RunFailed)
    assert failed.kind == "data changed"
    assert f"drawings: {len(trained_on) - 3} instead of {len(trained_on)}" in failed.message
    record = the_run(data_dir)
    assert (record.state, record.figures.epochs) == ("interrupted", 1)
    with SampleStore.open(data_dir) as store:
        after = store.runs.history(interrupted.id)
        store.restore(deletion)
    assert before is not None
    assert after is not None
    assert after.to_json() == before.to_json()
    assert isinstance(run(resumed(data_dir, record)), RunFinished)


def test_that_a_run_goes_on_in_one_place_at_a_time(data_dir: Path, interrupted: RunRecord) -> None:
    request = resumed(data_dir, interrupted)
    elsewhere = RunFolder(data_dir, interrupted.id)
    assert elsewhere.lock.acquire()
    assert not can_be_resumed(data_dir, interrupted)
    with pytest.raises(StoreError, match="another window"):
        resumed(data_dir, interrupted)
    failed = run(request)
    assert isinstance(failed, RunFailed)
    assert "another window" in failed.message
    assert the_run(data_dir).state == "interrupted"
    elsewhere.lock.release()
    assert isinstance(run(request), RunFinished)
    assert not elsewhere.lock.is_taken()


def test_that_a_run_of_which_nothing_can_be_read_begins_anew(data_dir: Path, interrupted: RunRecord) -> None:
    for path in RunFolder(data_dir, interrupted.id).path.glob("*.npz"):
        path.write_bytes(b"")
    emit = Recorder()
    assert isinstance(run(resumed(data_dir, interrupted), emit=emit), RunFinished)
    assert "starts again from the beginning" in emit.of(Notice)[0].message
    assert [e.epoch for e in emit.of(EpochEnded)] == [1, 2, 3]
    assert the_run(data_dir).figures.epochs == 3


def test_that_a_run_that_was_given_up_is_in_the_trash_and_can_go_on_from_there(
    data_dir: Path, mnist: Path
) -> None:
    cancelled = run_until(2, TrainingJob.new(RECIPE, data_dir=data_dir), Control.cancel)
    with SampleStore.open(data_dir) as store:
        assert store.runs.records() == []
        (record,) = store.runs.records(in_trash=True)
        assert (record.id, record.state) == (cancelled.run, "cancelled")
        store.runs.restore([record.id])
    assert isinstance(run(resumed(data_dir, the_run(data_dir))), RunFinished)


def test_that_an_ended_run_is_extended_and_keeps_its_first_model(data_dir: Path, mnist: Path) -> None:
    first = run(TrainingJob.new(RECIPE.with_values(epochs=2), data_dir=data_dir))
    record = the_run(data_dir)
    assert not can_be_resumed(data_dir, record)
    assert can_be_extended(data_dir, record)
    with pytest.raises(InputError, match="has ended"):
        resumed(data_dir, record)
    longer = run(extended(data_dir, record, 1))
    record = the_run(data_dir)
    assert (record.state, record.recipe["epochs"], record.figures.epochs) == ("completed", 3, 3)
    assert isinstance(first, RunFinished)
    assert isinstance(longer, RunFinished)
    assert record.model == longer.model != first.model
    assert Path(first.model).exists()
    whole = run(TrainingJob.new(RECIPE, data_dir=data_dir))
    assert digest(longer) == digest(whole)


def test_that_an_extension_that_is_given_up_does_not_lose_the_model(data_dir: Path, mnist: Path) -> None:
    first = run(TrainingJob.new(RECIPE.with_values(epochs=1), data_dir=data_dir))
    assert isinstance(first, RunFinished)
    assert isinstance(run_until(2, extended(data_dir, the_run(data_dir), 4), Control.cancel), RunCancelled)
    record = the_run(data_dir)
    assert (record.state, record.model) == ("cancelled", first.model)
    assert can_be_resumed(data_dir, record)


def test_that_a_full_disk_is_told_once_and_the_run_goes_on(
    data_dir: Path, mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("checkpoint: the disk is full.", "Make some room.")

    monkeypatch.setattr(RunFolder, "write_checkpoint", fail)
    emit = Recorder()
    assert isinstance(run(TrainingJob.new(RECIPE, data_dir=data_dir), emit=emit), RunFinished)
    told = [notice.message for notice in emit.of(Notice)]
    assert len(told) == 1
    assert "the disk is full" in told[0]


def test_that_a_stopped_run_goes_on_to_its_planned_end(data_dir: Path, mnist: Path) -> None:
    control = Control()
    stop = Recorder(lambda event: control.stop() if isinstance(event, BatchEnded) else None)
    assert isinstance(
        run(TrainingJob.new(RECIPE, data_dir=data_dir), emit=stop, control=control), RunFinished
    )
    ending = run(resumed(data_dir, the_run(data_dir)))
    assert isinstance(ending, RunFinished)
    assert (ending.outcome, ending.epochs) == ("completed", 3)
