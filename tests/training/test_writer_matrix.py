"""The writer matrix measured on real, tiny trainings: nobody's model is scored on what it learned from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from hands import BASE_RECIPE, PERSONAL, hand, together
from qtdigits.core.drawing.samples import Dataset, is_held_out
from qtdigits.core.model import Model
from qtdigits.core.run.control import Control
from qtdigits.core.score.writers import ALL_OTHERS, BASE
from qtdigits.errors import CancelledError, InputError
from qtdigits.training.consolidate import Learner, held_out_by_order
from qtdigits.training.writer_matrix import writer_matrix
from tiny_training import tiny_model

HANDS = {"ada": 140, "bob": 60, "cy": 60}
"""Ada writes mirrored, the others do not."""


def drawings() -> Dataset:
    return together(
        *(
            hand(n, seed, writer=writer, is_mirrored=writer == "ada")
            for seed, (writer, n) in enumerate(HANDS.items(), 3)
        )
    )


@dataclass(frozen=True, eq=False)
class Watching(Learner):
    """Keeps what was learned from."""

    seen: list[Dataset] = field(default_factory=list)

    def learned_model(self, base: Model, own: Dataset, *, name: str, control: Control | None = None) -> Model:
        self.seen.append(own)
        return Learner.learned_model(self, base, own, name=name, control=control)


def learner() -> Watching:
    return Watching(PERSONAL, hand(400, 1))


def test_that_what_is_held_out_is_what_the_store_would_hold_out() -> None:
    found = drawings()
    flags = held_out_by_order(found)
    ordinal = found.labels[:140].count("7") - 1  # of ada's last seven
    place = max(i for i in range(140) if found.labels[i] == "7")
    assert flags[place] == is_held_out("ada", "7", ordinal)
    assert 0.1 < flags.mean() < 0.3


def test_that_one_writer_alone_has_no_matrix() -> None:
    alone = hand(5, 1, writer="ada")
    with pytest.raises(InputError, match="two writers"):
        writer_matrix(alone, held_out=held_out_by_order(alone), base=cast("Model", None), learner=learner())


def test_that_drawings_of_nobody_have_no_matrix() -> None:
    anonymous = hand(5, 1)
    with pytest.raises(InputError, match="who wrote"):
        writer_matrix(anonymous, held_out=np.zeros(5, bool), base=cast("Model", None), learner=learner())


@pytest.fixture(scope="module")
def base() -> Model:
    return tiny_model(BASE_RECIPE)


@pytest.mark.tensorflow
def test_that_each_hand_is_read_by_each_model_and_never_by_one_that_learned_the_drawing(base: Model) -> None:
    data, watching = drawings(), learner()
    held_out = held_out_by_order(data)
    steps: list[tuple[str, int, int]] = []
    found = writer_matrix(
        data,
        held_out=held_out,
        base=base,
        learner=watching,
        progress=lambda *step: steps.append(step),
    )
    assert found.is_whole
    assert [row.name for row in found.rows] == [BASE, *HANDS, ALL_OTHERS]
    by = np.asarray(data.writers)
    for row in found.rows:
        for writer, cell in row.cells.items():
            mine = by == writer
            assert cell.n == (mine & held_out if row.name == writer else mine).sum()

    unlearned = {image.tobytes() for image in data.images[held_out]}
    assert not any(image.tobytes() in unlearned for own in watching.seen for image in own.images)
    assert [set(own.writers) for own in watching.seen] == [
        {"ada"}, {"bob"}, {"cy"}, {"bob", "cy"}, {"ada", "cy"}, {"ada", "bob"}
    ]  # fmt: skip
    assert [row.learned_from for row in found.rows[1:4]] == [len(own) for own in watching.seen[:3]]
    assert steps[0] == ("ada", 0, 6)
    assert steps[3] == ("all but ada", 3, 6)
    assert steps[-1] == ("", 6, 6)

    mirrored = found.rows[1].cells["ada"]
    assert mirrored.after > mirrored.before
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.tensorflow
def test_that_a_stop_keeps_the_rows_that_are_whole(base: Model) -> None:
    data, control, watching = drawings(), Control(), learner()

    def stop_at_second(what: str, done: int, total: int) -> None:
        if done == 1:
            control.stop()

    found = writer_matrix(
        data,
        held_out=held_out_by_order(data),
        base=base,
        learner=watching,
        progress=stop_at_second,
        control=control,
    )
    assert not found.is_whole
    assert [row.name for row in found.rows] == [BASE, "ada"]
    assert len(watching.seen) == 1


@pytest.mark.tensorflow
def test_that_a_cancel_keeps_nothing(base: Model) -> None:
    data, control = drawings(), Control()
    control.cancel()
    with pytest.raises(CancelledError):
        writer_matrix(data, held_out=held_out_by_order(data), base=base, learner=learner(), control=control)


@pytest.mark.tensorflow
def test_that_some_writers_can_be_chosen(base: Model) -> None:
    data, watching = drawings(), learner()
    found = writer_matrix(
        data, held_out=held_out_by_order(data), base=base, learner=watching, writers={"bob", "cy"}
    )
    assert found.writers == ("bob", "cy")
    assert {name for own in watching.seen for name in own.writers} == {"bob", "cy"}
