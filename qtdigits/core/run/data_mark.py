"""What tells the data of one training from any other, and in words what is different."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Dataset


@dataclass(frozen=True)
class DataMark:
    """`sources`: the name of each → how many images it has and a digest of them.

    `base` has a digest of the weights that are gone on from, and one of those whose answers are rehearsed where these are others;
    "" where there are none. `mix` is one of who is trained on, how often, and who is validated on; `classes` are the labels in
    their order.
    """

    sources: Mapping[str, tuple[int, str]]
    classes: tuple[str, ...]
    mix: str
    base: str = ""

    @classmethod
    def of(
        cls,
        records: Sequence[Mapping[str, Any]],
        classes: Sequence[str],
        indices: Sequence[NDArray[np.int64]],
        *,
        base: str = "",
    ) -> DataMark:
        """`records` as in a model's provenance; `indices` are all that say which images play which part."""
        digest = hashlib.sha256()
        for array in indices:
            digest.update(f"{array.shape}".encode())
            digest.update(np.ascontiguousarray(array, "<i8").tobytes())
        return cls(
            {str(r["name"]): (r["n_training"] + r["n_validation"], str(r["sha256"])) for r in records},
            tuple(classes),
            digest.hexdigest(),
            base,
        )

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over all of it: two runs with the same one were trained on the same images in the same parts."""
        text = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {
            "sources": {name: list(told) for name, told in self.sources.items()},
            "classes": list(self.classes),
            "mix": self.mix,
            "base": self.base,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DataMark:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError`."""
        sources = {str(name): (int(n), str(digest)) for name, (n, digest) in values["sources"].items()}
        return cls(sources, tuple(map(str, values["classes"])), str(values["mix"]), str(values["base"]))


def what_changed(before: DataMark, now: DataMark) -> tuple[str, ...]:
    """Such as ("drawings: 38 instead of 40",); empty when nothing did."""
    found = []
    for name in dict.fromkeys((*before.sources, *now.sources)):
        old, new = before.sources.get(name), now.sources.get(name)
        if old == new:
            continue
        if old is None:
            found.append(f"{name}: not there before")
        elif new is None:
            found.append(f"{name}: no longer there")
        elif old[0] != new[0]:
            found.append(f"{name}: {new[0]:,} instead of {old[0]:,}")
        else:
            found.append(f"{name}: other images or labels")
    if before.classes != now.classes:
        found.append(f"the classes: {' '.join(now.classes)} instead of {' '.join(before.classes)}")
    if before.base != now.base:
        found.append("the model it went on from, or the one whose answers it rehearses")
    if not found and before.mix != now.mix:
        found.append("which images are trained on, how often, or validated on")
    return tuple(found)


def digest_of(dataset: Dataset) -> str:
    """By which a record knows its images and labels again, in this order."""
    digest = hashlib.sha256(np.ascontiguousarray(dataset.images).tobytes())
    digest.update("\0".join(dataset.labels).encode())
    return digest.hexdigest()
