from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from qtdigits.core.drawing.samples import Suspicion
from qtdigits.errors import InputError, StoreError
from qtdigits.store.tables import schema
from qtdigits.store.tables.merging import MergedStores, MergedWriters
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial, an_image, same_sample


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    with SampleStore.open(tmp_path / "mine") as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> SampleStore:
    with SampleStore.open(tmp_path / "theirs") as opened:
        yield opened


def test_that_a_merged_writers_drawings_stay_held_out_or_not(store: SampleStore) -> None:
    for name in ("Ada", "me"):
        for _ in range(7):
            store.judge(a_sample(writer=name), a_trial(writer=name))
    held_out = store.ids(held_out=True).tolist()
    assert store.merge_writers("me", "Ada") == MergedWriters(moved=7, doubles=0)
    assert store.ids(held_out=True).tolist() == held_out
    assert store.writers() == ["Ada"]
    assert store.count(writer="Ada") == 14
    assert store.running_accuracy(writer="Ada", model="mlp") == (14, 14)
    assert store.check() == ()


def test_that_what_both_writers_have_is_kept_once(store: SampleStore) -> None:
    samples = [a_sample(), a_sample()]
    store.add_samples([*samples, a_sample(), *(replace(s, writer="me") for s in samples)])
    assert store.merge_writers("me", "Ada") == MergedWriters(moved=0, doubles=2)
    assert store.count() == 3
    assert store.ids(is_deleted=True).tolist() == [4, 5]


def test_that_a_drawing_with_another_label_is_another_drawing(store: SampleStore) -> None:
    sample = a_sample("7")
    store.add_samples([sample, replace(sample, writer="me", label="1")])
    assert store.merge_writers("me", "Ada") == MergedWriters(moved=1, doubles=0)
    assert [s.label for s in store.samples(writer="Ada")] == ["7", "1"]


def test_that_only_two_writers_who_are_there_can_be_merged(store: SampleStore) -> None:
    store.add_writer("Ada")
    for source, into in (("Ada", "Ada"), ("Ada", "Bob"), ("Bob", "Ada")):
        with pytest.raises(InputError):
            store.merge_writers(source, into)
    assert store.writers() == ["Ada"]


def test_that_a_merged_store_brings_all_that_is_known_of_its_drawings(
    store: SampleStore, other: SampleStore
) -> None:
    store.add_samples([a_sample("A", "Bob")])
    trials = [
        other.judge(a_sample(label, "Ada"), replace(a_trial(label, "Ada"), network_answer=label))
        for label in "7171π"
    ]
    other.add_samples([an_image("7", "Bob"), a_sample("7", "Bob")])
    skipped = other.judge(None, a_trial(None, "Ada"))
    other.set_weight([1], 5)
    other.mark_suspects({2: Suspicion(0.5, "7", "why")})
    other.accept_labels([3])
    other.relabel([4], "7")
    other.delete_samples([7])
    theirs = list(other.samples())
    assert store.merge_store(other.path) == MergedStores(added=6, skipped=0, trials=6)
    ours = [sample for sample in store.samples() if sample.id != 1]
    for mine, their in zip(ours, theirs, strict=True):
        assert same_sample(mine, their)
        for name in ("held_out", "weight", "suspicion", "is_reviewed"):
            assert getattr(mine, name) == getattr(their, name)
    assert [c.label for c in store.classes()][10:] == ["A", "π"]
    judged = list(store.trials())
    assert [t.judged_at for t in judged] == [t.judged_at for t in (*trials, skipped)]
    assert [t.sample_id for t in judged] == [*(sample.id for sample in ours[:5]), None]
    assert [t.network_answer for t in judged] == [*"7171π", ""]
    assert store.running_accuracy(writer="Ada", model="mlp") == other.running_accuracy(
        writer="Ada", model="mlp"
    )
    assert store.check() == ()


def test_that_a_store_that_is_merged_twice_counts_once(store: SampleStore, other: SampleStore) -> None:
    image = an_image()
    other.add_samples([image, image])
    other.judge(a_sample("1"), a_trial("1"))
    assert store.merge_store(other.path.parent) == MergedStores(3, 0, 1)
    store.relabel([3], "4")
    other.judge(a_sample("2"), a_trial("2"))
    assert store.merge_store(other.path.parent) == MergedStores(1, 3, 1)
    assert [s.label for s in store.samples()] == ["7", "7", "4", "2"]


def test_that_a_drawing_that_was_relabelled_there_is_known_by_the_label_that_it_came_with(
    store: SampleStore, other: SampleStore
) -> None:
    sample = a_sample("7")
    for each in (store, other):
        each.add_samples([sample])
    other.relabel([1], "1")
    assert store.merge_store(other.path) == MergedStores(added=0, skipped=1, trials=0)
    assert [s.label for s in store.samples()] == ["7"]


def test_that_judgements_find_drawings_that_came_before_them(store: SampleStore, other: SampleStore) -> None:
    """The ink was exchanged as a file, then the whole store."""
    judged = other.judge(a_sample("1"), a_trial("1"))
    store.add_samples([a_sample("5"), *other.samples()])
    assert store.merge_store(other.path) == MergedStores(0, 1, 1)
    assert store.trial_of(2).judged_at == judged.judged_at


def test_that_a_new_writers_hold_out_goes_on_as_it_was_begun(store: SampleStore, other: SampleStore) -> None:
    other.add_writer("Ada")
    other.rename_writer("Ada", "Ada L.")
    store.merge_store(other.path)
    for each in (store, other):
        each.add_samples([a_sample(writer="Ada L.") for _ in range(40)])
    assert store.ids(held_out=True).tolist() == other.ids(held_out=True).tolist()


def test_that_a_merge_that_fails_adds_nothing(store: SampleStore, other: SampleStore) -> None:
    other.add_samples([a_sample("A", "Bob") for _ in range(3)])
    other.judge(a_sample("7", "Bob"), a_trial("7", "Bob"))
    other.close()
    with sqlite3.connect(other.path) as db:
        db.execute("UPDATE trials SET sample_id = NULL, probabilities = x''")
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE samples SET raster = x'00' WHERE id = 3")
    db.close()
    with pytest.raises(InputError, match="drawing 3 is damaged"):
        store.merge_store(other.path)
    assert (store.count(), store.writers(), len(store.classes())) == (0, [], 10)


def test_that_a_store_is_not_merged_with_itself(store: SampleStore) -> None:
    with pytest.raises(InputError, match="the store itself"):
        store.merge_store(store.path.parent)


def test_that_what_is_no_store_is_reported(store: SampleStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no file"):
        store.merge_store(tmp_path / "nowhere.db")
    (tmp_path / "letter.db").write_text("Dear bank")
    with pytest.raises(StoreError, match="damaged"):
        store.merge_store(tmp_path / "letter.db")


def test_that_a_backup_from_before_the_last_version_can_be_merged(store: SampleStore, tmp_path: Path) -> None:
    path = tmp_path / "samples.db.before-v2"
    _make_version_1(path)
    before = path.read_bytes()
    assert store.merge_store(path) == MergedStores(2, 0, 1)
    assert [(s.writer, s.label, s.weight, s.held_out) for s in store.samples()] == [
        ("Ada", "7", 1, True),
        ("Ada", "1", 1, False),
    ]
    assert path.read_bytes() == before


def test_that_a_store_of_version_1_keeps_all_it_has(tmp_path: Path) -> None:
    _make_version_1(tmp_path / "samples.db")
    with SampleStore.open(tmp_path) as store:
        assert [(s.label, s.held_out, s.weight, s.suspicion) for s in store.samples()] == [
            ("7", True, 1, None),
            ("1", False, 1, None),
        ]
        assert store.last_trial("Ada").sample_id == 1
        assert store.outcomes("Ada", "mlp").tolist() == [True]
        assert store.check() == ()
    assert (tmp_path / "samples.db.before-v2").exists()


def _make_version_1(path: Path) -> None:
    """Two samples and a trial as version 1 of the schema had them."""
    db = sqlite3.connect(path)
    schema.MIGRATIONS[0](db)
    db.execute("INSERT INTO writers VALUES (1, 'Ada', 'Ada')")
    for label, held_out in (("7", 1), ("1", 0)):
        db.execute(
            """INSERT INTO samples (writer_id, class_id, ordinal, held_out, origin, device, drawn_at,
                preprocessing, digest, raster) VALUES (1, ?, 0, ?, 'image', '', 0, 1, ?, zeroblob(784))""",
            (label, held_out, label.encode()),
        )
    db.execute("INSERT INTO label_sets VALUES (1, '[\"7\"]')")
    db.execute(
        """INSERT INTO trials (writer_id, model, answer, verdict, truth, judged_at, sample_id, label_set_id,
            probabilities) VALUES (1, 'mlp', '7', 'confirmed', '7', 0, 1, 1, zeroblob(8))"""
    )
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
