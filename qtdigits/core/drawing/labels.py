"""Classes and label sets.

A class has a stable `id` and a display `label`; both are strings. The id is the label the class was first given and
never changes; renaming changes the label alone. The order of a label set is the order of a model's outputs.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qtdigits.errors import InputError

MAX_LABEL_LENGTH = 32
JOINERS = "\u200c\u200d"
"""Persian and Indian words and some emoji have them inside; they have no width."""
EDGES = re.compile(rf"^[\s{JOINERS}]+|[\s{JOINERS}]+$")
DIRECTION_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))
SAID_WITH_VOWEL = frozenset("8AEFHILMNORSX")
"""Single characters whose name begins with a vowel: "eight", "ef"."""
WORDS_WITH_VOWEL = frozenset("8AEIO")


@dataclass(frozen=True, order=True)
class Class:
    """One thing that can be drawn, such as the digit 7 or the letter π."""

    id: str
    label: str

    @classmethod
    def named(cls, label: str) -> Class:
        """A new class whose id is its label. Raises `InputError` for a label that cannot be one."""
        cleaned = clean_label(label)
        return cls(cleaned, cleaned)


def clean_label(text: str) -> str:
    """Return a label as typed or read without the blanks around it, and `3.0` as `3` (the report's CSV writes both).

    What looks the same is the same: characters are composed (NFC), and marks of direction, which keyboards for Hebrew and Arabic
    insert, are left out. Raises `InputError` when nothing printable is left or when it is longer than `MAX_LABEL_LENGTH`.
    """
    label = unicodedata.normalize("NFC", EDGES.sub("", text.translate(DIRECTION_MARKS)))
    if label.endswith(".0") and label[:-2].isdecimal():
        label = label[:-2]
    if not label or not label.translate(dict.fromkeys(map(ord, JOINERS))).isprintable():
        raise InputError(
            f"{text!r} is not a label.", "A label is one or more printable characters, such as 7 or A."
        )
    if len(label) > MAX_LABEL_LENGTH:
        raise InputError(
            f"The label {label[:12]!r}… is longer than {MAX_LABEL_LENGTH} characters.", "Shorten it."
        )
    return label


def labels_in(words: Iterable[str]) -> list[str]:
    """Return the labels that a person names, each once. `A-Z` stands for 26: any range of ASCII digits or letters does so."""
    found: list[str] = []
    for word in words:
        first, _, last = word.partition("-")
        is_range = len(first) == len(last) == 1 and any(
            first in kind and last in kind and first < last
            for kind in (string.digits, string.ascii_uppercase, string.ascii_lowercase)
        )
        found += map(chr, range(ord(first), ord(last) + 1)) if is_range else [clean_label(word)]
    return list(dict.fromkeys(found))


def with_article(label: str) -> str:
    """Such as "a 7", "an 8" or "an A", as it is said aloud."""
    first = label[:1].upper()
    is_word = len(label) > 1
    says_vowel = first in (WORDS_WITH_VOWEL if is_word else SAID_WITH_VOWEL) or label in ("11", "18")
    return f"{'an' if says_vowel else 'a'} {label}"


@dataclass(frozen=True)
class LabelSet:
    """The ordered classes that a model tells apart.

    A label that no class has stands for the class that first had it: its id. MNIST calls a seven 7 whatever its class is called.
    """

    classes: tuple[Class, ...]

    def __post_init__(self) -> None:
        for what, values in (("id", self.ids), ("label", self.labels)):
            if len(set(values)) != len(values):
                raise InputError(
                    f"A label set has the same {what} twice: {', '.join(values)}.", "Rename one of them."
                )

    @classmethod
    def of(cls, labels: Iterable[str]) -> LabelSet:
        """Make new classes with these labels, in their order.

        Raises `InputError` for one that cannot be a label, or that comes twice.
        """
        return cls(tuple(Class.named(label) for label in labels))

    @classmethod
    def from_json(cls, rows: Sequence[Mapping[str, str]]) -> LabelSet:
        """The inverse of `to_json`.

        Raises `KeyError` or `TypeError` for rows of another form, `InputError` for classes that come twice.
        """
        return cls(tuple(Class(str(row["id"]), str(row["label"])) for row in rows))

    def to_json(self) -> list[dict[str, str]]:
        """A row for each class, in the order of the outputs: {"id", "label"}."""
        return [{"id": c.id, "label": c.label} for c in self.classes]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(c.id for c in self.classes)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(c.label for c in self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    def __iter__(self) -> Iterator[Class]:
        return iter(self.classes)

    def __contains__(self, label: object) -> bool:
        return label in self.labels or label in self.ids

    def index(self, label: str) -> int:
        """Return the output that stands for `label`. Raises `InputError` when the set has no such class."""
        for known in (self.labels, self.ids):
            if label in known:
                return known.index(label)
        raise InputError(f"The label {label!r} is not among {', '.join(self.labels)}.")

    def with_labels(self, labels: Iterable[str]) -> LabelSet:
        """Return this set, followed by those of `labels` that it lacks, in their order."""
        new = [label for label in dict.fromkeys(labels) if label not in self]
        return LabelSet((*self.classes, *(Class.named(label) for label in new)))

    def indices(self, labels: Sequence[str], *, are_ids: bool = False) -> NDArray[np.int64]:
        """Return the output index of each label, or `are_ids`, `(n,)`. Raises `InputError` at the first that the set lacks."""
        known = (self.labels, self.ids) if are_ids else (self.ids, self.labels)
        position = {text: i for texts in known for i, text in enumerate(texts)}
        unknown = next((label for label in labels if label not in position), None)
        if unknown is not None:
            self.index(unknown)
        return np.array([position[label] for label in labels], np.int64)


DIGIT_LABELS = tuple("0123456789")
DIGITS = LabelSet.of(DIGIT_LABELS)

LOOK_ALIKES: tuple[tuple[str, ...], ...] = (
    ("0", "O", "o"),
    ("1", "I", "l", "|"),
    ("2", "Z", "z"),
    ("5", "S", "s"),
    *((letter, letter.lower()) for letter in "CKPUVWX"),
)
"""Labels of one shape: only size, place, or the label set tells them apart, and a raster shows neither size nor place."""


def look_alikes_of(label: str) -> tuple[str, ...]:
    """Return the labels of the same shape, `label` itself among them: it alone where it has no look-alikes."""
    return next((group for group in LOOK_ALIKES if label in group), (label,))
