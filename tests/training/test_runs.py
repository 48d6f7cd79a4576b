"""What is left of the result of an earlier run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gui.models import saved_model
from qtdigits.core.run.events import RunFinished
from qtdigits.core.run.figures import RunFigures
from qtdigits.errors import ModelFileError, StoreError
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.runs import Trash, empty_trash, inspect_trash, megabytes, result_of

SCORES = {"MNIST test": {"accuracy": 0.9, "n": 10}}


def a_run(model: Path) -> RunRecord:
    return RunRecord("run", {}, state="completed", model=str(model), figures=RunFigures(4, 3, elapsed_s=7.0))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "new.h5"
    saved_model(path, drawn_accuracy=0.75)
    return path


def test_that_what_was_kept_comes_back(tmp_path: Path, model: Path) -> None:
    finished = RunFinished("run", "stopped", str(model), 4, 3, 9.0, SCORES, {"sentence": "better"})
    RunFolder(tmp_path, "run").save_result(finished)
    found = result_of(tmp_path, a_run(model))
    assert (found.finished, found.problem) == (finished, "")


def test_that_a_moved_data_folder_has_its_models_with_it(tmp_path: Path, model: Path) -> None:
    finished = RunFinished("run", "completed", "/old/place/models/new.h5", 4, 3, 9.0, SCORES)
    RunFolder(tmp_path, "run").save_result(finished)
    found = result_of(tmp_path, a_run(Path(finished.model)))
    assert found.finished == replace(finished, model=str(model))


@pytest.mark.parametrize("is_damaged", [False, True])
def test_that_a_run_without_a_kept_result_is_told_by_its_model(
    tmp_path: Path, model: Path, *, is_damaged: bool
) -> None:
    if is_damaged:
        (tmp_path / "runs" / "run").mkdir(parents=True)
        (tmp_path / "runs" / "run" / "result.json").write_text("junk")
    found = result_of(tmp_path, a_run(model)).finished
    assert found.scores["pendigits"]["accuracy"] == 0.75
    assert (found.outcome, found.epochs, found.best_epoch, found.model) == ("completed", 4, 3, str(model))


def test_that_figures_outlive_the_model_file(tmp_path: Path, model: Path) -> None:
    RunFolder(tmp_path, "run").save_result(RunFinished("run", "completed", str(model), 4, 3, 9.0, SCORES))
    model.unlink()
    found = result_of(tmp_path, a_run(model))
    assert (found.finished.model, found.finished.scores) == ("", SCORES)
    assert "is missing" in found.problem


def test_that_nothing_is_made_up_where_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="only the curves are stored"):
        result_of(tmp_path, a_run(tmp_path / "gone.h5"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    """`a` and `b` in the trash, each with a folder; `c` not."""
    with SampleStore.open(tmp_path) as store:
        for name in "abc":
            store.runs.add(RunRecord(name, {}))
            RunFolder(tmp_path, name).write_request({"of": name})
        store.runs.delete("ab")
        yield store


def left(store: SampleStore) -> list[str]:
    return sorted(run.id for trash in (False, True) for run in store.runs.records(in_trash=trash))


def test_that_what_is_in_the_trash_goes_with_its_folder_and_nothing_else(
    store: SampleStore, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.h5").write_bytes(b"a model")
    trash = inspect_trash(store, tmp_path)
    sizes = [path.stat().st_size for name in "ab" for path in (tmp_path / "runs" / name).iterdir()]
    assert (sorted(trash.runs), trash.size_bytes) == (["a", "b"], sum(sizes))
    assert sorted(empty_trash(store, tmp_path, trash)) == ["a", "b"]
    assert left(store) == ["c"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["c"]
    assert (tmp_path / "models" / "a.h5").exists()


def test_that_a_run_which_trains_or_waits_in_line_stays(store: SampleStore, tmp_path: Path) -> None:
    at_it = RunFolder(tmp_path, "a")
    assert at_it.lock.acquire()
    store.queue.add("b", {})
    assert inspect_trash(store, tmp_path).runs == ()
    at_it.lock.release()
    assert inspect_trash(store, tmp_path).runs == ("a",)


def test_that_a_run_put_back_meanwhile_stays(store: SampleStore, tmp_path: Path) -> None:
    trash = inspect_trash(store, tmp_path)
    store.runs.restore(["a"])
    assert empty_trash(store, tmp_path, trash) == ("b",)
    assert left(store) == ["a", "c"]
    assert RunFolder(tmp_path, "a").has_request


def test_that_a_run_taken_up_meanwhile_keeps_its_record_and_that_is_said(
    store: SampleStore, tmp_path: Path
) -> None:
    trash = inspect_trash(store, tmp_path)
    at_it = RunFolder(tmp_path, "a")
    assert at_it.lock.acquire()
    with pytest.raises(StoreError, match="1 of the runs could not be removed"):
        empty_trash(store, tmp_path, trash)
    at_it.lock.release()
    assert left(store) == ["a", "c"]


def test_that_the_question_says_how_much_and_what_stays() -> None:
    question = Trash(("a", "b"), 340_000_000).question
    assert question.startswith("Delete 2 runs for good, with curves, figures, notes and checkpoints?")
    assert "This frees 340 MB. The trained models stay." in question
    assert Trash(("a",), 0).question.startswith("Delete 1 run for good,")


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "less than 0.1 MB"), (3_440_000, "3.4 MB"), (99_960_000, "100.0 MB"), (1_234_000_000, "1,234 MB")],
)
def test_that_sizes_are_said_in_megabytes(size: int, said: str) -> None:
    assert megabytes(size) == said
