"""Simulated users with a memory: every drawing is read before it is remembered, with or without trainings between."""

from __future__ import annotations

import pytest

from hands import BASE_RECIPE, PERSONAL, hand, together
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.memory import Memory
from qtdigits.core.model import Model
from qtdigits.core.score.writers import Plan
from qtdigits.reader import Reader
from qtdigits.training.consolidate import Learner
from qtdigits.training.simulate import simulate
from tiny_training import tiny_model

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def base() -> Model:
    return tiny_model(BASE_RECIPE)


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return together(hand(60, 6, writer="ada", is_mirrored=True), hand(50, 7, writer="bob", is_mirrored=True))


def errors_with_memory(model: Model, one_hand: Dataset) -> int:
    """Counted as the window reads."""
    reader, memory, errors = Reader(model), Memory(), 0
    for raster, label in zip(one_hand.images, one_hand.labels, strict=True):
        reading = reader.read(raster, memory)
        errors += reading.label != label
        memory.add(reading.embedding, label)
    return errors


def test_that_memory_alone_is_simulated_as_the_window_reads(base: Model, drawn: Dataset) -> None:
    found = simulate(drawn, base=base, learner=None, mnist_test=None, plan=Plan((0, 20), remembers=True))
    values = found.to_json()
    wanted = errors_with_memory(base, drawn.take(range(60))) + errors_with_memory(
        base, drawn.take(range(60, 110))
    )
    assert values["all"]["n"] == 110
    assert values["all"]["errors_with"] == wanted < values["all"]["errors_without"]
    assert values["all"]["writers_worse"] == 0
    first, later = values["steps"]
    assert first["errors_with"] == wanted
    assert (later["after"], later["n"]) == (20, 70)
    assert [writer["all"]["n"] for writer in values["per_writer"]] == [60, 50]


def test_that_nothing_is_learned_where_nothing_is_asked_for(base: Model, drawn: Dataset) -> None:
    values = simulate(drawn, base=base, learner=None, mnist_test=None, plan=Plan((0, 20))).to_json()
    assert "all" not in values
    assert all(step["errors_with"] == step["errors_without"] for step in values["steps"])


def test_that_both_read_with_memory_before_and_after_each_training(base: Model, drawn: Dataset) -> None:
    learner = Learner(PERSONAL, hand(400, 1))
    ada = drawn.take(range(60))
    plan = Plan((0, 40), remembers=True)
    memory = simulate(ada, base=base, learner=None, mnist_test=None, plan=plan).to_json()
    both = simulate(ada, base=base, learner=learner, mnist_test=None, plan=plan).to_json()
    assert both["steps"][0] == memory["steps"][0]
    assert both["all"]["errors_without"] == memory["all"]["errors_without"]
    after_training = both["steps"][1]["errors_with"]
    before = memory["steps"][0]["errors_with"] - memory["steps"][1]["errors_with"]
    assert both["all"]["errors_with"] == before + after_training
    assert after_training < both["steps"][1]["errors_without"]
