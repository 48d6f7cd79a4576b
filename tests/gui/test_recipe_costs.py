from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gui.models import saved_model
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.figures import Estimate, RunFigures
from qtdigits.gui.panels.training.recipe_page import RecipeCosts, epoch_text
from qtdigits.gui.session import Session
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore


class BlankReader:
    has_embedding = False

    def __init__(self, model, classes=None):
        self.label_set, self.model_name, self.undecided_below, self.n_read = DIGITS, model.name, 0.0, 0

    def show_as(self, classes):
        pass

    def probabilities(self, raster):
        self.n_read += 1
        return np.full(10, 0.1, np.float32)


@pytest.fixture
def session(qapp, data_dir: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("qtdigits.gui.current_reader.Reader", BlankReader)
    saved_model(tmp_path / "shipped" / "small.h5", drawn_accuracy=0.9)
    session = Session(
        store=SampleStore.open(data_dir),
        library=ModelLibrary(data_dir, shipped=tmp_path / "shipped"),
        data_dir=data_dir,
    )
    session.ensure_champion()
    yield session
    session.close()


def test_that_the_model_in_use_is_timed_once(session):
    costs = RecipeCosts(session=session)
    assert "ms, measured with small" in costs.text(Recipe(dense=""))
    n_read = session.reader.n_read
    assert "ms, going by small" in costs.text(Recipe(dense="50"))
    assert session.reader.n_read == n_read > 0


def test_that_a_run_tells_what_an_epoch_takes_once_it_was_made(session):
    costs = RecipeCosts(session=session)
    recipe = Recipe(drawings_weight=0)
    assert "known after the first training" in costs.text(recipe)
    session.store.runs.add(
        RunRecord(
            "r1",
            recipe.to_json(),
            name="first",
            figures=RunFigures(epochs=10, elapsed_s=600.0, data={"MNIST": 54_000}),
        )
    )
    costs.forget()
    assert "an epoch in 1:00, all 10 in 10:00, measured in the run first" in costs.text(recipe)


def test_that_an_estimate_says_that_it_is_one():
    said = epoch_text(Estimate(62.0, "small one", is_measured=False), epochs=1)
    assert said == "an epoch in about 1:02, going by the run small one"
