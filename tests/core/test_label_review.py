from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from qtdigits.core.drawing.label_review import (
    EXAMPLE_WEIGHT,
    RIDGE,
    Embedded,
    find_suspects,
    scores_without,
)
from qtdigits.core.drawing.labels import DIGIT_LABELS

Floats = NDArray[np.float64]
CLASSES = (*DIGIT_LABELS, "A", "O", "π")
LENGTH = 20
WAYS = {label: np.eye(LENGTH)[place] for place, label in enumerate(CLASSES)}
"""How each class is written, as a direction in the space of embeddings."""


def embedded(labels: Sequence[str], seed: int, *, spread: float = 0.1) -> Floats:
    """An embedding for each label: its way, and a little of everything."""
    rng = np.random.default_rng(seed)
    found = np.array([WAYS[label] for label in labels]) + rng.normal(0, spread, (len(labels), LENGTH))
    unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def one_hand(n: int, *classes: str) -> list[str]:
    return [classes[i % len(classes)] for i in range(n)]


@pytest.fixture
def examples() -> Embedded:
    labels = one_hand(50, *DIGIT_LABELS)
    return Embedded(embedded(labels, seed=1, spread=0.2), labels)


def wrong(labels: Sequence[str], *rows: int) -> list[str]:
    """`labels` with those of `rows` changed to that of the drawing three places on."""
    changed = list(labels)
    for row in rows:
        changed[row] = labels[(row + 3) % len(labels)]
    return changed


@pytest.mark.parametrize("classes", [DIGIT_LABELS, ("A", "O", "π", "4", "7")])
def test_that_planted_mistakes_are_found_and_put_right_whatever_the_classes(
    examples: Embedded, classes: tuple[str, ...]
) -> None:
    labels, planted = one_hand(100, *classes), (4, 30, 77, 91)
    found = find_suspects(Embedded(embedded(labels, seed=2), wrong(labels, *planted)), examples)
    assert set(found) == set(planted)
    for row in planted:
        assert found[row].suggestion == labels[row]
        assert f"your own {labels[row]}s" in found[row].reason
        assert 0.45 < found[row].score <= 1


def test_that_right_labels_are_left_alone(examples: Embedded) -> None:
    labels = one_hand(100, *DIGIT_LABELS, "A")
    assert find_suspects(Embedded(embedded(labels, seed=3), labels), examples) == {}


def test_that_a_hand_of_its_own_is_not_doubted_for_being_unusual(examples: Embedded) -> None:
    """This person's 7s look like everybody's 1s, and the 1s like nobody's."""
    labels = one_hand(100, *DIGIT_LABELS)
    looks = ["1" if label == "7" else "A" if label == "1" else label for label in labels]
    assert find_suspects(Embedded(embedded(looks, seed=4), labels), examples) == {}


def test_that_drawings_that_broke_alike_do_not_speak_for_one_another(examples: Embedded) -> None:
    """Of two 4s only a line came through; each has a sibling that looks the same and is said to be a 4, too."""
    labels = one_hand(100, *DIGIT_LABELS)
    embeddings = embedded(labels, seed=5)
    broken = [row for row, label in enumerate(labels) if label == "4"][:2]
    embeddings[broken] = embedded(["1"], seed=6)
    found = find_suspects(Embedded(embeddings, labels), examples)
    assert set(found) == set(broken)
    assert {doubt.reason for doubt in found.values()} == {"looks like a 1, hardly like a 4"}


@pytest.mark.parametrize("row", [0, 41, 99])
@pytest.mark.parametrize("label", ["0", "A"])
def test_that_a_drawings_own_label_has_no_say_in_how_it_is_read(
    examples: Embedded, row: int, label: str
) -> None:
    labels = one_hand(100, *DIGIT_LABELS)
    embeddings = embedded(labels, seed=2)
    changed = [*labels[:row], label, *labels[row + 1 :]]
    before, after = (
        scores_without(Embedded(embeddings, names), examples, CLASSES) for names in (labels, changed)
    )
    np.testing.assert_allclose(after[row], before[row], atol=1e-8)
    assert label == labels[row] or not np.allclose(after, before, atol=1e-4)  # the others learn from it


def test_that_the_closed_form_is_what_leaving_a_drawing_out_gives(examples: Embedded) -> None:
    labels, row = one_hand(100, *DIGIT_LABELS), 17
    embeddings = embedded(labels, seed=2)
    weights = np.concatenate([np.ones(99), np.full(50, EXAMPLE_WEIGHT)])
    known = np.concatenate([np.delete(embeddings, row, axis=0), np.asarray(examples.embeddings)])
    answers = np.array([*labels[:row], *labels[row + 1 :], *examples.labels])[:, None] == np.array(CLASSES)
    gram = known.T @ (weights[:, None] * known) + RIDGE * np.eye(LENGTH)
    learned = np.linalg.solve(gram, known.T @ (weights[:, None] * (answers - 1 / len(CLASSES))))
    expected = embeddings[row] @ learned + 1 / len(CLASSES)
    found = scores_without(Embedded(embeddings, labels), examples, CLASSES)[row]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_that_a_class_with_few_examples_is_not_judged(examples: Embedded) -> None:
    embeddings = embedded([*["1"] * 10, *["7"] * 3], seed=7)
    labels = ["7", *["1"] * 9, *["7"] * 3]  # the first is a 1; there are three other 7s
    assert set(find_suspects(Embedded(embeddings, labels), examples)) == {0}
    assert find_suspects(Embedded(embeddings[:-1], labels[:-1]), examples) == {}


def test_that_look_alikes_are_not_suggested_for_one_another(examples: Embedded) -> None:
    labels = one_hand(40, "O", "0", "4", "7")
    looks = ["0" if label == "O" else label for label in labels]
    assert find_suspects(Embedded(embedded(looks, seed=8), labels), examples) == {}


def test_that_nobodys_drawings_are_no_trouble(examples: Embedded) -> None:
    assert find_suspects(Embedded(np.empty((0, LENGTH)), []), examples) == {}
