"""Model files of earlier versions, whose program gives no embedding, are upgraded in the engine: all else in them stays."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.model import Model
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import JobCancelled, JobFinished
from qtdigits.engine.client import EngineClient
from qtdigits.engine.protocol import RunJob
from qtdigits.ml.models import from_model
from qtdigits.paths import shipped_models_dir
from qtdigits.quiet import quiet
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model, load_model, save_model
from qtdigits.training.jobs import ModelUpgradeJob
from qtdigits.training.run_job import run_job
from tiny_training import Recorder, tiny_data, tiny_model

pytestmark = pytest.mark.tensorflow

JOB = ModelUpgradeJob.kind


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model as earlier versions exported it: its program gives the probabilities only."""
    model, program = tiny_model(), tmp_path_factory.mktemp("export") / "older.tflite"
    with quiet():
        from_model(model).export(str(program), format="litert", verbose=False)
    scores = {"pendigits": {"n": 4, "correct": 3, "accuracy": 0.75}}
    return replace(model, flatbuffer=program.read_bytes(), scores=scores, undecided_below=0.4)


@pytest.fixture
def path(older: Model, data_dir: Path) -> Path:
    path = ModelLibrary(data_dir).new_path("older")
    save_model(older, path)
    return path


def upgraded(path: Path, data_dir: Path, control: Control | None = None) -> list[object]:
    recorder = Recorder()
    job = ModelUpgradeJob("u", str(data_dir), str(path))
    run_job(job, emit=recorder, control=control or Control())
    return list(recorder.events)


def facts(model: Model) -> tuple[object, ...]:
    about = (model.name, model.network, model.recipe, model.label_set, model.scores, model.provenance)
    return (*about, model.undecided_below, model.weights_sha256, model.history.best_epoch)


def is_same_but_for_the_program(one: Model, other: Model) -> bool:
    arrays = [(*m.history.arrays().values(), m.golden.images, m.golden.probabilities) for m in (one, other)]
    return facts(one) == facts(other) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(*arrays, strict=True)
    )


def test_that_it_gets_the_embedding_and_keeps_everything_else(path: Path, data_dir: Path) -> None:
    before = load_model(path)
    assert not Reader(before).has_embedding
    assert upgraded(path, data_dir) == [JobFinished("u", JOB, {"has_embedding": True})]
    after = check_model(path)
    assert Reader(after).has_embedding
    assert is_same_but_for_the_program(before, after)
    images = tiny_data(20, seed=5).images
    assert np.allclose(Reader(before).read_many(images), Reader(after).read_many(images), atol=2e-3)
    assert [file.name for file in path.parent.iterdir() if file.suffix != ".h5"] == []


def test_that_a_file_that_has_it_is_left_alone(path: Path, data_dir: Path) -> None:
    upgraded(path, data_dir)
    before = path.stat().st_mtime_ns, path.read_bytes()
    assert upgraded(path, data_dir) == [JobFinished("u", JOB, {"has_embedding": True})]
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


@pytest.mark.parametrize("what", ["elsewhere", "missing", "damaged", "wrong weights"])
def test_that_what_is_not_the_persons_own_or_not_usable_stays_as_it_is(
    what: str, path: Path, older: Model, data_dir: Path, tmp_path: Path
) -> None:
    match what:
        case "elsewhere":
            path = Path(shutil.move(path, tmp_path / "elsewhere.h5"))
        case "missing":
            path = path.with_name("missing.h5")
        case "damaged":
            path.write_bytes(path.read_bytes()[:-500])
        case "wrong weights":
            wrong = {name: tuple(array + 1 for array in arrays) for name, arrays in older.weights.items()}
            save_model(replace(older, weights=wrong), path)
    before = path.read_bytes() if path.exists() else None
    assert upgraded(path, data_dir) == [JobFinished("u", JOB, {"has_embedding": False})]
    assert (path.read_bytes() if path.exists() else None) == before


def test_that_shipped_models_are_not_the_persons_own(data_dir: Path, path: Path) -> None:
    library = ModelLibrary(data_dir)
    assert library.is_own(path)
    assert not library.is_own(shipped_models_dir() / "default.h5")


def test_that_a_cancelled_upgrade_leaves_the_file_as_it_was(path: Path, data_dir: Path) -> None:
    control, before = Control(), path.read_bytes()
    control.cancel()
    assert upgraded(path, data_dir, control) == [JobCancelled("u", JOB)]
    assert path.read_bytes() == before


@pytest.mark.slow
def test_that_the_engine_upgrades(path: Path, data_dir: Path) -> None:
    client = EngineClient(data_dir=data_dir)
    client.start()
    try:
        client.send(RunJob(ModelUpgradeJob("u", str(data_dir), str(path))))
        ending = next(event for event in client.events() if isinstance(event, JobFinished))
    finally:
        client.close()
    assert ending == JobFinished("u", JOB, {"has_embedding": True})
    assert Reader(load_model(path)).has_embedding
