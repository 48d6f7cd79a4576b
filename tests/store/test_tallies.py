from __future__ import annotations

import contextlib
import itertools
import sqlite3
from pathlib import Path

import pytest

from qtdigits.core.drawing.samples import Suspicion
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial


@pytest.fixture
def store(tmp_path: Path):
    """Two writers, three labels, two models, all of them mixed."""
    with SampleStore.open(tmp_path) as store:
        for number in range(30):
            writer, label = ("Ada", "Bob")[number % 2], "123"[number % 3]
            store.judge(
                a_sample(label, writer), a_trial(label, writer, model="ab"[number % 5 == 0], answer="1")
            )
        store.judge(None, a_trial(None, "Ada", model="a"))
        yield store


def test_that_the_tallies_are_what_is_counted_whatever_is_done(store: SampleStore, tmp_path: Path) -> None:
    ids = [int(i) for i in store.ids()]
    store.relabel(ids[:5], "9")
    undone = store.relabel(ids[5:10], "8")
    store.restore(undone)
    store.set_weight(ids[:3], 4)
    deleted = store.delete_samples(ids[8:20])
    store.restore(store.delete_samples(ids[20:22]))
    store.mark_suspects({i: Suspicion(0.9, "1", "looks like one") for i in ids[:4]})
    store.accept_labels(ids[:2])
    store.take_back(store.last_trial("Bob"))
    store.merge_writers("Bob", "Ada")
    store.add_samples([a_sample("7", "Cleo")])
    with SampleStore.open(tmp_path / "other") as other:
        other.judge(a_sample(), a_trial())
    store.merge_store(tmp_path / "other")
    assert deleted.ids
    assert store.check() == ()
    for writer, label, held_out, is_suspect in itertools.product(
        (None, "Ada", "Cleo", "Nobody"), (None, "1", "9", "no such"), (None, True, False), (None, True, False)
    ):
        chosen = {"writer": writer, "label": label, "held_out": held_out, "is_suspect": is_suspect}
        assert store.count(**chosen) == len(store.ids(**chosen)), chosen
    for model in ("a", "b", "mlp"):
        outcomes = store.outcomes("Ada", model)
        assert store.running_accuracy(writer="Ada", model=model) == (outcomes.sum(), len(outcomes))


def test_that_a_wrong_tally_is_found(store: SampleStore) -> None:
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE trial_tally SET n = n + 2 WHERE model = 'a' AND verdict = 'confirmed'")
        db.execute("DELETE FROM sample_tally WHERE class_id = '3' AND held_out = 0 AND writer_id = 1")
        db.commit()
    problems = store.check()
    assert any("trial_tally is wrong by 2" in problem for problem in problems)
    assert any("sample_tally is wrong by -" in problem for problem in problems)
