"""From a request to a stored model, and to exactly one ending whatever happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
    Progress,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunStarted,
    Terminal,
)
from qtdigits.core.score.comparison import Comparison
from qtdigits.errors import StoreError
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import train as retrain_module
from qtdigits.training.data_cache import DataCache
from qtdigits.training.evaluate import evaluate
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.train import train_job
from tiny_training import TINY_RECIPE, Recorder, poison_second_epoch, write_tiny_mnist

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def mnist(data_dir: Path) -> Path:
    return write_tiny_mnist(data_dir / "mnist.npz")


def run(request: TrainingJob, *, emit: Recorder | None = None, control: Control | None = None) -> Terminal:
    """Run to the end, which comes once and last."""
    recorder = emit or Recorder()
    train_job(request, emit=recorder, control=control or Control())
    endings = recorder.of(RunFinished) + recorder.of(RunCancelled) + recorder.of(RunFailed)  # type: ignore[operator]
    assert endings == [recorder.events[-1]]
    return endings[0]


def test_that_a_run_that_diverges_says_so_and_leaves_a_model_that_reads(
    data_dir: Path, mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtdigits.ml.callback import TrainingCallback

    monkeypatch.setattr(TrainingCallback, "on_train_batch_begin", poison_second_epoch)
    emit = Recorder()
    ending = run(TrainingJob.new(TINY_RECIPE.with_values(epochs=9), data_dir=data_dir), emit=emit)
    assert isinstance(ending, RunFinished), ending
    assert (ending.outcome, ending.epochs, ending.best_epoch) == ("diverged", 1, 1)
    said = " ".join(notice.message for notice in emit.of(Notice))
    assert "diverged after epoch 1" in said
    assert "The weights of epoch 1, the last good ones, are kept" in said
    assert check_model(Path(ending.model)).scores["validation"]["accuracy"] > 0.2


def runs_in(data_dir: Path, *, in_trash: bool = False) -> list[tuple[str, str, str]]:
    with SampleStore.open(data_dir) as store:
        records = store.runs.records(in_trash=in_trash)
        return [(record.id, record.state, record.model) for record in records]


def test_that_a_request_becomes_a_model_in_the_library(data_dir: Path, mnist: Path) -> None:
    inks, labels = synthetic_digits(60, seed=3)
    with SampleStore.open(data_dir) as store:
        rasters = render_many(inks)
        store.add_samples(
            Sample(label, raster, "me", ink) for ink, label, raster in zip(inks, labels, rasters, strict=True)
        )
    emit = Recorder()
    request = TrainingJob.new(TINY_RECIPE.with_values(epochs=4), data_dir=data_dir)
    ending = run(request, emit=emit)
    assert isinstance(ending, RunFinished), ending
    assert (ending.run, ending.outcome, ending.epochs) == (request.id, "completed", 4)

    path = Path(ending.model)
    model = check_model(path)
    assert path.parent == data_dir / "models"
    assert set(model.scores) == set(ending.scores) == {"validation", "MNIST test", "my hold-out"}
    assert (
        dict(model.scores["MNIST test"]) == evaluate(model, DataCache().mnist(folder=data_dir).test).to_json()
    )  # type: ignore[union-attr]
    assert model.scores["MNIST test"]["accuracy"] > 0.5
    assert model.recipe == request.recipe
    assert len(model.history.epochs) == len(emit.of(EpochEnded)) == 4
    assert len(model.history.batches) == len(emit.of(BatchEnded))

    provenance = model.provenance
    assert [source["name"] for source in provenance["sources"]] == ["MNIST", "drawings"]
    assert provenance["command"] == request.command
    assert {"keras", "tensorflow", "numpy", "python"} <= set(provenance["libraries"])
    assert str(data_dir) not in str(provenance)
    assert runs_in(data_dir) == [(request.id, "completed", str(path))]
    assert len(emit.of(RunStarted)) == 1
    told = [event.what for event in emit.of(Progress)]
    assert told.index("Checking the labels") < told.index("Loading MNIST")


def test_that_two_models_of_one_recipe_get_names_of_their_own(data_dir: Path, mnist: Path) -> None:
    recipe = TINY_RECIPE.with_values(epochs=1)
    endings = [run(TrainingJob.new(recipe, data_dir=data_dir)) for _ in range(2)]
    names = {Path(ending.model).name for ending in endings if isinstance(ending, RunFinished)}
    assert names == {"tiny.h5", "tiny-2.h5"}


def test_that_out_is_overwritten_and_names_the_model(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.h5"
    out.write_text("something older")
    ending = run(TrainingJob.new(TINY_RECIPE.with_values(epochs=1), data_dir=data_dir, out=str(out)))
    assert isinstance(ending, RunFinished), ending
    assert (ending.model, check_model(out).name) == (str(out), "mine")
    assert not (data_dir / "models").exists()


def test_that_a_cancel_leaves_no_model_and_says_so_in_the_store(data_dir: Path, mnist: Path) -> None:
    control = Control()
    emit = Recorder(lambda event: control.cancel() if isinstance(event, BatchEnded) else None)
    request = TrainingJob.new(TINY_RECIPE, data_dir=data_dir)
    assert run(request, emit=emit, control=control) == RunCancelled(request.id)
    assert not list(data_dir.rglob("*.h5"))
    assert runs_in(data_dir) == []
    assert runs_in(data_dir, in_trash=True) == [(request.id, "cancelled", "")]


def test_that_a_cancel_while_scoring_leaves_the_old_file(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.h5"
    out.write_text("something older")
    control = Control()

    def cancel_while_scoring(event: Event) -> None:
        if isinstance(event, Progress) and event.what == "Scoring: MNIST test":
            control.cancel()

    request = TrainingJob.new(TINY_RECIPE.with_values(epochs=1), data_dir=data_dir, out=str(out))
    assert isinstance(run(request, emit=Recorder(cancel_while_scoring), control=control), RunCancelled)
    assert out.read_text() == "something older"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.h5"]


def test_that_a_stop_keeps_the_best(data_dir: Path, mnist: Path) -> None:
    control = Control()
    emit = Recorder(lambda event: control.stop() if isinstance(event, EpochEnded) else None)
    ending = run(
        TrainingJob.new(TINY_RECIPE.with_values(epochs=500), data_dir=data_dir),
        emit=emit,
        control=control,
    )
    assert isinstance(ending, RunFinished), ending
    assert (ending.outcome, ending.epochs, ending.best_epoch) == ("stopped", 1, 1)
    assert check_model(Path(ending.model)).provenance["outcome"] == "stopped"


def test_that_a_rehearsal_says_that_it_is_one(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qtdigits.training.data_cache.REHEARSAL_DRAWINGS", 200)
    emit = Recorder()
    ending = run(TrainingJob.new(TINY_RECIPE.with_values(epochs=1), data_dir=data_dir), emit=emit)
    assert isinstance(ending, RunFinished), ending
    assert emit.of(RunStarted)[0].is_rehearsal
    assert "synthetic ink stands in" in emit.of(Notice)[0].message
    assert check_model(Path(ending.model)).provenance["is_rehearsal"]


def test_that_what_is_wrong_with_the_input_ends_the_run_in_words(data_dir: Path, mnist: Path) -> None:
    mnist.write_bytes(b"PK no MNIST")
    failed = run(TrainingJob.new(TINY_RECIPE, data_dir=data_dir))
    assert isinstance(failed, RunFailed)
    assert "mnist.npz" in failed.message
    assert failed.remedy
    assert runs_in(data_dir)[0][1] == "failed"


def test_that_a_missing_folder_is_found_out_before_the_training(
    data_dir: Path, mnist: Path, tmp_path: Path
) -> None:
    emit = Recorder()
    failed = run(
        TrainingJob.new(TINY_RECIPE, data_dir=data_dir, out=str(tmp_path / "no" / "m.h5")), emit=emit
    )
    assert isinstance(failed, RunFailed)
    assert "There is no folder" in failed.message
    assert len(emit.events) == 1


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), MemoryError(), ZeroDivisionError("surprise"), SystemExit(3)]
)
def test_that_every_surprise_ends_in_one_event(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(retrain_module, "gather", fail)
    ending = run(TrainingJob.new(TINY_RECIPE, data_dir=data_dir))
    if isinstance(error, KeyboardInterrupt):
        assert isinstance(ending, RunCancelled)
    else:
        assert isinstance(ending, RunFailed)
        assert "Traceback" in capsys.readouterr().err


def test_that_a_store_that_cannot_be_used_ends_a_run_that_wants_drawings(data_dir: Path, mnist: Path) -> None:
    (data_dir / "samples.db").write_bytes(b"no database at all " * 100)
    failed = run(TrainingJob.new(TINY_RECIPE, data_dir=data_dir))
    assert isinstance(failed, RunFailed)
    assert failed.kind == StoreError.kind
    assert not list((data_dir / "runs").iterdir())


def test_that_a_run_that_wants_no_drawings_goes_on_without_a_store(data_dir: Path, mnist: Path) -> None:
    (data_dir / "samples.db").write_bytes(b"no database at all " * 100)
    emit = Recorder()
    recipe = TINY_RECIPE.with_values(epochs=1)
    ending = run(TrainingJob.new(recipe, data_dir=data_dir, use_drawings=False), emit=emit)
    assert isinstance(ending, RunFinished), ending
    assert "not recorded" in emit.of(Notice)[0].message


def test_that_a_new_model_is_compared_with_the_one_in_use_on_the_same_drawings(
    data_dir: Path, mnist: Path
) -> None:
    inks, labels = synthetic_digits(120, seed=3)
    with SampleStore.open(data_dir) as store:
        store.add_samples(
            Sample(label, raster, "me", ink)
            for ink, label, raster in zip(inks, labels, render_many(inks), strict=True)
        )
        held_out = {sample.id for sample in store.samples(held_out=True)}
    first = run(TrainingJob.new(TINY_RECIPE.with_values(epochs=1), data_dir=data_dir, use_drawings=False))
    assert isinstance(first, RunFinished)
    assert first.comparison == {}
    personal = TINY_RECIPE.with_values(
        start="champion", keep="last", drawings_share=0.5, epochs=6, mnist_images=100
    )
    ModelLibrary(data_dir).promote(Path(first.model))
    second = run(TrainingJob.new(personal, data_dir=data_dir, writer="me", champion=first.model))
    assert isinstance(second, RunFinished), second
    found = Comparison.from_json(second.comparison)
    assert found.hold_out.n == len(held_out)
    assert {*found.hold_out.fixed, *found.hold_out.broken, *found.hold_out.still_wrong} <= held_out
    assert found.others.n == 120 - len(held_out)  # by trainings that left them out
    assert not {*found.others.fixed, *found.others.broken, *found.others.still_wrong} & held_out
    assert found.guard.n > 0
    model = check_model(Path(second.model))
    assert model.path is not None
    assert model.path.stem == "hand-of-me"
    assert model.provenance["base"] == Path(first.model).name
    assert model.provenance["drawings"]["n"] == 120 - len(held_out)
    assert model.provenance["drawings"]["last_sample"] == max(set(range(1, 121)) - held_out)


def test_that_scribbles_among_the_data_decide_when_a_model_is_not_sure_and_its_heirs_keep_that(
    data_dir: Path, mnist: Path
) -> None:
    recipe = TINY_RECIPE.with_values(epochs=6, scribbles=60, validation_fraction=0.3)
    ending = run(TrainingJob.new(recipe, data_dir=data_dir, use_drawings=False))
    assert isinstance(ending, RunFinished), ending
    first = check_model(Path(ending.model))
    found = first.provenance["undecided"]
    assert 0 < first.undecided_below == found["undecided_below"] < 1
    assert (found["n_digits"], found["n_others"]) == (first.scores["validation"]["n"], 18)
    assert found["digits_undecided"] <= 0.005
    assert first.scores["validation"]["undecided"] == round(found["digits_undecided"] * found["n_digits"])
    test = DataCache().mnist(folder=data_dir).test  # type: ignore[union-attr]
    assert dict(first.scores["MNIST test"]) == evaluate(first, test).to_json()

    personal = recipe.with_values(start="champion", keep="last", epochs=1, mnist_images=100)
    ending = run(TrainingJob.new(personal, data_dir=data_dir, use_drawings=False, base=str(first.path)))
    assert isinstance(ending, RunFinished), ending
    heir = check_model(Path(ending.model))
    assert heir.undecided_below == heir.provenance["undecided"]["undecided_below"] == first.undecided_below
    assert heir.weights_sha256 != first.weights_sha256


def test_that_an_embedding_layer_knows_what_resembles_nothing_and_heirs_measure_their_means_anew(
    data_dir: Path, mnist: Path
) -> None:
    recipe = TINY_RECIPE.with_values(dense="16, 12:linear", epochs=6, scribbles=60, validation_fraction=0.3)
    ending = run(TrainingJob.new(recipe, data_dir=data_dir, use_drawings=False))
    assert isinstance(ending, RunFinished), ending
    first = check_model(Path(ending.model))
    found = first.provenance["undecided"]
    assert 0 < first.unlike_below == found["unlike_below"] <= 0.5
    assert first.class_means.shape == (10, 12)
    assert np.allclose(np.linalg.norm(first.class_means, axis=1), 1, atol=1e-5)
    assert found["digits_undecided"] <= 0.015
    assert first.scores["validation"]["undecided"] == round(found["digits_undecided"] * found["n_digits"])

    personal = recipe.with_values(start="champion", keep="last", epochs=1, mnist_images=100)
    ending = run(TrainingJob.new(personal, data_dir=data_dir, use_drawings=False, base=str(first.path)))
    assert isinstance(ending, RunFinished), ending
    heir = check_model(Path(ending.model))
    assert heir.unlike_below == first.unlike_below
    assert heir.class_means.shape == (10, 12)
    assert not np.allclose(heir.class_means, first.class_means, atol=1e-6)


def test_that_a_model_that_saw_no_scribbles_is_always_sure(data_dir: Path, mnist: Path) -> None:
    ending = run(TrainingJob.new(TINY_RECIPE.with_values(epochs=1), data_dir=data_dir))
    assert isinstance(ending, RunFinished), ending
    model = check_model(Path(ending.model))
    assert model.undecided_below == 0
    assert "undecided" not in model.provenance


def test_that_a_champion_that_cannot_be_read_costs_the_comparison_only(data_dir: Path, mnist: Path) -> None:
    emit = Recorder()
    request = TrainingJob.new(TINY_RECIPE, data_dir=data_dir, champion=str(data_dir / "gone.h5"))
    ending = run(request, emit=emit)
    assert isinstance(ending, RunFinished), ending
    assert ending.comparison == {}
    assert any("could not be compared" in notice.message for notice in emit.of(Notice))
