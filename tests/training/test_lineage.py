"""The model that a line of personal trainings began with is found, and what they were trained on is known again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.model import Model
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.checkpoints import digest_of
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.training.compare import headers_of, root_ancestor, was_trained_on
from store.values import a_model

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
