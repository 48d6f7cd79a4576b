"""Which drawings may tell two models apart: those that neither may have learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Origin, Suspicion
from qtdigits.core.model import Model
from qtdigits.store.model_files import save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import compare as compare_module
from qtdigits.training.compare import compare_with, drawn_since
from store.values import a_model, a_sample


class OneDigit:
    """Reads every drawing as the digit that the model's name ends with."""

    label_set = DIGITS
    undecided_below = 0.0

    def __init__(self, model: Model) -> None:
        self._digit = int(model.name[-1])

    def read_many(self, images: np.ndarray, *, threads: int = 1) -> np.ndarray:
        return np.tile(np.eye(10, dtype=np.float32)[self._digit], (len(images), 1))


def learned(name: str, last_sample: int) -> Model:
    return a_model(name=name, provenance={"drawings": {"last_sample": last_sample, "writer": "Ada"}})


@pytest.fixture
def store(data_dir: Path) -> SampleStore:
    """Forty drawings of Ada's, ones and sevens in turn, then three by Bob, and one that was imported."""
    store = SampleStore.open(data_dir)
    store.add_samples(a_sample(label) for label in ("1", "7") * 20)
    store.add_samples(a_sample("7", "Bob") for _ in range(3))
    store.add_samples([a_sample("7", origin=Origin.INK_FILE)])
    yield store
    store.close()


def test_that_what_was_judged_meanwhile_is_drawn_here_certain_and_not_held_out(
    store: SampleStore, data_dir: Path
) -> None:
    may_be_trained_on = store.dataset(held_out=False, writer="Ada", newer_than=20, origin=Origin.DRAWN).ids
    doubted, *rest = may_be_trained_on
    store.mark_suspects({doubted: Suspicion(0.9, "1", "looks like a 1")})
    assert drawn_since(data_dir, 20, writer="Ada").ids == tuple(rest)
    assert len(drawn_since(data_dir, 20, writer="").ids) == len(rest) + len(
        store.ids(writer="Bob", held_out=False)
    )


@pytest.mark.parametrize(("old_learned", "new_learned"), [(10, 30), (30, 10)])
def test_that_only_what_neither_has_learned_from_counts(
    store: SampleStore,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old_learned: int,
    new_learned: int,
) -> None:
    monkeypatch.setattr(compare_module, "Reader", OneDigit)
    old = save_model(learned("reads 1", old_learned), tmp_path / "old.h5").path
    assert old is not None
    drawn = drawn_since(data_dir, 10, writer="Ada")
    new = learned("reads 7", new_learned)
    found = compare_with(old, new, OneDigit(new), drawn=drawn)
    unlearned = [i for i in drawn.ids if i > 30]
    assert 0 < found.newer.n == len(unlearned) < len(drawn)
    assert set(found.newer.fixed) == {i for i in unlearned if i % 2 == 0}
    assert set(found.newer.broken) == {i for i in unlearned if i % 2 == 1}
    assert found.hold_out.n == found.guard.n == 0
