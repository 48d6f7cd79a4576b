"""What "not sure" costs and catches: digits that get it, and drawings of what is no digit; beside the probability alone.

`python -m benchmarks.not_sure --model heldout.h5 --writers 'pendigits-2[3-9]' 'aga-*' 'tos-*'` asks a model without memory, then
with one: of one of each digit by the same writer, and of one or ten letters or signs, each drawn once, instead of all classes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Row
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import is_no_digit, scribbles
from qtdigits.core.model import NO_MEANS
from qtdigits.reader import Reader
from qtdigits.store.data.ink_files import LabelledInk, read_ink_jsonl
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.training.evaluate import answers_of, answers_with_memory, are_first_of_class

DIGITS, LETTERS, SIGNS = ("pendigits", "unipen-digits"), ("unipen-uppercase", "unipen-lowercase"), "omniglot"
ALPHABET = "Early_Aramaic"
OF_EACH_DIGIT, N_KNOWN, FIGURES, SCRIBBLES = 1, (1, 10), 200, 2000

Undecided = NDArray[np.bool_]


def heart(rng: np.random.Generator) -> list[tuple[float, float]]:
    t = np.linspace(0, 2 * np.pi, 60)
    x = 16 * np.sin(t) ** 3 * rng.uniform(0.8, 1.2)
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    tilt = rng.normal(0, 0.12)
    tilted = np.stack([x * np.cos(tilt) - y * np.sin(tilt), x * np.sin(tilt) + y * np.cos(tilt)], axis=1)
    return [(x, y) for x, y in tilted + 0.15 * rng.normal(0, 0.2, (60, 2)).cumsum(axis=0)]


def star(rng: np.random.Generator) -> list[tuple[float, float]]:
    turns = [-math.pi / 2 + 2 * math.pi * k / 5 + rng.normal(0, 0.08) for k in (0, 2, 4, 1, 3, 0)]
    return [(math.cos(a) * rng.uniform(0.85, 1.1), math.sin(a)) for a in turns]


def house(rng: np.random.Generator) -> list[tuple[float, float]]:
    corners = ((0, -1), (0, 0), (1, 0), (1, -1), (0, -1), (0.5, -1.7), (1, -1))
    return [(x + rng.normal(0, 0.05), y + rng.normal(0, 0.05)) for x, y in corners]


def dataset(drawings: Iterable[LabelledInk]) -> Dataset:
    found = list(drawings)
    images = render_many(one.ink for one in found)
    return Dataset("", images, tuple(one.label for one in found), tuple(one.writer for one in found))


def of_shapes(inks: list[Ink]) -> Dataset:
    return Dataset("", render_many(inks), ("",) * len(inks))


def alone(reader: Reader, drawings: Dataset) -> Undecided:
    return _undecided(answers_of(reader, drawings).undecided)


def with_digits(reader: Reader, drawings: Dataset) -> Undecided:
    first = are_first_of_class(drawings, OF_EACH_DIGIT)
    return _undecided(answers_with_memory(reader, drawings, first, among_all=True).undecided)


def some_known(reader: Reader, drawings: Dataset, n: int) -> tuple[Undecided, Undecided]:
    """Remember a writer's first drawing of `n` labels; return those of the rest that are of these labels, and all others."""
    found: list[Undecided] = []
    are_own: list[NDArray[np.bool_]] = []
    rng = np.random.default_rng(1)
    by, labels = np.array(drawings.writers), np.array(drawings.labels)
    for writer in sorted(set(drawings.writers)):
        own = np.flatnonzero(by == writer)
        known = rng.permutation(np.unique(labels[own]))[:n]
        first = are_first_of_class(drawings.take(own), 1) & np.isin(labels[own], known)
        answers = answers_with_memory(reader, drawings.take(own), first)
        found.append(_undecided(answers.undecided))
        are_own.append(np.isin(labels[own][~first], known))
    undecided, is_own = np.concatenate(found), np.concatenate(are_own)
    return undecided[is_own], undecided[~is_own]


def _undecided(found: Undecided | None) -> Undecided:
    assert found is not None
    return found


def in_pairs(signs: Iterable[LabelledInk]) -> Dataset:
    """Of characters that each drawer drew once: those of two drawers as one writer's, so that there is a second drawing."""
    drawn = list(signs)
    order = sorted({one.writer for one in drawn})
    return dataset(replace(one, writer=str(order.index(one.writer) // 2)) for one in drawn)


def measure(folder: Path | None = None, model: str = "default", writers: Sequence[str] = ("*",)) -> list[Row]:
    folder = folder or Path(os.environ.get("QTDIGITS_INK", "."))
    if not (folder / f"{DIGITS[0]}.jsonl.gz").is_file():
        print(f"  {folder / DIGITS[0]}.jsonl.gz is not there: set QTDIGITS_INK", file=sys.stderr)
        return []
    loaded = load_model(ModelLibrary(folder).find(model), weights=False)
    readers = Reader(loaded), Reader(replace(loaded, unlike_below=0.0, class_means=NO_MEANS), check=False)

    def ink(name: str) -> list[LabelledInk]:
        every = read_ink_jsonl(folder / f"{name}.jsonl.gz")
        return [one for one in every if any(fnmatchcase(one.writer, pattern) for pattern in writers)]

    def row(what: str, drawings: Dataset, look: Callable[[Reader, Dataset], Undecided] = alone) -> Row:
        found = [look(reader, drawings) for reader in readers]
        return _row(f"{what}, {len(found[0]):,}", found[0], found[1])

    rows = []
    for name in DIGITS:
        digits = dataset(ink(name))
        rows += [
            row(f"{name} refused", digits),
            row(f"{name} refused, one of each remembered", digits, with_digits),
        ]
    letters = {name: dataset(ink(name)) for name in LETTERS}
    for name, drawn in letters.items():
        no_digits = [i for i, label in enumerate(drawn.labels) if is_no_digit(label)]
        rows.append(row(f"{name} caught", drawn.take(no_digits)))
    signs = [one for one in read_ink_jsonl(folder / f"{SIGNS}.jsonl.gz") if one.label.startswith(ALPHABET)]
    rows.append(row(f"{ALPHABET} caught", dataset(signs)))
    rows.append(row("scribbles caught", of_shapes(scribbles(SCRIBBLES, 99))))
    for shape in (heart, star, house):
        rng = np.random.default_rng(1)
        rows.append(
            row(f"{shape.__name__}s caught", of_shapes([Ink.of([shape(rng)]) for _ in range(FIGURES)]))
        )
    for name, drawn in {**letters, ALPHABET: in_pairs(signs)}.items():
        for n in N_KNOWN:
            parts = [some_known(reader, drawn, n) for reader in readers]
            for i, what in enumerate((f"{n} known, these refused", f"{n} known, others caught")):
                rows.append(_row(f"{name} {what}, {len(parts[0][i]):,}", parts[0][i], parts[1][i]))
    return rows


def _row(what: str, ours: Undecided, theirs: Undecided) -> Row:
    return Row(what, 100 * ours.mean(), 100 * theirs.mean(), "%", "probability alone", "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ink", type=Path, help="the folder of the ink files (default: QTDIGITS_INK)")
    parser.add_argument("--model", default="default")
    parser.add_argument("--writers", nargs="+", default=["*"], help="patterns: only these")
    options = parser.parse_args()
    for found in measure(options.ink, options.model, options.writers):
        print(f"{found.what}: {found.ours:.2f} %, by probability alone {found.theirs:.2f} %")
