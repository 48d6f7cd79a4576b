"""The classes that a person owns: renamed, merged, retired, deleted; and what the outputs of a model stand for now.

Models know classes by their ids, which never change. So a renamed class needs no training: the same output is shown with
another label. Outputs of classes that were merged are added up; those of retired classes are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

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
class Classes:
    """All classes that a person has or had, in their order."""

    owned: tuple[OwnedClass, ...] = ()

    @property
    def active(self) -> LabelSet:
        return LabelSet(tuple(Class(c.id, c.label) for c in self.owned if c.state is ClassState.ACTIVE))

    def current(self, outputs: LabelSet) -> LabelSet:
        """Return the classes of a model with their present labels; those that nobody owns here keep theirs."""
        labels = {c.id: c.label for c in self.owned}
        taken = {labels[c.id] for c in outputs if c.id in labels}
        found = []
        for c in outputs:
            label = labels.get(c.id) or _free(c.label, taken)
            taken.add(label)
            found.append(Class(c.id, label))
        return LabelSet(tuple(found))

    def shown(self, outputs: LabelSet, *, among: Iterable[str] | None = None) -> Shown:
        """Return what a model's outputs stand for; `among`: only these ids (None: all that are active).

        An output is known by its id; one that nobody owns here by its label, as the same class may have another id elsewhere.
        """
        by_id, limit = {c.id: c for c in self.owned}, None if among is None else set(among)
        by_label = {c.label: c for c in self.owned}
        places: list[int] = []
        shown: dict[str, Class] = {}
        for c in outputs:
            owned = by_id.get(c.id) or by_label.get(c.label) or OwnedClass(c.id, c.label)
            root = by_id.get(owned.shown_id, owned)
            is_shown = root.state is ClassState.ACTIVE and (limit is None or root.id in limit)
            if is_shown:
                shown.setdefault(root.id, Class(root.id, root.label))
            places.append(list(shown).index(root.id) if is_shown else DROPPED)
        return Shown(LabelSet(tuple(shown.values())), tuple(places))


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


def _free(label: str, taken: set[str]) -> str:
    return next(one for one in (label, *(f"{label}~{n}" for n in range(2, 10_000))) if one not in taken)
