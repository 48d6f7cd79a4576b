from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.run.checkpoints import DataFingerprint, data_changes

RECORDS = [
    {"name": "MNIST", "n_training": 90, "n_validation": 10, "sha256": "m"},
    {"name": "drawings", "n_training": 36, "n_validation": 4, "sha256": "d"},
]


def mark(*, training: tuple[int, ...] = (0, 1, 1), base: str = "b") -> DataFingerprint:
    return DataFingerprint.of(RECORDS, "01", [np.array(training), np.array([2])], base=base)


def test_that_the_same_data_has_the_same_mark_also_from_a_file() -> None:
    assert data_changes(mark(), DataFingerprint.from_json(mark().to_json())) == ()


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (replace(mark(), sources={"MNIST": (100, "m"), "drawings": (38, "e")}), "drawings: 38 instead of 40"),
        (replace(mark(), sources={"MNIST": (100, "m"), "drawings": (40, "e")}), "drawings: other images"),
        (replace(mark(), sources={"drawings": (40, "d")}), "MNIST: no longer there"),
        (replace(mark(), sources={**mark().sources, "a.jsonl": (3, "x")}), "a.jsonl: not there before"),
        (replace(mark(), classes=("0", "1", "A")), "the classes: 0 1 A instead of 0 1"),
        (mark(base="c"), "the model it went on from, or the one whose answers it rehearses"),
        (mark(training=(0, 1)), "how often"),
    ],
)
def test_that_what_changed_is_named(now: DataFingerprint, said: str) -> None:
    (found,) = data_changes(mark(), now)
    assert said in found


def test_that_moving_an_image_between_parts_is_noticed() -> None:
    a = DataFingerprint.of(RECORDS, "01", [np.array([0, 1]), np.array([2])])
    b = DataFingerprint.of(RECORDS, "01", [np.array([0]), np.array([1, 2])])
    assert data_changes(a, b)


def test_that_a_fingerprint_tells_any_other_data_from_the_same() -> None:
    others = (
        mark(training=(0, 1, 2)),
        mark(base=""),
        replace(mark(), classes=("1", "0")),
        replace(mark(), sources={"MNIST": (100, "other"), "drawings": (40, "d")}),
    )
    same = DataFingerprint.from_json(mark().to_json())
    assert same.fingerprint == mark().fingerprint
    assert len({mark().fingerprint, *(other.fingerprint for other in others)}) == 5
