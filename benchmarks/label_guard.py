"""How many planted wrong labels the guard finds, and how many others it doubts: `python -m benchmarks.label_guard FILE…`.

Of each writer in a collection of ink, 2 % of the labels (one at least) are changed: to any other digit, or, the hard way, to the
digit that the drawing looks most like besides its own. `--as-it-is` changes nothing and lists what is doubted, to be looked at.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.label_review import LabelClassifier, find_suspects
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.samples import Dataset
from qtdigits.store.data.datasets import read_dataset
from qtdigits.store.kept_files import load_label_classifier

SHARE, SEED = 0.02, 1


def main() -> None:
    witness = load_label_classifier()
    files = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    for path in map(Path, files):
        drawings = read_dataset(path)
        if "--as-it-is" in sys.argv:
            _list(witness, drawings)
            continue
        for is_hard in (False, True):
            planted, found, put_right, others = _measured(witness, drawings, is_hard=is_hard)
            print(
                f"{path.name}, {'hard' if is_hard else 'any digit'}: {found} of {planted} found, {put_right} with the "
                f"right suggestion; {others} of the other {len(drawings) - planted:,} doubted",
                flush=True,
            )


def _list(witness: LabelClassifier, drawings: Dataset) -> None:
    """Row, writer, label and suggestion of each doubted drawing; a file without writers is by one."""
    writers = np.array(drawings.writers or ("",) * len(drawings))
    for writer in sorted(set(writers.tolist())):
        rows = np.flatnonzero(writers == writer)
        hand = drawings.take(rows)
        for row, doubt in find_suspects(witness, hand.images, list(hand.labels)).items():
            print(
                f"{drawings.name} {rows[row]} {writer} {hand.labels[row]} -> {doubt.suggestion}", flush=True
            )


def _measured(witness: LabelClassifier, drawings: Dataset, *, is_hard: bool) -> tuple[int, int, int, int]:
    rng = np.random.default_rng(SEED)
    writers = np.array(drawings.writers)
    counts = np.zeros(4, np.int64)
    for writer in sorted(set(drawings.writers)):
        hand = drawings.take(np.flatnonzero(writers == writer))
        labels = list(hand.labels)
        planted = rng.choice(len(hand), max(1, round(SHARE * len(hand))), replace=False).tolist()
        scores = witness.scores_without(witness.places(hand.images), labels) if is_hard else None
        for row in planted:
            true = DIGIT_LABELS.index(labels[row])
            wrong = (true + int(rng.integers(1, 10))) % 10
            if scores is not None:
                scores[row, true] = -np.inf
                wrong = int(scores[row].argmax())
            labels[row] = DIGIT_LABELS[wrong]
        found = find_suspects(witness, hand.images, labels)
        right = [row for row in planted if row in found and found[row].suggestion == hand.labels[row]]
        n_found = len(set(planted) & set(found))
        counts += (len(planted), n_found, len(right), len(found) - n_found)
    planted_n, found_n, right_n, others = (int(count) for count in counts)
    return planted_n, found_n, right_n, others


if __name__ == "__main__":
    main()
