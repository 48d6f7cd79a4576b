"""Jobs end with exactly one of three events, whatever happens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from hands import hand
from qtdigits.core.drawing.samples import Dataset, Sample, Suspicion
from qtdigits.core.model import Model
from qtdigits.core.run.control import Control, StudyControl
from qtdigits.core.run.events import JobCancelled, JobFailed, JobFinished, JobProgress
from qtdigits.core.score.writers import ALL_OTHERS, BASE, WriterMatrix
from qtdigits.core.search import Search
from qtdigits.core.study import GRID, StudySpec
from qtdigits.store.model_files import save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import train
from qtdigits.training import writer_matrix as matrix_module
from qtdigits.training.consolidate import Learner
from qtdigits.training.jobs import Job, LabelReviewJob, StudyJob, WriterMatrixJob
from qtdigits.training.run_job import run_job
from qtdigits.training.study_storage import open_study
from tests.training.study_workers import train_at_once
from tiny_training import TINY_RECIPE, Recorder, tiny_model, write_tiny_mnist


def ran(job: Job, control: Control | None = None) -> Recorder:
    recorder = Recorder()
    run_job(job, emit=recorder, control=control or Control())
    return recorder


def store_hands(folder: Path, **sizes: int) -> None:
    with SampleStore.open(folder) as store:
        for seed, (writer, n) in enumerate(sizes.items(), 3):
            drawn = hand(n, seed, writer=writer, is_mirrored=writer == "ada")
            store.add_samples(
                Sample(label, image, writer, ink=ink)
                for label, image, ink in zip(drawn.labels, drawn.images, drawn.inks, strict=True)
            )


def test_that_labels_are_checked_writer_by_writer(data_dir: Path) -> None:
    store_hands(data_dir, bob=30, cy=10)
    recorder = ran(LabelReviewJob("e", str(data_dir)))
    assert [(event.done, event.total) for event in recorder.of(JobProgress)] == [(0, 2), (1, 2)]
    assert recorder.events[-1] == JobFinished("e", "label review", {"n": 40, "waiting": 0})


def test_that_a_cancelled_job_and_one_that_fails_say_so(data_dir: Path) -> None:
    control = Control()
    control.cancel()
    store_hands(data_dir, bob=10)
    assert ran(LabelReviewJob("e", str(data_dir)), control).events == [JobCancelled("e", "label review")]
    (data_dir / "samples.db").write_bytes(b"no store" * 1000)
    (failed,) = ran(LabelReviewJob("e", str(data_dir))).of(JobFailed)
    assert "samples.db is damaged" in failed.message


def test_that_what_nobody_expected_is_an_event_too(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(matrix_module, "stored_writer_matrix", fail)
    (failed,) = ran(WriterMatrixJob("e", str(data_dir), "m.h5")).of(JobFailed)
    assert failed.error == "ZeroDivisionError"


@dataclass(frozen=True, eq=False)
class Unmoved(Learner):
    """Learns nothing, but keeps what it was to learn from; how hands are learned is tried in test_personal."""

    seen: ClassVar[list[Dataset]] = []

    def learned_model(self, base: Model, own: Dataset, *, name: str, control: Control | None = None) -> Model:
        self.seen.append(own)
        return base


@pytest.mark.tensorflow
def test_that_the_stored_writers_are_measured_without_what_is_doubted(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QTDIGITS_MNIST", str(write_tiny_mnist(tmp_path / "mnist.npz")))
    monkeypatch.setattr(matrix_module, "Learner", Unmoved)
    monkeypatch.setattr(Unmoved, "seen", [])
    store_hands(data_dir, ada=40, bob=30)
    with SampleStore.open(data_dir) as store:
        *n_trainable, doubted = (int(i) for i in store.ids(writer="ada", held_out=False))
        store.mark_suspects({doubted: Suspicion(0.9, "1", "looks like a 1")})
        of_bob = store.ids(writer="bob", held_out=False).tolist()
    path = save_model(tiny_model(TINY_RECIPE), tmp_path / "base.h5").path
    recorder = ran(WriterMatrixJob("e", str(data_dir), str(path)))
    (finished,) = recorder.of(JobFinished)
    found = WriterMatrix.from_json(finished.result["matrix"])
    assert [row.name for row in found.rows] == [BASE, "ada", "bob", ALL_OTHERS]
    assert [list(own.ids) for own in Unmoved.seen] == [n_trainable, of_bob, of_bob, n_trainable]
    of_ada = found.rows[0].cells["ada"]
    assert of_ada.n == 39  # what is doubted does not count
    said = [event.what for event in recorder.of(JobProgress)]
    assert said[-1] == "Done"
    assert "Learning from all but ada" in said


def test_that_a_study_is_created_worked_on_and_resumed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "train_job", train_at_once)
    search = (Search.parse("neurons=16|32"),)
    spec = StudySpec(TINY_RECIPE, search, sampler=GRID, trials=2, use_drawings=False)
    interrupted = StudyControl()
    interrupted.stop()
    assert ran(StudyJob("s", str(data_dir), "widths", spec.to_json()), interrupted).events == [
        JobCancelled("s", "study")
    ]
    recorder = ran(StudyJob("s", str(data_dir), "widths"), StudyControl())
    assert recorder.events[-1] == JobFinished("s", "study", {})
    assert [event.what for event in recorder.of(JobProgress)] == ["epoch 1 of 2"] * 2
    assert open_study("widths", data_dir=data_dir).summary()["states"]["complete"] == 2


def test_that_a_study_that_is_not_there_cannot_be_resumed(data_dir: Path) -> None:
    (failed,) = ran(StudyJob("s", str(data_dir), "widths"), StudyControl()).of(JobFailed)
    assert failed.message == "There is no study 'widths'."
