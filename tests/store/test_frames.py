from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qtdigits.core.drawing.samples import Suspicion
from qtdigits.core.recipe_files import Recipe
from qtdigits.core.run.figures import RunFigures
from qtdigits.core.run.history import History
from qtdigits.store.frames import (
    CURVE_COLUMNS,
    RUN_COLUMNS,
    SAMPLE_COLUMNS,
    TRIAL_COLUMNS,
    csv_of,
    curves_frame,
)
from qtdigits.store.tables.rows import SampleFilter
from qtdigits.store.tables.runs import RunRecord, runs_frame
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_history, a_sample, a_trial, an_image

NOON = datetime(2024, 5, 1, 12, 0, 0, 250_000, UTC)


@pytest.fixture
def store(tmp_path: Path):
    """Sample 1 is doubted, 2 deleted, 3 an image that was imported; the last trial was skipped."""
    with SampleStore.open(tmp_path) as store:
        store.judge(a_sample("07", "Bø", drawn_at=NOON), a_trial("07", "Bø", answer="1"))
        store.judge(a_sample("1"), a_trial("1", answer="1"))
        store.add_samples([an_image("3", weight=2)])
        store.judge(None, a_trial(None))
        store.mark_suspects({1: Suspicion(0.75, "1", "it looks like one")})
        store.delete_samples([2])
        yield store


def test_that_a_frame_of_samples_has_one_row_for_each_with_its_types(store: SampleStore) -> None:
    frame = store.samples_frame()
    assert list(frame) == list(SAMPLE_COLUMNS)
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["label"].tolist() == ["07", "1", "3"]
    assert frame["drawn_at"][0] == pd.Timestamp(NOON)
    assert isinstance(frame["drawn_at"].dtype, pd.DatetimeTZDtype)
    assert frame["doubted"].tolist() == [True, False, False]
    assert frame["deleted"].tolist() == [False, True, False]
    assert frame["has_ink"].tolist() == [True, True, False]
    assert frame["weight"].tolist() == [1, 1, 2]
    assert (frame["suggestion"][0], frame["suspicion"][0]) == ("1", 0.75)
    assert frame["suggestion"].isna().tolist() == [False, True, True]
    assert all(
        frame[name].dtype == bool for name in ("held_out", "doubted", "deleted", "reviewed", "has_ink")
    )


def test_that_a_frame_of_samples_can_be_filtered_and_fits_the_dataset(store: SampleStore) -> None:
    chosen = SampleFilter()
    assert store.samples_frame(chosen)["id"].tolist() == list(store.dataset(chosen, with_doubted=True).ids)
    assert store.samples_frame(SampleFilter(writer="Bø"))["label"].tolist() == ["07"]


def test_that_a_frame_of_trials_tells_answer_and_truth(store: SampleStore) -> None:
    frame = store.trials_frame()
    assert list(frame) == list(TRIAL_COLUMNS)
    assert frame["verdict"].tolist() == ["corrected", "confirmed", "skipped"]
    assert frame["truth"].tolist()[:2] == ["07", "1"]
    assert frame["truth"].isna()[2]
    assert frame["sample_id"].tolist()[0] == 1
    assert frame["sample_id"].isna().tolist() == [False, True, True]
    assert frame["probability"].tolist() == pytest.approx([0.9, 0.9, 0.9])
    assert isinstance(frame["judged_at"].dtype, pd.DatetimeTZDtype)


def test_that_frames_of_an_empty_store_have_the_same_columns_and_types(
    store: SampleStore, tmp_path: Path
) -> None:
    with SampleStore.open(tmp_path / "empty") as empty:
        for full, none in (
            (store.samples_frame(), empty.samples_frame()),
            (store.trials_frame(), empty.trials_frame()),
        ):
            assert len(none) == 0
            assert full.dtypes.astype(str).tolist() == none.dtypes.astype(str).tolist()
    assert list(runs_frame([])) == list(RUN_COLUMNS)


def test_that_a_frame_of_runs_has_figures_scores_and_recipes() -> None:
    figures = RunFigures(3, 2, 0.5, 0.9, None, 12.5, {"MNIST test": (0.98, 10_000)}, {"MNIST": 54_000})
    runs = [
        RunRecord("a1", Recipe(name="quick").to_json(), "completed", NOON, NOON, "m.h5", figures=figures),
        RunRecord("b2", Recipe(name="quick", epochs=99).to_json(), deleted_at=NOON),
    ]
    frame = runs_frame(runs)
    assert frame["id"].tolist() == ["a1", "b2"]
    assert frame["started_at"][0] == pd.Timestamp(NOON)
    assert frame["ended_at"].isna().tolist() == [False, True]
    assert frame["deleted"].tolist() == [False, True]
    assert frame["accuracy MNIST test"][0] == 0.98
    assert frame["n MNIST test"].isna().tolist() == [False, True]
    assert frame["data MNIST"][0] == 54_000
    assert frame["recipe epochs"][1] == 99
    assert "recipe batch_size" not in runs_frame(runs, recipe_fields={"epochs"})


def test_that_the_frame_of_all_runs_has_those_in_the_trash_too(store: SampleStore) -> None:
    for number, run_id in enumerate(("old", "new")):
        store.runs.add(RunRecord(run_id, {"name": "quick"}, started_at=NOON.replace(hour=number)))
    store.runs.delete(["old"])
    frame = store.runs.frame()
    assert frame["id"].tolist() == ["new", "old"]
    assert frame["deleted"].tolist() == [False, True]


def test_that_a_frame_of_curves_has_batches_and_epochs_in_the_order_of_their_steps() -> None:
    frame = curves_frame([("b", a_history()), ("a", a_history())])
    assert tuple(frame) == CURVE_COLUMNS
    assert frame["run"].tolist() == ["b"] * 3 + ["a"] * 3
    assert frame["step"].tolist() == [10, 20, 20] * 2
    assert frame["kind"].tolist() == ["batch", "batch", "epoch"] * 2
    assert frame["val_accuracy"].isna().tolist() == [True, True, False] * 2
    assert tuple(curves_frame([])) == tuple(curves_frame([("a", History())])) == CURVE_COLUMNS


def test_that_csv_leaves_empty_what_is_missing_and_keeps_labels_as_text(store: SampleStore) -> None:
    text = csv_of(store.samples_frame())
    assert re.match(r"1,07,Bø,drawn,mouse,2024-05-01 12:00:00\.250(000)?\+00:00,True,", text.splitlines()[1])
    back = pd.read_csv(StringIO(text), dtype={"label": str})
    assert back["label"].tolist() == ["07", "1", "3"]
    assert np.isnan(back["suspicion"][1])
    epochs = csv_of(curves_frame([("a", a_history())])).splitlines()
    assert epochs[1].startswith("a,batch,,10,0.5,0.75,")
    assert epochs[3].startswith("a,epoch,1,20,")
