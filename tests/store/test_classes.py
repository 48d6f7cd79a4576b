from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.classes import ClassState
from qtdigits.core.drawing.labels import DIGITS, Class, LabelSet
from qtdigits.core.drawing.samples import Verdict
from qtdigits.errors import InputError
from qtdigits.store.tables.samples import SampleStore
from tests.bad_days.version_1 import make_version_1
from tests.store.values import a_sample, a_trial


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    with SampleStore.open(tmp_path) as store:
        yield store


def labels(store: SampleStore) -> list[str]:
    return [sample.label for sample in store.samples()]


def state(store: SampleStore, label: str) -> ClassState:
    return next(c.state for c in store.class_table.all().owned if c.label == label)


def test_that_renaming_keeps_the_id_and_takes_drawings_and_judgements_along(store: SampleStore) -> None:
    store.judge(a_sample("7"), a_trial("7"))
    store.judge(a_sample("1"), a_trial("1"))
    change = store.class_table.rename("7", "seven")
    assert Class("7", "seven") in store.classes().classes
    assert labels(store) == ["seven", "1"]
    assert [(t.truth, t.answer, "seven" in t.classes) for t in store.trials()] == [
        ("seven", "seven", True),
        ("1", "seven", True),
    ]
    assert store.judgements.confusions("Ada", "mlp") == {("seven", "seven"): 1, ("1", "seven"): 1}
    store.class_table.undo(change)
    assert labels(store) == ["7", "1"]
    assert [t.truth for t in store.trials()] == ["7", "1"]


def test_that_the_old_label_of_a_renamed_class_is_free(store: SampleStore) -> None:
    store.add_samples([a_sample("7")])
    store.class_table.rename("7", "seven")
    store.add_samples([a_sample("7")])
    assert labels(store) == ["seven", "7"]
    with pytest.raises(InputError, match="already"):
        store.class_table.rename("seven", "7")


def test_that_merged_drawings_and_judgements_follow_and_come_back(store: SampleStore) -> None:
    wrong = store.judge(a_sample("1"), a_trial("1", answer="7"))
    store.judge(a_sample("7"), a_trial("7"))
    before = store.running_accuracy(writer="Ada", model="mlp")
    change = store.class_table.merge("1", "7")
    assert "1" not in store.classes()
    assert labels(store) == ["7", "7"]
    assert store.count(label="7") == store.count(writer="Ada", label="7", held_out=False) == 2
    assert store.running_accuracy(writer="Ada", model="mlp") == (2, 2)
    assert store.judgements.confusions("Ada", "mlp") == {("7", "7"): 2}
    assert store.trial_of(wrong.sample_id).verdict is Verdict.CONFIRMED
    assert store.meaning_of("1") == "7"
    store.judge(a_sample("1"), a_trial("7"))
    store.class_table.undo(change)
    assert labels(store) == ["1", "7", "7"]
    assert store.running_accuracy(writer="Ada", model="mlp") == (before[0] + 1, before[1] + 1)
    assert store.trial_of(wrong.sample_id).verdict is Verdict.CORRECTED
    assert store.check() == ()


def test_that_a_class_merged_twice_comes_back_as_it_was(store: SampleStore) -> None:
    store.add_samples([a_sample(label) for label in "127"])
    store.class_table.merge("1", "7")
    store.class_table.merge("7", "2")
    assert labels(store) == ["2", "2", "2"]
    store.class_table.restore("7")
    assert labels(store) == ["7", "2", "7"]


def test_that_an_import_knows_the_drawings_of_a_merged_class(store: SampleStore) -> None:
    sample = a_sample("1")
    store.add_samples([sample])
    store.class_table.merge("1", "7")
    assert store.add_samples([sample]).added == 0


def test_that_a_retired_class_counts_nowhere_until_it_comes_back(store: SampleStore) -> None:
    store.judge(a_sample("1"), a_trial("1", answer="7"))
    store.judge(a_sample("7"), a_trial("7"))
    store.class_table.retire("1")
    assert "1" not in store.classes()
    assert store.count() == store.count(held_out=False) == len(store.dataset()) == 1
    assert store.count(is_retired=True) == 1
    assert store.running_accuracy(writer="Ada", model="mlp") == (1, 1)
    assert store.outcomes("Ada", "mlp").tolist() == [True]
    assert len(store.judgements.recent("Ada", 10)) == 1
    store.class_table.restore("1")
    assert (store.count(), store.running_accuracy(writer="Ada", model="mlp")) == (2, (1, 2))


def test_that_drawing_a_retired_class_brings_it_back_but_importing_does_not(store: SampleStore) -> None:
    store.class_table.retire("1")
    store.add_samples([a_sample("1")])
    assert (state(store, "1"), store.count()) == (ClassState.RETIRED, 0)
    store.judge(a_sample("1"), a_trial("1"))
    assert (state(store, "1"), store.count()) == (ClassState.ACTIVE, 2)


def test_that_a_deleted_class_takes_its_drawings_to_the_trash_and_back(store: SampleStore) -> None:
    store.add_samples([a_sample("1"), a_sample("1"), a_sample("7")])
    earlier = store.delete_samples([1])
    change = store.class_table.delete("1")
    assert change.n_drawings == 1
    assert ("1" in store.classes(), store.count(), store.count(is_deleted=True)) == (False, 1, 2)
    again = store.class_table.undo(change)
    assert (labels(store), store.count(is_deleted=True)) == (["1", "7"], 1)
    store.class_table.undo(again)
    assert (state(store, "1"), labels(store)) == (ClassState.DELETED, ["7"])
    store.class_table.restore("1")
    store.restore(earlier)
    assert labels(store) == ["1", "1", "7"]


def test_that_the_last_class_stays(store: SampleStore) -> None:
    for label in DIGITS.labels[1:]:
        store.class_table.retire(label)
    for change in (store.class_table.retire, store.class_table.delete):
        with pytest.raises(InputError, match="last"):
            change("0")


def test_that_a_label_of_a_class_out_of_use_is_not_given_to_another(store: SampleStore) -> None:
    store.class_table.merge("1", "7")
    store.class_table.retire("2")
    for label, why in (("1", "merged into '7'"), ("2", "retired")):
        with pytest.raises(InputError, match=why):
            store.class_table.rename("3", label)
        with pytest.raises(InputError, match=why):
            store.class_table.add(label)


def test_that_classes_of_a_model_are_adopted_with_their_ids(store: SampleStore) -> None:
    store.class_table.adopt(LabelSet((Class("7", "7"), Class("heart", "♥"))))
    assert store.classes().classes[10:] == (Class("heart", "♥"),)


def test_that_outputs_are_shown_as_what_they_stand_for_now(store: SampleStore) -> None:
    outputs = LabelSet((*DIGITS.classes[:4], Class("heart", "♥")))
    store.class_table.add("♥")
    store.class_table.rename("0", "nought")
    store.class_table.merge("1", "2")
    store.class_table.retire("3")
    shown = store.class_table.all().shown(outputs)
    assert shown.label_set.labels == ("nought", "2", "♥")
    read = shown.of(np.array([[0.1, 0.2, 0.3, 0.2, 0.2]], np.float32))
    np.testing.assert_allclose(read, [[0.125, 0.625, 0.25]], rtol=1e-6)
    limited = replace(store.class_table.all(), among=frozenset({"2", "0"})).shown(outputs)
    assert limited.label_set.labels == ("nought", "2")


def test_that_outputs_stay_apart_under_their_present_labels(store: SampleStore) -> None:
    store.class_table.rename("0", "♥")
    store.class_table.merge("1", "2")
    current = store.class_table.all().current(LabelSet((*DIGITS.classes[:3], Class("heart", "♥"))))
    assert current.labels == ("♥", "1", "2", "♥~2")
    assert current.ids == ("0", "1", "2", "heart")


def test_that_a_merged_store_brings_the_state_of_its_classes(store: SampleStore, tmp_path: Path) -> None:
    with SampleStore.open(tmp_path / "other") as other:
        other.add_samples([a_sample(label) for label in ("1", "♥", "♠")])
        other.class_table.merge("1", "7")
        other.class_table.retire("♥")
    assert store.merge_store(tmp_path / "other").added == 3
    assert labels(store) == ["7", "♠"]
    assert state(store, "♥") is ClassState.RETIRED
    assert store.count(is_retired=True) == 1


def test_that_classes_of_an_older_store_are_active_and_can_be_changed(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    make_version_1(tmp_path / "old", n_samples=20)
    with SampleStore.open(tmp_path / "old") as store:
        assert {c.state for c in store.class_table.all().owned} == {ClassState.ACTIVE}
        n = store.count()
        assert store.class_table.merge("1", "7").n_drawings <= n
        assert store.count() == n
        assert store.check() == ()


def test_that_a_list_joins_owned_classes_those_of_a_model_sets_and_counts(store: SampleStore) -> None:
    store.add_samples([a_sample(label) for label in ("1", "7", "7", "♥", "2")])
    store.add_samples([a_sample("7", "Bob")])
    store.class_table.put_set("mine", ["♥", "1", "2"])
    store.class_table.merge("1", "7")
    store.class_table.retire("2")
    store.class_table.delete("3")
    listed = store.class_table.listed(LabelSet((*DIGITS.classes[:8], Class("heart", "♥"), Class("x", "x"))))
    told = {c.label: (c.state_text, c.n_drawings, c.known_from, c.sets) for c in listed}
    assert told["7"] == ("active", 4, "training", ("mine",))
    assert told["1"] == ("merged into 7", 0, "training", ())
    assert told["2"] == ("retired", 1, "training", ())
    assert told["3"] == ("deleted", 0, "training", ())
    assert told["9"] == ("active", 0, "", ())
    assert told["♥"] == ("active", 1, "training", ("mine",))
    assert [c.label for c in listed][9:] == ["9", "♥", "x"]
    held_out = {c.label: c.n_held_out for c in listed}
    assert held_out["7"] == store.count(label="7", held_out=True)
    assert sum(held_out.values()) == store.count(held_out=True) + store.count(held_out=True, is_retired=True)


def test_that_adding_a_class_is_undone_and_redone(store: SampleStore) -> None:
    added = store.class_table.add(" ♥ ")
    removed = store.class_table.undo(added)
    assert store.class_table.all().owned == store.class_table.all().owned[:10]
    store.class_table.undo(removed)
    assert store.classes().labels[10:] == ("♥",)
    store.add_samples([a_sample("♥")])
    again = store.class_table.undo(added)
    assert (state(store, "♥"), store.count(is_deleted=True)) == (ClassState.DELETED, 1)
    store.class_table.undo(again)
    assert labels(store) == ["♥"]


def test_that_a_deleted_class_can_be_added_again_and_its_drawings_stay_in_the_trash(
    store: SampleStore,
) -> None:
    store.add_samples([a_sample("♥")])
    store.class_table.delete("♥")
    added = store.class_table.add("♥")
    assert (state(store, "♥"), store.count(label="♥")) == (ClassState.ACTIVE, 0)
    store.class_table.undo(added)
    store.class_table.restore("♥")
    assert store.count(label="♥") == 1


def test_that_changes_of_a_set_are_undone_with_the_classes_that_came_with_them(store: SampleStore) -> None:
    table = store.class_table
    table.retire("3")
    made = table.put_set("runes", ["ᚠ", "3"])
    changed = table.put_set("runes", ["ᚢ", "ᚠ"])
    deleted = table.delete_set("runes")
    assert table.sets() == {}
    table.undo(deleted)
    assert table.sets() == {"runes": ("ᚠ", "ᚢ")}
    again = table.undo(changed)
    assert (table.sets(), "ᚢ" in store.classes()) == ({"runes": ("3", "ᚠ")}, False)
    table.undo(again)
    assert table.sets() == {"runes": ("ᚠ", "ᚢ")}
    table.undo(changed)
    table.undo(made)
    assert (table.sets(), store.classes().labels) == ({}, tuple("012456789"))
    assert state(store, "3") is ClassState.RETIRED


def test_that_a_change_that_fails_changes_nothing(store: SampleStore) -> None:
    store.judge(a_sample("7"), a_trial("7"))
    change = store.class_table.rename("7", "seven")
    store.add_samples([a_sample("7")])
    with pytest.raises(InputError):
        store.class_table.undo(change)
    with closing(sqlite3.connect(store.path)) as db:
        assert db.execute("SELECT truth FROM trials").fetchall() == [("seven",)]
    assert labels(store) == ["seven", "7"]


def test_that_a_set_follows_its_classes(store: SampleStore) -> None:
    store.class_table.put_set("runes", ["ᚠ", "1-3"])
    assert store.class_table.sets() == {"runes": ("1", "2", "3", "ᚠ")}
    store.class_table.rename("ᚠ", "fehu")
    store.class_table.merge("1", "7")
    store.class_table.retire("2")
    assert store.class_table.sets() == {"runes": ("3", "7", "fehu")}
    store.class_table.add_to_set("runes", "ᚢ")
    store.class_table.add_to_set("nothing", "ᚢ")
    assert store.class_table.all("runes").active.labels == ("3", "7", "fehu", "ᚢ")
    assert store.class_table.all("nothing").among is None
    store.class_table.delete_set("runes")
    assert (store.class_table.sets(), "ᚢ" in store.classes()) == ({}, True)
    with pytest.raises(InputError, match="runes"):
        store.class_table.delete_set("runes")


@pytest.mark.parametrize(("name", "labels"), [("", ["1"]), ("runes", []), ("runes", ["\n"])])
def test_that_an_unusable_set_is_refused(store: SampleStore, name: str, labels: list[str]) -> None:
    with pytest.raises(InputError):
        store.class_table.put_set(name, labels)
    assert store.class_table.sets() == {}


def test_that_drawings_and_figures_are_limited_to_a_set(store: SampleStore) -> None:
    for label in ("1", "7", "♥"):
        store.judge(a_sample(label), replace(a_trial(label), network_answer="7"))
    store.class_table.put_set("small", ["1", "♥"])
    store.class_table.merge("♥", "1")
    among = store.class_table.all("small").among
    assert store.dataset(among=among).labels == ("1", "1")
    assert store.count(among=among) == 2
    store.judgements.among = among
    assert store.running_accuracy(writer="Ada", model="mlp") == (0, 2)
    assert store.outcomes("Ada", "mlp").tolist() == [False, False]
    assert store.judgements.models("Ada") == [("mlp", 0, 2)]
    assert store.judgements.confusions("Ada", "mlp") == {("1", "7"): 2}
    assert [r.truth for r in store.judgements.recent("Ada", 9)] == ["1", "1"]
    assert store.judgements.without_memory("Ada", "mlp").n == 2


def test_that_classes_are_counted_as_what_they_are_shown_as(store: SampleStore) -> None:
    store.add_samples([a_sample(label) for label in ("1", "7", "7", "2")])
    store.add_samples([a_sample("7", "Bob")])
    store.class_table.merge("1", "7")
    store.class_table.retire("2")
    assert store.counts_by_label() == {"7": 4, "2": 1}
    assert store.counts_by_label("Ada") == {"7": 3, "2": 1}
    assert store.latest_by_label("Ada", 2) == {"7": [3, 2]}
    assert store.latest_by_label("Bob", 2) == {"7": [5]}
