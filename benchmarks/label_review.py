"""How many planted wrong labels the review finds: `python -m benchmarks.label_review FILE…`.

Of each writer in a collection of ink, 2 % of the labels (one at least) are changed: to any other of the writer's labels, or, the
hard way, to the one that the drawing looks most like besides its own. `--as-it-is` changes nothing and lists what is doubted, to
be looked at. `--model NAME|FILE`: another embedding than that of `default`; `--writers "PATTERN …"`: only these writers.
"""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.label_review import Embedded, find_suspects, scores_without
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.embedding import reference_drawings
from qtdigits.reader import Reader
from qtdigits.store.data.datasets import read_dataset

SHARE, SEED = 0.02, 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--as-it-is", action="store_true")
    parser.add_argument("--model", default="default")
    parser.add_argument("--writers", default="*")
    args = parser.parse_args()
    reader = Reader.open(args.model)
    drawings, labels = reference_drawings()
    examples = Embedded(reader.embed(drawings), labels)
    for path in args.files:
        hands = _hands(read_dataset(path), reader, args.writers.split())
        if args.as_it_is:
            _list(path.name, hands, examples)
            continue
        for is_hard in (False, True):
            n, planted, found, put_right, others = _measured(hands, examples, is_hard=is_hard)
            print(
                f"{path.name}, {'hard' if is_hard else 'any label'}: {found} of {planted} found, {put_right} with the "
                f"right suggestion; {others} of the other {n - planted:,} doubted",
                flush=True,
            )


def _hands(drawings: Dataset, reader: Reader, patterns: list[str]) -> dict[str, tuple[list[int], Embedded]]:
    """The rows and the drawings of each writer; a file without writers is by one."""
    writers = np.array(drawings.writers or ("",) * len(drawings))
    found = {}
    for writer in sorted(set(writers.tolist())):
        if any(fnmatchcase(writer, pattern) for pattern in patterns):
            rows = np.flatnonzero(writers == writer)
            hand = drawings.take(rows)
            found[writer] = rows.tolist(), Embedded(reader.embed(hand.images), hand.labels)
    return found


def _list(name: str, hands: dict[str, tuple[list[int], Embedded]], examples: Embedded) -> None:
    for writer, (rows, hand) in hands.items():
        for row, doubt in find_suspects(hand, examples).items():
            print(f"{name} {rows[row]} {writer} {hand.labels[row]} -> {doubt.suggestion}", flush=True)


def _measured(
    hands: dict[str, tuple[list[int], Embedded]], examples: Embedded, *, is_hard: bool
) -> tuple[int, ...]:
    rng = np.random.default_rng(SEED)
    counts = np.zeros(5, np.int64)
    for rows, hand in hands.values():
        labels, own = list(hand.labels), sorted(set(hand.labels))
        planted = rng.choice(len(rows), max(1, round(SHARE * len(rows))), replace=False).tolist()
        classes = tuple(dict.fromkeys((*own, *examples.labels)))
        scores = scores_without(hand, examples, classes)
        for row in planted if len(own) > 1 else ():
            others = [label for label in own if label != labels[row]]
            hardest = others[int(np.argmax([scores[row, classes.index(label)] for label in others]))]
            labels[row] = hardest if is_hard else str(rng.choice(others))
        found = find_suspects(Embedded(hand.embeddings, labels), examples)
        right = [row for row in planted if row in found and found[row].suggestion == hand.labels[row]]
        n_found = len(set(planted) & set(found))
        counts += (len(rows), len(planted), n_found, len(right), len(found) - n_found)
    return tuple(counts.tolist())


if __name__ == "__main__":
    main()
