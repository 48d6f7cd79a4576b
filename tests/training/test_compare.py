"""Which drawings may tell two models apart: those that neither may have learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.classes import Classes
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset, Origin, Suspicion
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.model import Model
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.checkpoints import digest_of
from qtdigits.core.score.comparison import Comparison
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import compare as compare_module
from qtdigits.training.compare import Drawings, Rivals, headers_of, root_ancestor, was_trained_on
from store.values import a_model, a_sample

Compared = Callable[..., tuple[Drawings, Comparison]]


class OneDigit:
    """Reads every drawing as the digit that the model's name ends with."""

    label_set = DIGITS
    undecided_below = unlike_below = 0.0

    def __init__(self, model: Model) -> None:
        self._digit = int(model.name[-1])

    def show_as(self, classes: Classes) -> None:
        """It knows the digits only."""

    def meaning_of(self, label: str, *, is_id: bool = False) -> str:
        return label

    def read_many(self, images: np.ndarray, *, threads: int = 1) -> np.ndarray:
        return np.tile(np.eye(10, dtype=np.float32)[self._digit], (len(images), 1))

    def read_and_compare(self, images: np.ndarray, *, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        return self.read_many(images), np.ones(len(images), np.float32)

    def read_and_embed(self, images: np.ndarray, *, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """No two drawings are alike: memory has nothing to say."""
        return self.read_many(images), np.eye(len(images), dtype=np.float32)


def learned(name: str, last_sample: int) -> Model:
    return a_model(name=name, provenance={"drawings": {"last_sample": last_sample, "writer": "Ada"}})


@pytest.fixture
def store(data_dir: Path) -> SampleStore:
    """Forty drawings of Ada's, ones and sevens in turn, then three by Bob, and one that was imported."""
    store = SampleStore.open(data_dir)
    store.add_samples(a_sample(label) for label in ("1", "7") * 20)
    store.add_samples(a_sample("7", "Bob") for _ in range(3))
    store.add_samples([a_sample("7", "Ada", origin=Origin.INK_FILE)])
    yield store
    store.close()


@pytest.fixture
def compared(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compared:
    """Compare a new model that reads 7 with one in use that reads 1, by the last drawing that each has learned from."""
    monkeypatch.setattr(compare_module, "Reader", OneDigit)

    def compare(old_learned: int, new_learned: int, read: Sequence[int] = ()) -> tuple[Drawings, Comparison]:
        with SampleStore.open(data_dir) as store:
            drawings = Drawings.of(store, writer="Ada")
        old, new = learned("reads 1", old_learned), learned("reads 7", new_learned)
        rivals = Rivals(old, new, old, drawings)
        are_read = np.isin(drawings.dataset.ids, read)
        wanted = set(np.asarray(drawings.dataset.ids)[rivals.are_learned].tolist())
        assert wanted == {
            i
            for i, held_out in zip(drawings.dataset.ids, drawings.is_held_out, strict=True)
            if old_learned < i <= new_learned and not held_out
        }
        return drawings, rivals.compare(OneDigit(new), out_of_fold=(are_read, are_read))

    return compare


def test_that_only_what_neither_has_learned_from_counts_beside_the_hold_out(
    store: SampleStore, compared: Compared
) -> None:
    for old_learned, new_learned in ((10, 30), (30, 10)):
        drawings, found = compared(old_learned, new_learned)
        held_out = set(store.ids(writer="Ada", held_out=True).tolist())
        unlearned = [i for i in drawings.dataset.ids if 30 < i <= 40 and i not in held_out]
        assert 0 < found.others.n == len(unlearned)
        assert set(found.others.fixed) == {i for i in unlearned if i % 2 == 0}
        assert set(found.others.broken) == {i for i in unlearned if i % 2 == 1}
        assert found.hold_out.n == len(held_out)
        assert found.guard.n == 0


def test_that_learned_drawings_count_as_networks_read_them_that_had_not_learned_from_them(
    store: SampleStore, compared: Compared
) -> None:
    learned_of = [i for i in store.ids(writer="Ada", held_out=False).tolist() if 10 < i <= 20]
    _, without = compared(10, 20)
    _, found = compared(10, 20, learned_of)
    assert found.others.n == without.others.n + len(learned_of)
    assert found.others.after == without.others.after + len(learned_of)  # out of fold all were read right


def test_that_doubted_and_imported_drawings_tell_nothing(store: SampleStore, compared: Compared) -> None:
    _, before = compared(0, 0)
    doubted = int(store.ids(writer="Ada", held_out=False)[0])
    store.mark_suspects({doubted: Suspicion(0.9, "1", "looks like a 1")})
    _, after = compared(0, 0)
    assert after.others.n == before.others.n - 1
    imported = {int(i) for i in store.ids(origin=Origin.INK_FILE)}
    assert not imported & {*after.others.fixed, *after.others.broken, *after.others.still_wrong}


PERSONAL = {"start": "champion"}


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    folder = tmp_path / "models"
    folder.mkdir()
    return ModelLibrary(folder)


def saved(library: ModelLibrary, name: str, *, base: str = "", **values: object) -> Model:
    recipe = recipe_of({**a_model().recipe.to_json(), **values}, name=name)
    path = library.new_path(name)
    save_model(a_model(name=name, recipe=recipe, provenance={"base": f"{base}.h5"} if base else {}), path)
    return load_model(path)


def test_that_the_line_is_followed_to_the_model_that_it_began_with(library: ModelLibrary) -> None:
    first = saved(library, "first")
    saved(library, "second", base="first", **PERSONAL)
    third = saved(library, "third", base="second", **PERSONAL)
    assert root_ancestor(third, library).name == "first"
    assert root_ancestor(third, library).weights.keys() == first.weights.keys()
    assert root_ancestor(first, library) is first


def test_that_what_a_model_or_one_before_it_was_trained_on_is_known_again(library: ModelLibrary) -> None:
    ink, labels = synthetic_digits(6, seed=1)
    drawings = Dataset("ink", render_many(ink), tuple(labels))
    first = saved(library, "first")
    record = {"name": "ink", "sha256": digest_of(drawings)}
    path = library.find("first")
    save_model(replace(first, provenance={"sources": [record]}), path)
    second = saved(library, "second", base="first", **PERSONAL)
    header_of = headers_of(library)
    assert was_trained_on(load_model(path), drawings, header_of)
    assert was_trained_on(second, drawings, header_of)
    assert not was_trained_on(first, drawings, header_of)
    assert not was_trained_on(second, drawings.take([0, 1, 2]), header_of)


def test_that_a_model_that_names_itself_is_its_own_beginning(library: ModelLibrary) -> None:
    again = saved(library, "again", base="again", **PERSONAL)
    assert root_ancestor(again, library) is again


def test_that_the_way_back_ends_where_a_file_is_gone_or_damaged(library: ModelLibrary) -> None:
    saved(library, "first")
    saved(library, "second", base="first", **PERSONAL)
    third = saved(library, "third", base="second", **PERSONAL)
    library.find("first").write_bytes(b"no model")
    assert root_ancestor(third, library).name == "second"
    library.find("second").unlink()
    assert root_ancestor(third, library) is third


def test_that_the_way_back_ends_before_another_network(library: ModelLibrary) -> None:
    saved(library, "first", dense="7")
    second = saved(library, "second", base="first", **PERSONAL)
    assert root_ancestor(second, library) is second


def test_that_the_line_begins_with_what_was_trained_from_scratch_whatever_that_names(
    library: ModelLibrary,
) -> None:
    saved(library, "unrelated")
    saved(library, "first", base="unrelated")
    second = saved(library, "second", base="first", **PERSONAL)
    assert root_ancestor(second, library).name == "first"
