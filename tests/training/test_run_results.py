"""What is left of the result of an earlier run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gui.models import saved_model
from qtdigits.core.run.events import RunFinished
from qtdigits.core.run.figures import RunFigures
from qtdigits.errors import ModelFileError
from qtdigits.store.run_files import save_result
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training.runs import result_of

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
    save_result(tmp_path, finished)
    found = result_of(tmp_path, a_run(model))
    assert (found.finished, found.problem) == (finished, "")


def test_that_a_moved_data_folder_has_its_models_with_it(tmp_path: Path, model: Path) -> None:
    finished = RunFinished("run", "completed", "/old/place/models/new.h5", 4, 3, 9.0, SCORES)
    save_result(tmp_path, finished)
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
    save_result(tmp_path, RunFinished("run", "completed", str(model), 4, 3, 9.0, SCORES))
    model.unlink()
    found = result_of(tmp_path, a_run(model))
    assert (found.finished.model, found.finished.scores) == ("", SCORES)
    assert "is not there any more" in found.problem


def test_that_nothing_is_made_up_where_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="only the curves are kept"):
        result_of(tmp_path, a_run(tmp_path / "gone.h5"))
