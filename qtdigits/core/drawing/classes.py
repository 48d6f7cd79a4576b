"""The classes that a person owns: renamed, merged, retired, deleted; and what the outputs of a model stand for now.

Models know classes by their ids, which never change. So a renamed class needs no training: the same output is shown with
another label. Outputs of classes that were merged are added up; those of retired classes are left out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import Class, LabelSet

DROPPED = -1


class ClassState(StrEnum):
    """What became of a class. Drawings of a deleted one are in the trash; those of a retired one are kept, and count nowhere."""

    ACTIVE = "active"
    RETIRED = "retired"
    MERGED = "merged"
    DELETED = "deleted"


@dataclass(frozen=True)
class OwnedClass:
    """A class with its present label; `root` is the id of the class that it was merged into, else its own."""

    id: str
    label: str
    state: ClassState = ClassState.ACTIVE
    root: str = ""

    @property
    def shown_id(self) -> str:
        return self.root or self.id


@dataclass(frozen=True)
class ListedClass:
    """A class as lists show it: those of a person, then those that only the model in use knows.

    `into` is the label of the class that it was merged into, "" for others; `sets` are those that it is in while it is in use.
    """

    id: str
    label: str
    state: ClassState
    into: str
    n_drawings: int
    n_held_out: int
    is_trained: bool
    sets: tuple[str, ...]

    @property
    def known_from(self) -> str:
        return "training" if self.is_trained else "memory" if self.n_drawings else ""

    @property
    def state_text(self) -> str:
        return f"{self.state} into {self.into}" if self.into else str(self.state)


@dataclass(frozen=True)
class Classes:
    """All classes that a person has or had, in their order. Answers are limited to the ids of `among`, None: to no set."""

    owned: tuple[OwnedClass, ...] = ()
    among: frozenset[str] | None = None

    @property
    def active(self) -> LabelSet:
        """The classes in use, those of the set only."""
        return LabelSet(tuple(Class(c.id, c.label) for c in self.owned if self._is_answered(c)))

    def current(self, outputs: LabelSet) -> LabelSet:
        """Return the classes of a model with their present labels; those that nobody owns here keep theirs."""
        labels = {c.id: c.label for c in self.owned}
        taken = {labels[c.id] for c in outputs if c.id in labels}
        found = []
        for c in outputs:
            label = labels.get(c.id) or free_name(c.label, taken)
            taken.add(label)
            found.append(Class(c.id, label))
        return LabelSet(tuple(found))

    def owners(self, outputs: LabelSet) -> list[OwnedClass]:
        """Return the class of each output.

        An output is known by its id; one that nobody owns here by its label, as the same class may have another id elsewhere.
        """
        by_id, by_label = {c.id: c for c in self.owned}, {c.label: c for c in self.owned}
        return [by_id.get(c.id) or by_label.get(c.label) or OwnedClass(c.id, c.label) for c in outputs]

    def shown(self, outputs: LabelSet) -> Shown:
        """Return what a model's outputs stand for."""
        by_id = {c.id: c for c in self.owned}
        roots = [by_id.get(owned.shown_id, owned) for owned in self.owners(outputs)]
        shown = tuple(dict.fromkeys(Class(r.id, r.label) for r in roots if self._is_answered(r)))
        place = {c.id: i for i, c in enumerate(shown)}
        return Shown(LabelSet(shown), tuple(place.get(root.id, DROPPED) for root in roots))

    def meaning_of(self, label: str, shown: LabelSet, *, is_id: bool = False) -> str:
        """Return the label that drawings with this one are shown with: that of the class it was merged into or renamed to.

        `shown` are classes that nobody may own here. `is_id`: the label is that of `Dataset.labels_are_ids`.
        """
        by_id = {c.id: c for c in self.owned}
        for classes in (self.owned, shown):
            found = {c.id: c for c in classes}, {c.label: c for c in classes}
            first, second = found if is_id else found[::-1]
            if c := first.get(label) or second.get(label):
                return by_id[c.shown_id].label if isinstance(c, OwnedClass) else c.label
        return label

    def _is_answered(self, c: OwnedClass) -> bool:
        return c.state is ClassState.ACTIVE and (self.among is None or c.id in self.among)


@dataclass(frozen=True)
class Shown:
    """What the outputs of a model are shown as: `places` has for each output its place in `label_set`, or `DROPPED`."""

    label_set: LabelSet
    places: tuple[int, ...]

    def of(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(n, k)` probabilities of the outputs to `(n, m)` of the classes shown, which add up to one again."""
        if self.places == tuple(range(len(self.label_set))):
            return probabilities
        found = np.zeros((len(probabilities), len(self.label_set)), np.float32)
        for output, place in enumerate(self.places):
            if place != DROPPED:
                found[:, place] += probabilities[:, output]
        total = np.maximum(found.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return found / total if DROPPED in self.places else found

    def greatest(self, of_outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(n, outputs)` figures to `(n, k)`: of each class that of its outputs which is greatest, -1 where it has none."""
        if self.places == tuple(range(len(self.label_set))):
            return of_outputs
        found = np.full((len(of_outputs), len(self.label_set)), -1.0, np.float32)
        for output, place in enumerate(self.places):
            if place != DROPPED:
                np.maximum(found[:, place], of_outputs[:, output], out=found[:, place])
        return found


AS_TRAINED = Classes()
"""Of nobody: outputs are what the model calls them."""


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, or the first of `name~2`, `name~3`, … that is not taken."""
    return next(one for one in chain((name,), (f"{name}~{n}" for n in count(2))) if one not in taken)
