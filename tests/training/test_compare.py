"""Which drawings may tell two models apart: those that neither may have learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset, Origin, Suspicion
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.model import Model
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.checkpoints import digest_of
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import compare as compare_module
from qtdigits.training.compare import compare_with, drawn_since, headers_of, root_ancestor, was_trained_on
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
