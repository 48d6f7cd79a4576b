"""kill -9 at each point: what was said to be done is done, and nothing is half done."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bad_days.killing import kill_at, points_of
from bad_days.victims import CHAMPIONS, N_EDITED, number_of
from qtdigits.core.drawing.samples import Verdict
from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model, save_model
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_model, an_ink

pytestmark = pytest.mark.slow
DRAWINGS_PER_FILE = 300
WRITING = {"BEGIN IMMEDIATE", "INSERT INTO samples", "COMMIT", "say"}
REPLACING = {"fsync", "rename", "say"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with models of its own and one that travels with the program."""
    for name in ("models/a", "models/b", "models/c", "models/again", "shipped/s"):
        path = tmp_path / f"{name}.h5"
        path.parent.mkdir(exist_ok=True)
        save_model(a_model(name=path.stem), path)
    return tmp_path


def test_that_every_acknowledged_drawing_is_there(folder: Path) -> None:
    SampleStore.open(folder).close()
    acknowledged = 0
    for point in points_of("judge", folder, n_said=5, expected={*WRITING, "INSERT INTO trials"}):
        said = [int(word) for word in kill_at("judge", folder, point)]
        with SampleStore.open(folder) as store:
            samples, trials = list(store.samples()), list(store.trials())
            assert store.check() == ()
        acknowledged += len(said)
        numbers = [number_of(sample.ink.strokes[0]) for sample in samples]
        assert numbers == list(range(len(samples)))  # none is missing, none is there twice
        assert set(said) <= set(numbers)
        assert [trial.sample_id for trial in trials] == [sample.id for sample in samples]
        assert {trial.verdict for trial in trials} <= {Verdict.CONFIRMED}
        assert _leftovers(folder) == []
    assert acknowledged > 0


def test_that_an_import_is_whole_or_absent(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for number in range(10):
        inks = (LabelledInk(str(i % 10), f"w{number}", an_ink()) for i in range(DRAWINGS_PER_FILE))
        write_ink_jsonl(tmp_path / "files" / f"w{number}.jsonl", inks)
    acknowledged = 0
    for point in points_of("bring_in", tmp_path, n_said=3, expected={*WRITING, "CREATE TABLE"}):
        for path in (tmp_path / "data").glob("samples.db*"):
            path.unlink()
        said = kill_at("bring_in", tmp_path, point)
        acknowledged += len(said)
        with SampleStore.open(tmp_path / "data") as store:
            counts = {writer: store.count(writer=writer) for writer in store.writers()}
            assert store.check() == ()
        assert set(counts.values()) <= {DRAWINGS_PER_FILE}
        assert set(said) <= set(counts)
        assert len(counts) <= len(said) + 1
    assert acknowledged > 0


def test_that_a_change_of_many_drawings_is_whole_or_absent(tmp_path: Path) -> None:
    """Each step concerns the 40 drawings of a writer and label; none of them is ever seen between two states."""
    SampleStore.open(tmp_path).close()
    for point in points_of("edit", tmp_path, n_said=6, expected={*WRITING, "UPDATE samples SET"}):
        said = kill_at("edit", tmp_path, point)
        with SampleStore.open(tmp_path) as store:
            assert store.check() == ()
            for writer, label in itertools.product(("Ada", "Bob"), "38"):
                for samples in (
                    list(store.samples(writer=writer, label=label)),
                    list(store.samples(writer=writer, label=label, is_deleted=True)),
                ):
                    assert len(samples) % N_EDITED == 0
                    light = sum(sample.weight == 1 for sample in samples)
                    assert light % N_EDITED == 0
            if said and said[-1].startswith("merged"):
                assert store.count(writer="Ada", label="8") >= N_EDITED


def test_that_a_champion_loads_while_champions_come_and_go(folder: Path) -> None:
    library = ModelLibrary(folder, shipped=folder / "shipped")
    points = points_of("promote", folder, n_said=5, expected=REPLACING)
    before = library.load_champion()[0].name
    for point in points:
        said = kill_at("promote", folder, point)
        model, notice = library.load_champion()
        assert notice == ""
        assert model.name in {said[-1] if said else before, CHAMPIONS[len(said) % len(CHAMPIONS)]}
        before = model.name
        assert len(_leftovers(folder)) <= 1
    SampleStore.open(folder).close()
    assert _leftovers(folder) == []


def test_that_a_model_is_saved_whole_or_not_at_all(folder: Path) -> None:
    for point in points_of("save", folder, n_said=5, expected=REPLACING):
        said = kill_at("save", folder, point)
        files = {path.name for path in (folder / "models").glob("*.h5")}
        assert {*said, "a.h5", "b.h5", "c.h5", "again.h5"} <= files
        for name in files:
            check_model(folder / "models" / name)
        assert len(_leftovers(folder / "models")) <= 1
    ModelLibrary(folder, shipped=folder / "shipped").new_path("new")
    assert _leftovers(folder / "models") == []


def _leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]
