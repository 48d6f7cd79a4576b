"""Runs are kept with names, notes and figures, can be thrown away and put back, and survive what ends them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qtdigits.core.run.figures import RunFigures, figures_of
from qtdigits.errors import InputError, StoreError
from qtdigits.store.tables import schema
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from store.statements import statements_of
from store.values import a_history

START = datetime(2024, 5, 1, tzinfo=UTC)
SCORES = {"my hold-out": {"accuracy": 0.97, "n": 34}, "empty": {"accuracy": 0.0, "n": 0}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    with SampleStore.open(tmp_path) as store:
        for number, name in enumerate(("aa1", "aa2", "b3")):
            recipe = {"name": "quick", "epochs": number}
            store.runs.add(RunRecord(name, recipe, started_at=START + timedelta(hours=number)))
        yield store


def ids(store: SampleStore, *, in_trash: bool = False) -> list[str]:
    return [run.id for run in store.runs.records(in_trash=in_trash)]


def test_that_the_latest_run_comes_first(store: SampleStore) -> None:
    assert ids(store) == ["b3", "aa2", "aa1"]


def test_that_a_run_that_ended_has_its_figures_in_the_list(store: SampleStore) -> None:
    store.runs.end(
        "aa1", state="completed", model="m.h5", history=a_history(), figures=figures_of(a_history(), SCORES)
    )
    run = store.runs.find("aa1")
    assert run.figures == RunFigures(
        epochs=1,
        best_epoch=1,
        val_loss=0.35,
        val_accuracy=0.77,
        elapsed_s=2.5,
        scores={"my hold-out": (0.97, 34)},
    )
    assert (run.state, run.title) == ("completed", "quick")


def test_that_a_run_which_never_ended_keeps_its_curves_so_far(store: SampleStore) -> None:
    store.runs.save_history("aa2", a_history())
    run = store.runs.find("aa2")
    assert (run.state, run.figures.best_epoch) == ("running", 1)
    kept = store.runs.history("aa2")
    assert kept is not None
    assert kept.to_json() == a_history().to_json()


def test_that_a_run_can_be_named_and_noted(store: SampleStore) -> None:
    store.runs.rename("aa1", "  wide \n net ")
    store.runs.set_note("aa1", "twice as wide\nas before ")
    run = store.runs.find("wide net")
    assert (run.id, run.title, run.note) == ("aa1", "wide net", "twice as wide\nas before")
    store.runs.rename("aa1", "")
    assert store.runs.find("aa1").title == "quick"


def test_that_a_deleted_run_can_be_put_back(store: SampleStore) -> None:
    store.runs.end("aa1", state="completed", history=a_history())
    store.runs.delete(["aa1", "b3"])
    assert (ids(store), ids(store, in_trash=True)) == (["aa2"], ["b3", "aa1"])
    with pytest.raises(InputError, match="The run b3 is in the trash"):
        store.runs.find("b3")
    store.runs.restore(["aa1", "b3"])
    assert ids(store) == ["b3", "aa2", "aa1"]
    assert store.runs.history("aa1") is not None


def test_that_none_is_deleted_when_one_is_not_there(store: SampleStore) -> None:
    with pytest.raises(StoreError, match="no run 'nowhere'"):
        store.runs.delete(["aa1", "nowhere"])
    assert ids(store) == ["b3", "aa2", "aa1"]


@pytest.mark.parametrize("change", ["save_history", "rename", "set_note", "history"])
def test_that_a_run_that_is_not_there_is_named(store: SampleStore, change: str) -> None:
    arguments = {"save_history": [a_history()], "history": []}.get(change, ["x"])
    with pytest.raises(StoreError, match="no run 'nowhere'"):
        getattr(store.runs, change)("nowhere", *arguments)


def test_that_a_run_is_found_by_the_beginning_of_its_id(store: SampleStore) -> None:
    assert store.runs.find("b").id == "b3"
    with pytest.raises(InputError, match=r"fits several runs.*aa2, aa1"):
        store.runs.find("aa")
    with pytest.raises(InputError, match="There is no run ''"):
        store.runs.find("")


def test_that_a_list_of_runs_reads_no_history(
    connections: list[sqlite3.Connection], store: SampleStore
) -> None:
    statements = statements_of(connections[-1], store.runs.records)
    assert [statement for statement in statements if "runs" in statement]
    assert not [statement for statement in statements if "*" in statement or "history" in statement]


def test_that_runs_of_before_there_were_names_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:3])
        patch.setattr(schema, "TABLES", schema.TABLES - {"queue", "class_sets", "class_set_members"})
        SampleStore.open(tmp_path).close()
    history = json.dumps(a_history().to_json())
    db = sqlite3.connect(tmp_path / "samples.db")
    rows = [("old", 1, history), ("older", 0, None), ("odd", 2, "not a history")]
    db.executemany("INSERT INTO runs VALUES (?, '{}', 'completed', ?, 5, 'm.h5', ?)", rows)
    db.commit()
    db.close()
    with SampleStore.open(tmp_path) as store:
        odd, old, older = store.runs.records()
        assert (old.id, old.figures.val_accuracy, old.model) == ("old", 0.77, "m.h5")
        assert store.runs.history("old") is not None
        assert (older.id, older.figures) == ("older", RunFigures())
        assert (odd.id, odd.figures) == ("odd", RunFigures())
