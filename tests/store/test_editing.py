from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from qtdigits.core.drawing.samples import Suspicion, Verdict, now
from qtdigits.errors import InputError
from qtdigits.store.tables import editing
from qtdigits.store.tables.editing import KEPT_IN_TRASH, Added, Deleted, Restored
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial

DOUBT = Suspicion(0.75, "1", "your other sevens have a bar")


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    with SampleStore.open(tmp_path) as opened:
        yield opened


def test_that_relabelling_changes_neither_the_hold_out_nor_its_pattern(store: SampleStore) -> None:
    for _ in range(10):
        store.judge(a_sample("7"), a_trial("7"))
    held_out = store.ids(held_out=True).tolist()
    store.relabel(store.ids(), "1")
    assert store.ids(held_out=True).tolist() == held_out
    assert store.count(label="1") == 10


def test_that_a_slip_of_the_finger_does_not_count_as_a_mistake_of_the_model(store: SampleStore) -> None:
    slip = store.judge(a_sample("1"), a_trial("1", answer="7"))
    change = store.relabel([slip.sample_id], "7")
    assert store.running_accuracy(writer="Ada", model="mlp") == (1, 1)
    assert (store.trial_of(slip.sample_id).truth, store.trial_of(slip.sample_id).answer) == ("7", "7")
    store.restore(change)
    assert store.running_accuracy(writer="Ada", model="mlp") == (0, 1)
    assert store.trial_of(slip.sample_id) == slip


def test_that_an_import_knows_what_was_relabelled(store: SampleStore) -> None:
    """Otherwise the wrong label would come back beside the right one, and perhaps out of the hold-out."""
    sample = a_sample("1")
    store.add_samples([sample])
    store.relabel(store.ids(), "7")
    store.relabel(store.ids(), "4")
    assert store.add_samples([sample]) == Added(0, 1)
    assert [s.label for s in store.samples()] == ["4"]


def test_that_a_label_that_cannot_be_one_changes_nothing(store: SampleStore) -> None:
    store.add_samples([a_sample("1")])
    with pytest.raises(InputError, match="not a label"):
        store.relabel(store.ids(), "\n")
    assert [s.label for s in store.samples()] == ["1"]


def test_that_what_is_deleted_can_be_put_back_days_later(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path) as store:
        store.add_samples([a_sample(str(i)) for i in range(10)])
        before = [(s.id, s.label, s.held_out) for s in store.samples()]
        deleted = store.delete_samples([2, 5, 99])
        assert deleted == Deleted((2, 5))
    with SampleStore.open(tmp_path) as store:
        assert store.count() == 8
        assert [s.id for s in store.samples(is_deleted=True)] == [2, 5]
        assert store.restore(deleted) == Restored((2, 5))
        assert [(s.id, s.label, s.held_out) for s in store.samples()] == before
        assert store.restore(deleted) == Restored(())


def test_that_the_trash_is_emptied_by_a_deletion_after_its_time(
    store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_samples([a_sample(), a_sample(), a_sample()])
    moment = now()
    for sample_id, age in ((1, KEPT_IN_TRASH + timedelta(hours=1)), (2, KEPT_IN_TRASH - timedelta(hours=1))):
        monkeypatch.setattr(editing, "now", lambda at=moment - age: at)
        store.delete_samples([sample_id])
    monkeypatch.undo()
    assert store.count(is_deleted=True) == 2
    store.delete_samples([3])
    assert store.ids(is_deleted=True).tolist() == [2, 3]


def test_that_a_deleted_drawing_gives_its_place_in_the_hold_out_to_nobody(store: SampleStore) -> None:
    """Else it could come back beside another one that had been chosen instead."""
    store.add_samples([a_sample() for _ in range(5)])
    deleted = store.delete_samples(store.ids(held_out=True))
    store.add_samples([a_sample() for _ in range(5)])
    store.restore(deleted)
    assert store.count(held_out=True) == 2


def test_that_suspects_do_not_count_until_somebody_has_looked(store: SampleStore) -> None:
    store.add_samples([a_sample() for _ in range(10)])
    training, held_out = store.ids(held_out=False).tolist(), store.ids(held_out=True).tolist()
    assert store.mark_suspects({training[0]: DOUBT, training[1]: DOUBT, held_out[0]: DOUBT}) == 3
    assert store.dataset(held_out=False).ids == tuple(training[2:])
    assert store.dataset(held_out=True).ids == tuple(held_out[1:])
    assert store.dataset().ids == tuple(sorted(training[2:] + held_out[1:]))
    assert store.dataset(with_doubted=True).ids == tuple(store.ids().tolist())
    assert store.dataset(held_out=False, is_suspect=True).ids == tuple(training[:2])
    assert store.count(is_suspect=True) == 3
    assert store.sample(training[0]).suspicion == DOUBT
    store.accept_labels([training[0]])
    store.relabel([training[1]], "1")
    assert store.dataset(held_out=False).ids == tuple(training)
    store.accept_labels([held_out[0]])
    assert store.dataset(held_out=True).ids == tuple(held_out)


def test_that_a_reviewed_label_is_not_doubted_again_until_it_changes(store: SampleStore) -> None:
    store.add_samples([a_sample()])
    store.mark_suspects({1: DOUBT})
    store.accept_labels([1])
    assert store.mark_suspects({1: DOUBT}) == 0
    assert store.count(is_suspect=True) == 0
    store.relabel([1], "1")
    assert store.mark_suspects({1: DOUBT}) == 1


def test_that_a_doubt_can_be_withdrawn(store: SampleStore) -> None:
    store.add_samples([a_sample(), a_sample()])
    store.mark_suspects({1: DOUBT, 2: DOUBT})
    assert store.mark_suspects({1: None}) == 0
    assert store.ids(is_suspect=True).tolist() == [2]


def test_that_a_doubt_is_from_nought_to_one(store: SampleStore) -> None:
    store.add_samples([a_sample()])
    with pytest.raises(ValueError, match="from 0 to 1"):
        store.mark_suspects({1: Suspicion(7.0, "1", "")})
    assert store.count(is_suspect=True) == 0


def test_that_weights_come_with_the_data_only_where_there_are_some(store: SampleStore) -> None:
    store.add_samples([a_sample(), a_sample()])
    assert store.dataset().weights == ()
    change = store.set_weight([2], 5)
    assert store.dataset().weights == (1, 5)
    store.restore(change)
    assert store.dataset().weights == ()
    with pytest.raises(InputError, match="cannot count 0 times"):
        store.set_weight([1], 0)


def test_that_a_change_of_a_drawing_that_is_gone_is_undone_for_the_others(store: SampleStore) -> None:
    trials = [store.judge(a_sample("1"), a_trial("1")) for _ in range(2)]
    change = store.relabel([1, 2], "7")
    store.take_back(trials[0])
    assert store.restore(change).ids == (2,)
    assert [(s.id, s.label) for s in store.samples()] == [(2, "1")]
    assert store.last_trial("Ada").verdict is Verdict.CORRECTED


def test_that_taking_back_a_judgement_empties_the_trash_of_it(store: SampleStore) -> None:
    """The ink is on the canvas again: an undo in the browser must not make a second drawing of it."""
    judged = store.judge(a_sample(), a_trial())
    deleted = store.delete_samples([judged.sample_id])
    store.take_back(judged)
    assert store.restore(deleted).ids == ()
    assert store.count(is_deleted=True) == 0
