"""The store against a model of it that holds everything in dictionaries."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Sample, Suspicion, Trial, Verdict, is_held_out
from qtdigits.errors import InputError, StoreError
from qtdigits.store.tables.editing import Added, Changed, Deleted
from qtdigits.store.tables.merging import MergedStores, MergedWriters
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial, same_sample

labels = st.sampled_from(["1", "7", "A"])
names = st.sampled_from(["Ada", "Bob", "Zoe"])


@dataclass(eq=False)
class Person:
    """A writer: `name` changes, `first_name` is what the hold-out is chosen by."""

    name: str
    first_name: str


@dataclass(eq=False)
class Kept:
    """What the store should know of a sample. `held_out` is worked out once, when it is taken in."""

    sample: Sample
    person: Person
    ordinal: int
    held_out: bool
    given_label: str = ""
    in_trash: bool = False

    @property
    def sample_now(self) -> Sample:
        return replace(self.sample, writer=self.person.name)


@dataclass(eq=False)
class Judged:
    trial: Trial
    person: Person


@dataclass(frozen=True, eq=False)
class Edit:
    """A change as the store returned it, and how to undo it in the dictionaries."""

    change: Changed | Deleted
    samples: dict[int, tuple[Sample, str]] = field(default_factory=dict)
    trials: dict[int, Trial] = field(default_factory=dict)


class StoreAgainstDict(RuleBasedStateMachine):
    judged = Bundle("judged")
    edits = Bundle("edits")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SampleStore.open(self.folder)
        self.people: list[Person] = []
        self.samples: dict[int, Kept] = {}
        self.trials: dict[int, Judged] = {}
        self.labels = list(DIGITS.labels)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    # taking in and out

    @rule(target=judged, label=labels, name=names, skipped=st.booleans())
    def judge(self, label: str, name: str, skipped: bool) -> Trial:
        sample = None if skipped else a_sample(label, name)
        trial = self.store.judge(sample, a_trial(None if skipped else label, name))
        if sample is not None:
            self._keep(sample, trial.sample_id)
        self.trials[trial.id] = Judged(trial, self._person(name))
        return trial

    @rule(many=st.lists(st.tuples(labels, names), max_size=7))
    def add(self, many: list[tuple[str, str]]) -> None:
        samples = [a_sample(label, name) for label, name in many]
        assert self.store.add_samples(samples) == Added(len(samples), 0)
        new = [sample.id for sample in self.store.samples() if sample.id not in self.samples]
        for sample, sample_id in zip(samples, new, strict=True):
            self._keep(sample, sample_id)
        assert self.store.add_samples(samples) == Added(0, len(samples))

    @rule(data=st.data())
    def import_again(self, data: st.DataObject) -> None:
        """By the label it came with: what was relabelled is known, what was deleted comes back."""
        if not self.samples:
            return
        kept = self.samples[data.draw(st.sampled_from(sorted(self.samples)))]
        label = kept.given_label or kept.sample.label
        added = self.store.add_samples([replace(kept.sample_now, label=label)])
        assert added == (Added(1, 0) if kept.in_trash else Added(0, 1))
        kept.in_trash = False

    @rule(trial=consumes(judged))
    def take_back(self, trial: Trial) -> None:
        kept = self.samples.pop(trial.sample_id, None)
        del self.trials[trial.id]
        back = self.store.take_back(trial)
        assert (back is None) == (kept is None)
        assert kept is None or same_sample(back, kept.sample_now)
        with pytest.raises(StoreError):
            self.store.take_back(trial)

    # changing, and undoing it

    @rule(target=edits, data=st.data(), label=labels)
    def relabel(self, data: st.DataObject, label: str) -> Edit:
        ids = self._some(data)
        wrong = [i for i in ids if self.samples[i].sample.label != label]
        before = self._as_it_is(wrong)
        edit = Edit(self.store.relabel(ids, label), *before)
        assert edit.change.ids == tuple(wrong)
        self._know(label)
        for kept in map(self.samples.get, wrong):
            given = kept.given_label or kept.sample.label
            kept.given_label = "" if given == label else given
            kept.sample = replace(kept.sample, label=label, suspicion=None, is_reviewed=False)
        for judged in self._judged_of(wrong):
            verdict = Verdict.CONFIRMED if label == judged.trial.answer else Verdict.CORRECTED
            judged.trial = replace(judged.trial, truth=label, verdict=verdict)
        return edit

    @rule(target=edits, data=st.data(), weight=st.sampled_from([1, 5]))
    def weigh(self, data: st.DataObject, weight: int) -> Edit:
        ids = [i for i in self._some(data) if self.samples[i].sample.weight != weight]
        before = self._as_it_is(ids)
        edit = Edit(self.store.set_weight(ids, weight), *before)
        self._alter(ids, weight=weight)
        return edit

    @rule(data=st.data(), score=st.sampled_from([None, 0.5, 1.0]))
    def doubt(self, data: st.DataObject, score: float | None) -> None:
        ids = self._some(data)
        mark = None if score is None else Suspicion(score, "1", "does not look like it")
        open_ones = [i for i in ids if not self.samples[i].sample.is_reviewed]
        assert self.store.mark_suspects(dict.fromkeys(ids, mark)) == (len(open_ones) if mark else 0)
        self._alter(open_ones, suspicion=mark)

    @rule(target=edits, data=st.data())
    def accept(self, data: st.DataObject) -> Edit:
        ids = self._some(data)
        before = self._as_it_is(ids)
        edit = Edit(self.store.accept_labels(ids), *before)
        self._alter(ids, suspicion=None, is_reviewed=True)
        return edit

    @rule(target=edits, data=st.data())
    def delete(self, data: st.DataObject) -> Edit:
        ids = self._some(data)
        deleted = self.store.delete_samples(ids)
        assert deleted == Deleted(tuple(sorted(ids)))
        assert self.store.delete_samples(ids) == Deleted(())
        for i in ids:
            self.samples[i].in_trash = True
        return Edit(deleted)

    @rule(edit=consumes(edits))
    def undo(self, edit: Edit) -> None:
        there = [i for i in edit.change.ids if i in self.samples]
        if isinstance(edit.change, Deleted):
            there = [i for i in there if self.samples[i].in_trash]
            for i in there:
                self.samples[i].in_trash = False
        else:
            for i in there:
                self.samples[i].sample, self.samples[i].given_label = edit.samples[i]
            for i, trial in edit.trials.items():
                if i in self.trials:
                    self.trials[i].trial = trial
        assert self.store.restore(edit.change).ids == tuple(sorted(there))

    # writers and whole stores

    @rule(old=names, new=names)
    def rename(self, old: str, new: str) -> None:
        known = [person.name for person in self.people]
        if old not in known or (new in known and new != old):
            with pytest.raises(InputError):
                self.store.rename_writer(old, new)
        else:
            self.store.rename_writer(old, new)
            self._person(old).name = new

    @rule(source=names, into=names)
    def merge_writers(self, source: str, into: str) -> None:
        known = [person.name for person in self.people]
        if source == into or source not in known or into not in known:
            with pytest.raises(InputError):
                self.store.merge_writers(source, into)
            return
        one, other = self._person(source), self._person(into)
        moved = [kept for kept in self.samples.values() if kept.person is one and not kept.in_trash]
        assert self.store.merge_writers(source, into) == MergedWriters(len(moved), 0)
        for owned in (*self.samples.values(), *self.trials.values()):
            owned.person = other if owned.person is one else owned.person
        self.people.remove(one)

    @rule(many=st.lists(st.tuples(labels, names), max_size=5))
    def merge_store(self, many: list[tuple[str, str]]) -> None:
        folder = Path(tempfile.mkdtemp())
        with SampleStore.open(folder) as other:
            trials = [
                other.judge(
                    a_sample(label, name, device=str(i)), replace(a_trial(label, name), answer=f"{i}")
                )
                for i, (label, name) in enumerate(many)
            ]
            theirs = list(other.samples())
        n = len(many)
        assert self.store.merge_store(folder) == MergedStores(n, 0, n)
        assert self.store.merge_store(folder) == MergedStores(0, n, 0)
        shutil.rmtree(folder)
        ours = [sample for sample in self.store.samples() if sample.id not in self.samples]
        for mine, their in zip(ours, theirs, strict=True):
            assert (same_sample(mine, their), mine.held_out) == (True, their.held_out)
            place = sum(
                (s.writer, s.label) == (their.writer, their.label) for s in theirs[: theirs.index(their)]
            )
            self._keep(their, mine.id, place)
        new = [trial for trial in self.store.trials() if trial.id not in self.trials]
        for mine, their in zip(new, trials, strict=True):
            assert replace(mine, id=0, sample_id=0) == replace(their, id=0, sample_id=0)
            self.trials[mine.id] = Judged(mine, self._person(mine.writer))

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SampleStore.open(self.folder)

    # what must be so at any time

    @invariant()
    def names_agree(self) -> None:
        assert self.store.writers() == [person.name for person in self.people]
        assert list(self.store.classes().labels) == self.labels

    @invariant()
    def samples_agree(self) -> None:
        for in_trash in (False, True):
            stored = list(self.store.samples(is_deleted=in_trash))
            expected = {i: kept for i, kept in self.samples.items() if kept.in_trash == in_trash}
            assert [sample.id for sample in stored] == sorted(expected)
            for found in stored:
                kept = expected[found.id]
                assert same_sample(found, kept.sample_now)
                assert found.held_out == kept.held_out
                for name in ("weight", "suspicion", "is_reviewed"):
                    assert getattr(found, name) == getattr(kept.sample, name)

    @invariant()
    def training_data_agree(self) -> None:
        allowed = {
            i: kept
            for i, kept in sorted(self.samples.items())
            if not (kept.in_trash or kept.held_out or kept.sample.suspicion)
        }
        dataset = self.store.dataset(held_out=False)
        assert dataset.ids == tuple(allowed)
        weights = tuple(kept.sample.weight for kept in allowed.values())
        assert (dataset.weights or (1,) * len(dataset)) == weights

    @invariant()
    def counts_agree(self) -> None:
        for person in self.people:
            judged = [
                j.trial for j in self.trials.values() if j.person is person and j.trial.truth is not None
            ]
            right = [trial.is_right for trial in judged if not self._is_doubted(trial)]
            assert self.store.running_accuracy(writer=person.name, model="mlp") == (sum(right), len(right))
            assert self.store.outcomes(person.name, "mlp").tolist() == right
            assert self.store.count(writer=person.name) == sum(
                k.person is person and not k.in_trash for k in self.samples.values()
            )
        trials = list(self.store.trials())
        assert [trial.id for trial in trials] == list(self.trials)
        for trial, judged in zip(trials, self.trials.values(), strict=True):
            assert (trial.truth, trial.verdict) == (judged.trial.truth, judged.trial.verdict)

    def _person(self, name: str) -> Person:
        found = next((person for person in self.people if person.name == name), None)
        if found is None:
            found = Person(name, name)
            self.people.append(found)
        return found

    def _keep(self, sample: Sample, sample_id: int, place_elsewhere: int | None = None) -> None:
        person = self._person(sample.writer)
        alike = (k for k in self.samples.values() if k.person is person and k.sample.label == sample.label)
        ordinal = max((kept.ordinal for kept in alike), default=-1) + 1
        held_out = is_held_out(person.first_name, sample.label, ordinal)
        if place_elsewhere is not None:
            ordinal, held_out = place_elsewhere, sample.held_out
        self.samples[sample_id] = Kept(sample, person, ordinal, held_out)
        self._know(sample.label)

    def _know(self, label: str) -> None:
        if label not in self.labels:
            self.labels.append(label)

    def _some(self, data: st.DataObject) -> list[int]:
        there = sorted(i for i, kept in self.samples.items() if not kept.in_trash)
        return sorted(data.draw(st.sets(st.sampled_from(there), max_size=4))) if there else []

    def _alter(self, ids: Iterable[int], **values: object) -> None:
        for i in ids:
            self.samples[i].sample = replace(self.samples[i].sample, **values)

    def _as_it_is(self, ids: list[int]) -> tuple[dict[int, tuple[Sample, str]], dict[int, Trial]]:
        samples = {i: (self.samples[i].sample, self.samples[i].given_label) for i in ids}
        return samples, {judged.trial.id: judged.trial for judged in self._judged_of(ids)}

    def _is_doubted(self, trial: Trial) -> bool:
        kept = self.samples.get(trial.sample_id)
        return kept is not None and bool(kept.sample.suspicion) and not kept.in_trash

    def _judged_of(self, ids: Iterable[int]) -> list[Judged]:
        return [judged for judged in self.trials.values() if judged.trial.sample_id in set(ids)]


TestStoreAgainstDict = StoreAgainstDict.TestCase
TestStoreAgainstDict.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
