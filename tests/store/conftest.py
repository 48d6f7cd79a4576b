from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial, an_image


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """The connections that are made from here on: that of a store is the last one when it has been opened."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remembered(*arguments: Any, **options: Any) -> sqlite3.Connection:
        made.append(connect(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", remembered)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with three drawings, of which the second is an image, two judgements and two runs."""
    with SampleStore.open(tmp_path) as store:
        store.add_samples([a_sample("1"), an_image("2")])
        store.judge(a_sample("3"), a_trial("3"))
        store.judge(a_sample("7"), a_trial("7"))
        for number in "12":
            store.runs.add(RunRecord(f"run{number}", {"name": "quick", "epochs": 2}))
    return tmp_path
