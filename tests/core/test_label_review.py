from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.label_review import (
    OWN_WEIGHT,
    LabelClassifier,
    find_suspects,
    label_targets,
)
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import synthetic_digits, synthetic_ink
from qtdigits.store.kept_files import load_label_classifier

Images = NDArray[np.uint8]


def digits(n: int, seed: int) -> tuple[Images, list[str]]:
    inks, labels = synthetic_digits(n, seed)
    return render_many(inks), labels


def one_hand(n: int, seed: int) -> tuple[Images, list[str]]:
    """`n` drawings, the digits in turn, each always written in the same way and a little differently each time."""
    rng = np.random.default_rng(seed)
    ways = [synthetic_ink(label, rng) for label in DIGIT_LABELS]
    return render_many([slanted(ways[i % 10], rng) for i in range(n)]), [
        DIGIT_LABELS[i % 10] for i in range(n)
    ]


def slanted(ink: Ink, rng: np.random.Generator) -> Ink:
    strokes = [np.array(stroke, np.float64) for stroke in ink.strokes]
    lean, width = rng.normal(0.0, 0.08), rng.normal(1.0, 0.08)
    for stroke in strokes:
        stroke[:, 0] = stroke[:, 0] * width + stroke[:, 1] * lean
    return Ink.of(strokes)


@pytest.fixture(scope="module")
def classifier() -> LabelClassifier:
    return LabelClassifier.of(*digits(600, seed=1))


@pytest.fixture(scope="module")
def own() -> tuple[Images, list[str]]:
    return one_hand(100, seed=2)


def wrong(labels: Sequence[str], *rows: int) -> list[str]:
    """`labels` with those of `rows` changed to the next digit but two."""
    changed = list(labels)
    for row in rows:
        changed[row] = DIGIT_LABELS[(int(labels[row]) + 3) % 10]
    return changed


def test_that_planted_mistakes_are_found_and_put_right(
    classifier: LabelClassifier, own: tuple[Images, list[str]]
) -> None:
    images, labels = own
    planted = (4, 30, 77, 91)
    found = find_suspects(classifier, images, wrong(labels, *planted))
    assert set(planted) <= set(found)
    assert len(found) <= len(planted) + 1
    for row in planted:
        assert found[row].suggestion == labels[row]
        assert f"your own {labels[row]}s" in found[row].reason
        assert 0.4 < found[row].score <= 1


def test_that_drawings_that_broke_alike_do_not_speak_for_one_another(own: tuple[Images, list[str]]) -> None:
    """Of two 4s only a stroke came through; each has a sibling that looks the same and is said to be a 4, too."""
    images, labels = own[0].copy(), own[1]
    broken = [row for row, label in enumerate(labels) if label == "4"][:2]
    images[broken] = render_many([Ink.of([[(0.0, 0.0), (lean, 100.0)]]) for lean in (-3.0, 3.0)])
    found = find_suspects(load_label_classifier(), images, labels)
    assert set(broken) <= set(found)
    assert {found[row].reason for row in broken} == {"looks like a 1, hardly like a 4"}


def test_that_right_labels_are_left_alone(classifier: LabelClassifier, own: tuple[Images, list[str]]) -> None:
    assert len(find_suspects(classifier, *own)) <= 1


@pytest.mark.parametrize("row", [0, 41, 99])
@pytest.mark.parametrize("label", ["0", "6"])
def test_that_a_drawings_own_label_has_no_say_in_how_it_is_read(
    classifier: LabelClassifier, own: tuple[Images, list[str]], row: int, label: str
) -> None:
    images, labels = own
    places = classifier.places(images)
    changed = [*labels[:row], label, *labels[row + 1 :]]
    before, after = (classifier.scores_without(places, names) for names in (labels, changed))
    np.testing.assert_allclose(after[row], before[row], atol=1e-8)
    assert label == labels[row] or not np.allclose(after, before, atol=1e-4)  # the others learn from it


def test_that_the_closed_form_is_what_leaving_a_drawing_out_gives(
    classifier: LabelClassifier, own: tuple[Images, list[str]]
) -> None:
    images, labels = own
    places, row = classifier.places(images), 17
    rest = [i for i in range(len(labels)) if i != row]
    gram, moments = classifier.with_drawings(
        places[rest], label_targets([labels[i] for i in rest]), OWN_WEIGHT
    )
    really = np.cos(places[row] @ classifier.waves + classifier.phases) @ np.linalg.solve(gram, moments) + 0.1
    np.testing.assert_allclose(classifier.scores_without(places, labels)[row], really, atol=1e-7)


def test_that_a_digit_with_few_examples_and_a_class_that_is_no_digit_are_not_judged(
    classifier: LabelClassifier, own: tuple[Images, list[str]]
) -> None:
    images, labels = own
    chosen = [i for i in range(100) if labels[i] == "1"] + [i for i in range(100) if labels[i] == "7"][:3]
    named = [labels[i] for i in chosen]
    named[0] = "7"
    assert set(find_suspects(classifier, images[chosen], named)) == {0}  # three other sevens
    assert find_suspects(classifier, images[chosen[:-1]], named[:-1]) == {}
    assert find_suspects(classifier, images[chosen], ["seven" if n == "7" else n for n in named]) == {}


def test_that_nobodys_drawings_are_no_trouble(classifier: LabelClassifier) -> None:
    assert find_suspects(classifier, np.empty((0, 28, 28), np.uint8), []) == {}


def test_that_the_same_seed_gives_the_same_classifier() -> None:
    images, labels = digits(200, seed=5)
    one, two = LabelClassifier.of(images, labels), LabelClassifier.of(images, labels)
    np.testing.assert_array_equal(one.moments, two.moments)
