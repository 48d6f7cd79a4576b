"""A writer can be exported, and erased: no file of the data folder has the name, the ink or the pictures any more."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.ink import encode_ink
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.model import Golden
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import InputError
from qtdigits.store import backups
from qtdigits.store.library import ModelLibrary
from qtdigits.store.locks import ProcessLock
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.privacy import export_writer, wipe_writer
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_model, a_sample, a_trial, an_image

NAME, FIRST_NAME = "Zebulon Quux", "Zebedäus"


@pytest.fixture
def theirs() -> list[Sample]:
    """Drawings with rasters that nobody else has."""
    rng = np.random.default_rng(3)
    rasters = rng.integers(0, 256, (4, 28, 28), np.uint8)
    return [replace(a_sample("7", FIRST_NAME), raster=raster) for raster in rasters]


@pytest.fixture
def full(tmp_path: Path, theirs: list[Sample]) -> Path:
    """A data folder in which the writer is everywhere; Bob is there, too."""
    data_dir = tmp_path / "data"
    with SampleStore.open(data_dir) as store:
        store.add_samples(theirs[:3])
        store.add_samples([a_sample("1", "Bob"), an_image("2", "Bob")])
        store.judge(theirs[3], a_trial("7", FIRST_NAME, model=f"hand-of-{NAME}"))
        store.judge(a_sample("3", "Bob"), a_trial("3", "Bob", model=f"hand-of-{NAME}"))
        backups.back_up(store.path)
        store.rename_writer(FIRST_NAME, NAME)
        store.delete_samples([1])
        for run_id, writer in (("run-theirs", NAME), ("run-all", "")):
            store.runs.add(RunRecord(run_id, {"name": "quick"}, note=f"for {NAME}", model="models/theirs.h5"))
            run = RunFolder(data_dir, run_id)
            run.write_request({"writer": writer, "command": f"train --writer {NAME}"})
            run.save_readings({"my hold-out": read(theirs)})
        store.queue.add("run-later", {"writer": NAME})
    backups.back_up_today(data_dir / "samples.db")
    old_store(data_dir / "samples.db.before-v4", theirs)
    (data_dir / "samples.db.before-v2").write_bytes(f"a damaged copy of {NAME}".encode())
    library = ModelLibrary(data_dir)
    models = {
        "theirs": a_model(provenance={"drawings": {"writer": NAME, "n": 3}, "command": f"--writer '{NAME}'"}),
        "all": a_model(provenance={"base": f"hand-of-{NAME}.h5", "drawings": {"writer": "", "n": 9}}),
    }
    for name, model in models.items():
        images = np.stack(
            [theirs[0].raster, np.zeros((28, 28), np.uint8), theirs[1].raster, *model.golden.images[:1]]
        )
        save_model(replace(model, golden=Golden(images, model.golden.probabilities)), library.new_path(name))
        library.promote(data_dir / "models" / f"{name}.h5")
    library.promote(data_dir / "models" / "theirs.h5")
    (data_dir / "settings.ini").write_text(f"[General]\ntheme=dark\nwriter={NAME}\n")
    (data_dir / "logs").mkdir()
    (data_dir / "logs" / "engine.log").write_text(f"learning the hand of {NAME}\n")
    (data_dir / "writer-matrix.json").write_text(json.dumps({"writers": [NAME]}))
    (data_dir / "set-aside.jsonl").write_text(
        "".join(json.dumps({"writer": writer, "row": {}}) + "\n" for writer in (NAME, "Bob"))
    )
    return data_dir


def read(drawings: list[Sample]) -> ReadDrawings:
    images = np.stack([sample.raster for sample in drawings])
    n = len(images)
    return ReadDrawings(("1", "7"), images, np.zeros(n, np.int64), np.zeros(n, np.int64), np.ones(n))


def old_store(path: Path, drawings: list[Sample]) -> None:
    """A copy as version 4 had it, from before the writer was renamed."""
    from qtdigits.store.tables import schema

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for step in schema.MIGRATIONS[:4]:
            step(db)
        db.execute("INSERT INTO writers VALUES (1, ?, ?), (2, 'Bob', 'Bob')", (FIRST_NAME, FIRST_NAME))
        for number, sample in enumerate(drawings):
            assert sample.ink is not None
            db.execute(
                """INSERT INTO samples (writer_id, class_id, ordinal, held_out, origin, device, drawn_at,
                    preprocessing, digest, raster, ink) VALUES (1, '7', ?, 0, 'drawn', '', 0, 1, x'00', ?, ?)""",
                (number, sample.raster.tobytes(), encode_ink(sample.ink)),
            )
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 4")


def secrets_of(drawings: list[Sample]) -> dict[str, bytes]:
    found = {"name": NAME.encode(), "first name": FIRST_NAME.encode(), "escaped": b"Zebed\\u00e4us"}
    for number, sample in enumerate(drawings):
        assert sample.ink is not None
        found[f"raster {number}"] = sample.raster.tobytes()[:200]
        found[f"ink {number}"] = encode_ink(sample.ink)
    return found


def places_of(secrets: dict[str, bytes], folder: Path) -> set[tuple[str, str]]:
    """Where any of the secrets stands, in every byte of every file and in the names of files."""
    found = set()
    for path in folder.rglob("*"):
        content = (path.read_bytes() if path.is_file() else b"") + path.name.encode()
        found |= {(path.name, what) for what, secret in secrets.items() if secret in content}
    return found


def test_that_no_byte_of_an_erased_writer_is_left(full: Path, theirs: list[Sample]) -> None:
    secrets = secrets_of(theirs)
    named = {name for name, _ in places_of(secrets, full)}
    assert {
        "samples.db",
        "theirs.h5",
        "all.h5",
        "samples.db.before-v4",
        "settings.ini",
        "engine.log",
    } <= named
    done = wipe_writer(full, NAME)
    assert places_of(secrets, full) == set()
    assert (done.drawings, done.judgements, done.models, done.left) == (4, 1, ("theirs",), ())
    assert done.runs == 2
    assert not (full / "runs" / "run-all" / "readings.npz").exists()


def test_that_everybody_else_stays(full: Path, theirs: list[Sample]) -> None:
    wipe_writer(full, NAME)
    with SampleStore.open(full) as store:
        assert store.check() == ()
        assert store.writers() == ["Bob"]
        assert (store.count(), len(list(store.trials()))) == (3, 1)
        assert store.judging_models() == ["hand-of-somebody"]
        assert store.running_accuracy(writer="Bob", model="hand-of-somebody") == (0, 1)
        assert [run.id for run in store.runs.records()] == ["run-all"]
        assert store.queue.entries() == []
    library = ModelLibrary(full)
    assert library.champion_path() == full / "models" / "all.h5"
    assert len(load_model(full / "models" / "all.h5").golden.images) == 2
    assert (full / "settings.ini").read_text() == "[General]\ntheme=dark\n"
    assert json.loads((full / "set-aside.jsonl").read_text())["writer"] == "Bob"
    for backup in backups.backups(full):
        with SampleStore.open_read_only(backup.path, is_foreign=True) as store:
            assert store.writers() == ["Bob"]


def test_that_a_rescued_store_is_cleaned_too(full: Path, tmp_path: Path, theirs: list[Sample]) -> None:
    with SampleStore.open(tmp_path / "rescued") as store:
        store.judge(theirs[0], a_trial("7", NAME))
    wipe_writer(full, NAME, also=[tmp_path / "rescued", tmp_path / "nowhere"])
    assert places_of(secrets_of(theirs), tmp_path) == set()


def test_that_a_name_that_is_part_of_words_leaves_the_words(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path) as store:
        store.add_samples([a_sample("7", "an"), a_sample("7", "Bob")])
        store.runs.add(RunRecord("run", {"name": "quick"}, note="an evening with Anna"))
    wipe_writer(tmp_path, "an")
    with SampleStore.open(tmp_path) as store:
        assert store.writers() == ["Bob"]
        assert store.runs.records()[0].note == "an evening with Anna"


def test_that_nobody_is_erased_by_a_name_that_is_not_there(full: Path) -> None:
    with pytest.raises(InputError, match="no writer 'Eve'"):
        wipe_writer(full, "Eve")


def test_that_nobody_is_erased_while_a_training_runs(full: Path) -> None:
    lock = ProcessLock(full / "training.lock")
    assert lock.acquire()
    with pytest.raises(InputError, match="A training is running"):
        wipe_writer(full, NAME)
    lock.release()


def test_that_an_exported_writer_can_be_merged_elsewhere(full: Path, tmp_path: Path) -> None:
    assert export_writer(full, NAME, tmp_path / "out.db") == 4
    assert b"Bob" not in (tmp_path / "out.db").read_bytes()
    with SampleStore.open(tmp_path / "elsewhere") as store:
        merged = store.merge_store(tmp_path / "out.db")
        assert (merged.added, merged.trials, store.writers()) == (3, 1, [NAME])
        assert store.check() == ()
    shutil.rmtree(tmp_path / "elsewhere")
