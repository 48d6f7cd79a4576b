from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    with SampleStore.open(tmp_path) as store:
        for name in "abc":
            store.queue.add(name, {"run": name})
        yield store


def line(store: SampleStore) -> str:
    return "".join(entry.run_id for entry in store.queue.entries())


def test_that_runs_wait_in_the_order_they_came_also_after_a_restart(
    store: SampleStore, tmp_path: Path
) -> None:
    with SampleStore.open(tmp_path) as other:
        assert line(other) == "abc"
        assert other.queue.entries()[1].request == {"run": "b"}


@pytest.mark.parametrize(
    ("run_id", "by", "after"),
    [("c", -1, "acb"), ("c", -2, "cab"), ("c", -9, "cab"), ("a", 1, "bac"), ("a", 9, "bca"), ("x", 1, "abc")],
)
def test_that_the_order_can_be_changed(store: SampleStore, run_id: str, by: int, after: str) -> None:
    store.queue.move(run_id, by)
    assert line(store) == after
    store.queue.add("d", {})
    assert line(store) == after + "d"


def test_that_a_run_can_leave_the_line(store: SampleStore) -> None:
    for _ in range(2):
        store.queue.remove("b")
        assert line(store) == "ac"


def test_that_a_run_that_waits_already_keeps_its_place(store: SampleStore) -> None:
    store.queue.add("a", {"run": "a", "name": "other"})
    assert line(store) == "abc"
    assert store.queue.entries()[0].request["name"] == "other"


def test_that_the_line_tells_which_run_was_begun_before(store: SampleStore) -> None:
    store.runs.add(RunRecord("b", {}))
    assert [entry.is_known for entry in store.queue.entries()] == [False, True, False]
