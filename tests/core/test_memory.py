"""The memory of judged drawings: what is added counts at the next reading, what is forgotten leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import MAX_LABEL_LENGTH
from qtdigits.core.memory import Memory
from qtdigits.errors import InputError

CLASSES = ("0", "1", "2")
UNSURE = np.array([0.5, 0.3, 0.2], np.float32)


def embeddings(n: int, length: int = 8, seed: int = 0) -> NDArray[np.float32]:
    found = np.random.default_rng(seed).normal(size=(n, length)).astype(np.float32)
    unit: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def read(memory: Memory, embedding: NDArray[np.float32]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    return memory.combine(CLASSES, UNSURE, memory.neighbours(embedding))


def test_that_an_empty_memory_changes_nothing() -> None:
    classes, probabilities = read(Memory(), embeddings(1)[0])
    assert classes == CLASSES
    assert np.array_equal(probabilities, UNSURE)


def test_that_one_correction_is_enough_for_the_same_drawing() -> None:
    memory, (drawing, *_) = Memory(), embeddings(1)
    memory.add(drawing, "2")
    _, probabilities = read(memory, drawing)
    assert probabilities.argmax() == 2
    assert probabilities.sum() == pytest.approx(1)


def test_that_a_label_the_network_never_saw_is_read_after_one_drawing() -> None:
    memory, (drawing, other) = Memory(), embeddings(2)
    memory.add(drawing, "π")
    classes, probabilities = read(memory, drawing)
    assert classes == (*CLASSES, "π")
    assert classes[probabilities.argmax()] == "π"
    assert read(memory, other)[1].argmax() == 0


def test_that_neighbours_come_most_similar_first_with_label_and_key() -> None:
    memory, drawings = Memory(), embeddings(20)
    keys = [memory.add(drawing, str(i % 3)) for i, drawing in enumerate(drawings)]
    first, *others = memory.neighbours(drawings[7], 4)
    assert (first.label, first.key) == ("1", keys[7])
    assert first.similarity == pytest.approx(1)
    similarities = [n.similarity for n in (first, *others)]
    assert similarities == sorted(similarities, reverse=True)
    assert len(memory.neighbours(drawings[7])) == memory.nearest


def test_that_of_equally_similar_drawings_the_newer_comes_first() -> None:
    memory, (drawing, other) = Memory(), embeddings(2)
    for label in "abc":
        memory.add(drawing, label)
        memory.add(other, "x")
    assert [n.label for n in memory.neighbours(drawing, 4)] == ["c", "b", "a", "x"]
    assert [n.label for n in memory.neighbours(drawing, 2)] == ["c", "b"]


def test_that_a_class_nobody_has_drawn_yet_loses_nothing_by_what_is_remembered_of_others() -> None:
    """A drawing that looks like no remembered 0 is rather something that is not remembered yet."""
    memory, (zero, other) = Memory(), np.eye(2, 8, dtype=np.float32)
    memory.add(zero, "0")
    _, probabilities = read(memory, other)
    assert probabilities.argmax() == 1
    assert probabilities[1] / probabilities[2] == pytest.approx(1.5, rel=0.01)
    assert read(memory, zero)[1].argmax() == 0


def test_that_the_nearest_counts_most() -> None:
    memory, drawing = Memory(), np.eye(1, 8, dtype=np.float32)[0]
    for label, distance in (("1", 0.1), ("2", 0.2), ("2", 0.21)):
        memory.add(drawing + distance * np.eye(8, dtype=np.float32)[1], label)
    assert read(memory, drawing)[1].argmax() == 1


def test_that_many_remembered_drawings_make_no_answer_certain() -> None:
    memory, drawing = Memory(), embeddings(1)[0]
    for _ in range(50):
        memory.add(drawing, "2")
    assert 0.99 < read(memory, drawing)[1][2] < 0.9999


@given(st.lists(st.integers(0, 29), min_size=1, max_size=30, unique=True), st.integers(0, 1_000))
def test_that_what_is_forgotten_leaves_no_trace(forgotten: list[int], seed: int) -> None:
    drawings = embeddings(31, seed=seed)
    kept, all_of_them = Memory(), Memory()
    for i, drawing in enumerate(drawings[:30]):
        all_of_them.add(drawing, str(i % 4), key=i)
        if i not in forgotten:
            kept.add(drawing, str(i % 4), key=i)
    for i in forgotten:
        all_of_them.forget(i)
    assert len(all_of_them) == len(kept) == 30 - len(forgotten)
    assert all_of_them.neighbours(drawings[30]) == kept.neighbours(drawings[30])
    for mine, theirs in zip(read(all_of_them, drawings[30]), read(kept, drawings[30]), strict=True):
        assert np.array_equal(mine, theirs)


def test_that_hundreds_are_remembered() -> None:
    memory, drawings = Memory(), embeddings(500)
    for i, drawing in enumerate(drawings):
        memory.add(drawing, str(i % 10))
    assert len(memory) == 500
    assert memory.neighbours(drawings[321], 1)[0].label == "1"
    assert memory.labels == tuple("0123456789")


@pytest.mark.parametrize(
    ("embedding", "label"),
    [
        (np.zeros((2, 8)), "1"),
        (np.zeros(0), "1"),
        (np.full(8, np.nan), "1"),
        (np.ones(9), "1"),
        (np.ones(8), " "),
        (np.ones(8), "x" * (MAX_LABEL_LENGTH + 1)),
    ],
)
def test_that_what_cannot_be_remembered_is_refused_and_changes_nothing(
    embedding: NDArray[np.float64], label: str
) -> None:
    memory = Memory()
    memory.add(np.ones(8), "1")
    with pytest.raises(InputError):
        memory.add(embedding, label)
    assert len(memory) == 1


def test_that_a_key_is_remembered_once_and_only_what_is_known_is_forgotten() -> None:
    memory = Memory()
    assert memory.add(np.ones(8), "1", key=7) == 7
    with pytest.raises(InputError, match="7"):
        memory.add(np.ones(8), "1", key=7)
    with pytest.raises(InputError, match="8"):
        memory.forget(8)
    assert memory.add(np.ones(8), "1") == 8


def test_that_readings_do_not_depend_on_when_a_drawing_was_added() -> None:
    drawings = embeddings(20)
    in_order, shuffled = Memory(), Memory()
    for key in range(20):
        in_order.add(
            drawings[key % 10], str(key % 3), key=key
        )  # each drawing twice: of equal ones the newer comes first
    for key in np.random.default_rng(1).permutation(20):
        shuffled.add(drawings[key % 10], str(key % 3), key=int(key))
    assert shuffled.labels == in_order.labels
    assert shuffled.neighbours(drawings[3], 20) == in_order.neighbours(drawings[3], 20)
    assert [n.key for n in shuffled.neighbours(drawings[3], 2)] == [13, 3]


def test_that_a_memory_takes_over_what_another_one_remembers() -> None:
    drawings, memory, newer = embeddings(4), Memory(), Memory()
    memory.add(drawings[0], "0", key=1)
    memory.add(drawings[1], "1", key=2)
    newer.add(drawings[2], "2", key=2)
    newer.add(drawings[3], "0", key=3)
    memory.update(newer)
    assert [key in memory for key in range(5)] == [False, True, True, True, False]
    assert np.array_equal(memory.embedding(2), newer.embedding(2))
    assert memory.labels == ("0", "2")
    with pytest.raises(InputError, match="4"):
        memory.embedding(4)


@pytest.mark.parametrize("length", [8, 160])
def test_that_among_thousands_the_most_similar_are_found_and_what_is_forgotten_leaves_no_trace(
    length: int,
) -> None:
    """Whatever is passed over on the way to the nearest, they are those of a search among all, to the last bit."""
    n, few = 5000, 1500
    drawings = embeddings(n, length, seed=3)
    drawings[n // 2 : n // 2 + 20] = drawings[:20]  # equally similar ones: the newer come first
    memory, small = Memory(), Memory()
    for key, drawing in enumerate(drawings):
        memory.add(drawing, str(key % 7), key=key)
    for key, drawing in enumerate(drawings[:few]):
        small.add(drawing, str(key % 7), key=key)
    queries = np.concatenate([drawings[:10], embeddings(10, length, seed=4)])
    for query in queries:
        similarities = np.array([np.einsum("j,j->", drawing, query) for drawing in drawings])
        expected = np.lexsort((-np.arange(n), -similarities))[:5].tolist()
        assert [neighbour.key for neighbour in memory.neighbours(query)] == expected
    for key in range(few, n):
        memory.forget(key)
    for query in queries:
        assert memory.neighbours(query) == small.neighbours(query)


def test_that_beside_a_prototype_a_class_that_nothing_is_remembered_of_is_expected_where_the_network_learned_it() -> (
    None
):
    memory, (heart, drawing) = Memory(), embeddings(2)
    memory.add(heart, "♥")
    neighbours = memory.neighbours(drawing)
    far, near = np.zeros(len(CLASSES), np.float32), np.ones(len(CLASSES), np.float32)
    labels, found = memory.combine(CLASSES, UNSURE, neighbours, far)
    assert labels[-1] == "♥"
    assert memory.combine(CLASSES, UNSURE, neighbours, near)[1][-1] < found[-1]


def test_that_what_the_network_learned_says_nothing_where_memory_knows_no_class_of_its_own() -> None:
    memory, (zero, drawing) = Memory(), embeddings(2)
    memory.add(zero, CLASSES[0])
    neighbours = memory.neighbours(drawing)
    alone = memory.combine(CLASSES, UNSURE, neighbours)[1]
    beside = memory.combine(CLASSES, UNSURE, neighbours, np.ones(len(CLASSES), np.float32))[1]
    np.testing.assert_array_equal(alone, beside)


def test_that_what_resembles_nothing_the_network_learned_is_rather_a_prototype() -> None:
    sign, drawn = embeddings(2)
    memory = Memory()
    memory.add(sign, "♥")
    neighbours = memory.neighbours(sign + 0.8 * drawn)
    sure = np.array([0.998, 0.001, 0.001], np.float32)

    def chance(likeness: float) -> float:
        return float(memory.combine(CLASSES, sure, neighbours, np.full(3, likeness, np.float32))[1][-1])

    assert chance(0.1) > chance(0.4) > chance(0.5)
