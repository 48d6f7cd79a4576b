"""A new class beside the digits: how well 1, 5 or 20 remembered drawings of it are recognised, and what it costs the digits.

Five of each digit by a writer are remembered, and K of a new class. Recall is the share of its other drawings that are read as
it; stolen is the share of the writer's other digits that are. Beside memory stands the recogniser $P (Vatavu, Anthony,
Wobbrock: Gestures as point clouds, ICMI 2012) with the same drawings as templates. The last rows are about ten new classes, with
five drawings each and no, one or five of each digit in memory, beside the network alone.
`python -m benchmarks.new_class --model default --new omniglot`: from `omniglot` (one character by 20 drawers, so that 20 leave
none to read) or from `unipen-uppercase` (a writer's own letters, but for those shaped like a digit). `--by-all`: a letter by all
its writers is one class, read from other writers than those remembered.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Row
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.memory import Memory
from qtdigits.reader import Reader
from qtdigits.store.data.ink_files import LabelledInk, read_ink_jsonl

Cloud = NDArray[np.float64]

TARGETS = {1: "≥ 95 %", 5: "≥ 99 %", 20: "≥ 99.5 %"}
"""Of the recall, by how many drawings of the new class are remembered."""
OF_EACH_DIGIT = 5
NEW_CLASSES = 10
MOST_READ = 40
PAIRS = 60
SHAPED_LIKE_A_DIGIT = frozenset("BDGILOQSZ")
CLOUD_POINTS = 32


def cloud(ink: Ink) -> Cloud:
    """Return 32 points evenly along all strokes `(32, 2)`, scaled by the longer side, the centroid at 0."""
    strokes = [stroke[:, :2].astype(float) for stroke in ink.strokes]
    points = np.concatenate(strokes)
    steps = np.concatenate([np.append(0.0, np.hypot(*np.diff(stroke, axis=0).T)) for stroke in strokes])
    along = np.cumsum(steps)
    at = np.linspace(0.0, along[-1], CLOUD_POINTS)
    even = np.column_stack([np.interp(at, along, points[:, axis]) for axis in (0, 1)])
    even /= max(float(np.ptp(even, axis=0).max()), 1e-9)
    centred: Cloud = even - even.mean(axis=0)
    return centred


def cloud_distances(drawn: Cloud, templates: Cloud) -> NDArray[np.float64]:
    """$P's greedy match of one cloud with templates `(t, 32, 2)`, in both directions, from every fifth point: `(t,)`."""
    distance = np.linalg.norm(drawn[None, :, None] - templates[:, None], axis=-1)
    both = np.stack([distance, distance.transpose(0, 2, 1)], axis=1)
    least = np.full(len(templates), np.inf)
    for start in range(0, CLOUD_POINTS, int(CLOUD_POINTS**0.5)):
        left, total = both.copy(), np.zeros(both.shape[:2])
        for i in range(CLOUD_POINTS):
            row = left[:, :, (start + i) % CLOUD_POINTS]
            nearest = row.argmin(axis=2)
            total += (1.0 - i / CLOUD_POINTS) * row.min(axis=2)
            np.put_along_axis(left, nearest[:, :, None, None], np.inf, axis=3)
        least = np.minimum(least, total.min(axis=1))
    return least


def pairs_of(
    new: list[LabelledInk], digits: dict[str, list[LabelledInk]], *, by_all: bool
) -> list[tuple[str, list[LabelledInk]]]:
    """Return digit writers, each with the drawings of a new class: their own, or those of many writers."""
    rng = np.random.default_rng(1)
    groups: dict[tuple[str, str], list[LabelledInk]] = defaultdict(list)
    for drawing in new:
        groups[drawing.label, "" if by_all else drawing.writer].append(drawing)
    pairs = [
        (writer or str(rng.choice(sorted(digits))), [drawings[i] for i in rng.permutation(len(drawings))])
        if by_all
        else (writer, drawings)
        for (label, writer), drawings in groups.items()
        if label not in SHAPED_LIKE_A_DIGIT and (not writer or writer in digits) and len(drawings) > 9
    ]
    return [pairs[i] for i in rng.permutation(len(pairs))[:PAIRS]]


def measure(
    folder: Path | None = None,
    model: str = "default",
    new: str = "unipen-uppercase",
    *,
    by_all: bool = False,
) -> list[Row]:
    folder = folder or Path(os.environ.get("QTDIGITS_INK", "."))
    if not (folder / f"{new}.jsonl.gz").is_file():
        print(f"  {folder / new}.jsonl.gz is not there: set QTDIGITS_INK", file=sys.stderr)
        return []
    digits: dict[str, list[LabelledInk]] = defaultdict(list)
    for file in ("unipen-digits", "pendigits"):
        if (path := folder / f"{file}.jsonl.gz").is_file():
            for drawing in read_ink_jsonl(path):
                digits[drawing.writer].append(drawing)
    reader = Reader.open(model)
    drawings = list(read_ink_jsonl(folder / f"{new}.jsonl.gz"))
    many = {writer: drawn for writer, drawn in digits.items() if len(drawn) > 60}
    tallies: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
    for writer, drawn in pairs_of(drawings, many, by_all=by_all or new == "omniglot"):
        for known in TARGETS:
            if len(drawn) > known:
                tallies[known].append(_tally(reader, digits[writer], drawn, known))
    rows = []
    for known, found in tallies.items():
        n_new, n_old, *counts = np.sum(found, axis=0)
        after = f"after {known} drawing{'s' * (known > 1)} of it"
        for what, n, (by_memory, nearest, clouds), target in (
            (f"recall of a new class {after}, {n_new:,} read", n_new, counts[:3], TARGETS[known]),
            (f"digits stolen {after}, {n_old:,} read", n_old, counts[3:], "≤ 0.1 %"),
        ):
            for by, count in (("memory", by_memory), ("embedding alone", nearest)):
                rows.append(Row(f"{what}, {by}", 100 * count / n, 100 * clouds / n, "%", "$P", target))
    return [*rows, *(_ten_added(reader, digits, drawings, known) for known in (0, 1, OF_EACH_DIGIT))]


def _ten_added(
    reader: Reader, digits: dict[str, list[LabelledInk]], new: list[LabelledInk], known: int
) -> Row:
    """How many digits are right after ten classes were added, chosen anew for each writer, from five drawings by anybody.

    `known` of each digit by the writer are in memory, too.
    """
    rng = np.random.default_rng(1)
    by_label: dict[str, list[LabelledInk]] = defaultdict(list)
    for drawing in new:
        if drawing.label not in SHAPED_LIKE_A_DIGIT:
            by_label[drawing.label].append(drawing)
    before = after = n = 0
    for drawn in digits.values():
        memory = Memory()
        for label in rng.permutation(sorted(by_label))[:NEW_CLASSES]:
            chosen = [by_label[label][i] for i in rng.permutation(len(by_label[label]))[:OF_EACH_DIGIT]]
            for embedding in reader.embed(render_many(drawing.ink for drawing in chosen)):
                memory.add(embedding, str(label))
        seen: dict[str, int] = defaultdict(int)
        given = reader.read_and_embed(render_many(drawing.ink for drawing in drawn))
        for drawing, probabilities, embedding in zip(drawn, *given, strict=True):
            seen[drawing.label] += 1
            if seen[drawing.label] <= known:
                memory.add(embedding, drawing.label)
                continue
            n += 1
            labels = reader.label_set.labels
            classes, found = _with_memory(reader, memory, probabilities, embedding)
            before += labels[int(probabilities.argmax())] == drawing.label
            after += classes[int(found.argmax())] == drawing.label
    what = f"digits right after ten classes were added from five drawings each, {known} of each digit in memory, {n:,} read"
    return Row(what, 100 * after / n, 100 * before / n, "%", "before", "within 0.1 points")


def _tally(
    reader: Reader, digits: list[LabelledInk], new: list[LabelledInk], known: int
) -> NDArray[np.int64]:
    """Count: new drawings; digits; new ones found by memory, by the most similar embedding and by $P; digits stolen by these."""
    seen: dict[str, int] = defaultdict(int)
    remembered: list[LabelledInk] = new[:known]
    others: list[LabelledInk] = []
    for drawing in digits:
        seen[drawing.label] += 1
        (remembered if seen[drawing.label] <= OF_EACH_DIGIT else others).append(drawing)
    drawers = {drawing.writer for drawing in new[:known]}
    is_own = len({drawing.writer for drawing in new}) == 1
    read = [drawing for drawing in new[known:] if is_own or drawing.writer not in drawers][:MOST_READ]
    tried = read + others[:MOST_READ]
    label, n_new = new[0].label, len(read)
    _, embeddings = reader.read_and_embed(render_many(drawing.ink for drawing in remembered))
    memory = Memory()
    for drawing, embedding in zip(remembered, embeddings, strict=True):
        memory.add(embedding, drawing.label)
    templates = np.stack([cloud(drawing.ink) for drawing in remembered])
    is_new = np.zeros((3, len(tried)), bool)
    given = reader.read_and_embed(render_many(drawing.ink for drawing in tried))
    for i, (probabilities, embedding) in enumerate(zip(*given, strict=True)):
        classes, found = _with_memory(reader, memory, probabilities, embedding)
        nearest = int((embeddings @ embedding).argmax())
        closest = int(cloud_distances(cloud(tried[i].ink), templates).argmin())
        answers = classes[int(found.argmax())], remembered[nearest].label, remembered[closest].label
        is_new[:, i] = [answer == label for answer in answers]
    found_new, stolen = is_new[:, :n_new].sum(axis=1), is_new[:, n_new:].sum(axis=1)
    return np.array([n_new, len(tried) - n_new, *found_new, *stolen])


def _with_memory(
    reader: Reader, memory: Memory, probabilities: NDArray[np.float32], embedding: NDArray[np.float32]
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Classes and their probabilities, as `Reader.read` finds them for a drawing."""
    (likeness,) = reader.likeness(embedding[np.newaxis])
    return memory.combine(
        reader.label_set.labels,
        probabilities,
        memory.neighbours(embedding),
        likeness,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ink", type=Path, help="the folder of the ink files (default: QTDIGITS_INK)")
    parser.add_argument("--model", default="default")
    parser.add_argument(
        "--new", default="unipen-uppercase", help="a file of ink in that folder, without .jsonl.gz"
    )
    parser.add_argument("--by-all", action="store_true", help="a class is drawn by all writers of the file")
    options = parser.parse_args()
    for row in measure(options.ink, options.model, options.new, by_all=options.by_all):
        print(f"{row.what}: {row.ours:.2f} %, {row.beside} {row.theirs:.2f} %")
