"""The store against a model of it that holds everything in dictionaries."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from qtdigits.core.labels import DIGITS
from qtdigits.core.samples import Sample, Trial
from qtdigits.core.splits import is_held_out
from qtdigits.errors import InputError, StoreError
from qtdigits.store.samples import Added, SampleStore
from tests.store.values import a_sample, a_trial, same_sample

labels = st.sampled_from(["1", "7", "A"])
names = st.sampled_from(["Ada", "Bob", "Zoe"])


@dataclass(eq=False)
class Person:
    """A writer: `name` changes, `first_name` is what the hold-out is chosen by."""

    name: str
    first_name: str


@dataclass(frozen=True, eq=False)
class Kept:
    """What the store should know of a sample."""

    sample: Sample
    person: Person
    ordinal: int


class StoreAgainstDict(RuleBasedStateMachine):
    judged = Bundle("judged")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SampleStore.open(self.folder)
        self.people: list[Person] = []
        self.samples: dict[int, Kept] = {}
        self.trials: dict[int, tuple[Trial, Person]] = {}
        self.labels = list(DIGITS.labels)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(target=judged, label=labels, name=names, skipped=st.booleans())
    def judge(self, label: str, name: str, skipped: bool) -> Trial:
        sample = None if skipped else a_sample(label, name)
        trial = self.store.judge(sample, a_trial(None if skipped else label, name))
        if sample is not None:
            self._keep(sample, trial.sample_id)
        self.trials[trial.id] = (trial, self._person(name))
        return trial

    @rule(many=st.lists(st.tuples(labels, names), max_size=7))
    def add(self, many: list[tuple[str, str]]) -> None:
        samples = [a_sample(label, name) for label, name in many]
        assert self.store.add_samples(samples) == Added(len(samples), 0)
        new = [sample.id for sample in self.store.samples() if sample.id not in self.samples]
        for sample, sample_id in zip(samples, new, strict=True):
            self._keep(sample, sample_id)
        assert self.store.add_samples(samples) == Added(0, len(samples))

    @rule(trial=consumes(judged))
    def take_back(self, trial: Trial) -> None:
        kept = self.samples.pop(trial.sample_id, None)
        del self.trials[trial.id]
        back = self.store.take_back(trial)
        assert (back is None) == (kept is None)
        assert kept is None or same_sample(back, replace(kept.sample, writer=kept.person.name))
        with pytest.raises(StoreError):
            self.store.take_back(trial)

    @rule(trial=judged)
    def delete(self, trial: Trial) -> None:
        if self.samples.pop(trial.sample_id, None) is None:
            with pytest.raises(StoreError):
                self.store.delete(trial.sample_id)
        else:
            self.store.delete(trial.sample_id)

    @rule(old=names, new=names)
    def rename(self, old: str, new: str) -> None:
        known = [person.name for person in self.people]
        if old not in known or (new in known and new != old):
            with pytest.raises(InputError):
                self.store.rename_writer(old, new)
        else:
            self.store.rename_writer(old, new)
            self._person(old).name = new

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SampleStore.open(self.folder)

    @invariant()
    def names_agree(self) -> None:
        assert self.store.writers() == [person.name for person in self.people]
        assert list(self.store.classes().labels) == self.labels

    @invariant()
    def samples_agree(self) -> None:
        stored = list(self.store.samples())
        assert [sample.id for sample in stored] == list(self.samples)
        for found, kept in zip(stored, self.samples.values(), strict=True):
            assert same_sample(found, replace(kept.sample, writer=kept.person.name))
            assert found.held_out == is_held_out(kept.person.first_name, found.label, kept.ordinal)

    @invariant()
    def counts_agree(self) -> None:
        for person in self.people:
            own = [trial for trial, who in self.trials.values() if who is person and trial.truth is not None]
            right = sum(trial.is_right for trial in own)
            assert self.store.running_accuracy(writer=person.name, model="mlp") == (right, len(own))
            assert self.store.count(writer=person.name) == sum(
                k.person is person for k in self.samples.values()
            )
        assert [trial.id for trial in self.store.trials()] == list(self.trials)

    def _person(self, name: str) -> Person:
        found = next((person for person in self.people if person.name == name), None)
        if found is None:
            found = Person(name, name)
            self.people.append(found)
        return found

    def _keep(self, sample: Sample, sample_id: int) -> None:
        person = self._person(sample.writer)
        alike = (k for k in self.samples.values() if k.person is person and k.sample.label == sample.label)
        ordinal = max((kept.ordinal for kept in alike), default=-1) + 1
        self.samples[sample_id] = Kept(sample, person, ordinal)
        if sample.label not in self.labels:
            self.labels.append(sample.label)


TestStoreAgainstDict = StoreAgainstDict.TestCase
TestStoreAgainstDict.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
