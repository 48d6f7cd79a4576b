"""Which LiteRT programs may be run: our own, and those that were built from the weights of a file from elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from qtdigits.core.model import Model
from qtdigits.paths import shipped_models_dir
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.programs import Programs

SHIPPED = shipped_models_dir() / "mlp-50-50.h5"


@pytest.fixture
def theirs() -> Model:
    """A model whose program is none that anything here has built."""
    model = load_model(SHIPPED)
    return replace(model, path=None, flatbuffer=model.flatbuffer + b"changed")


def test_that_a_program_from_elsewhere_is_left_out_and_the_weights_read(
    theirs: Model, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.h5"
    save_model(replace(theirs, flatbuffer=b"a program that would end the process"), path)
    reader = Reader.open(path, data_dir=tmp_path / "data")
    assert not reader.has_embedding
    ours = Reader(load_model(SHIPPED))
    images = theirs.golden.images
    assert ours.read_many(images) == pytest.approx(reader.read_many(images), abs=1e-2)
    assert reader.read(images[0]).label == ours.read(images[0]).label


@pytest.mark.parametrize("folder", ["models", "elsewhere"])
def test_that_where_the_file_lies_makes_no_difference(folder: str, theirs: Model, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    save_model(theirs, tmp_path / folder / "theirs.h5")
    assert ModelLibrary(tmp_path).load(tmp_path / folder / "theirs.h5").flatbuffer == b""


def test_that_a_shipped_model_and_its_copy_are_known(tmp_path: Path) -> None:
    copy = Path(shutil.copy(SHIPPED, tmp_path / "copy.h5"))
    for path in (SHIPPED, copy):
        assert ModelLibrary(tmp_path).load(path).flatbuffer == load_model(SHIPPED).flatbuffer
    assert not (tmp_path / "programs").exists()


def test_that_what_the_library_saves_is_known_there_and_nowhere_else(theirs: Model, tmp_path: Path) -> None:
    library = ModelLibrary(tmp_path / "mine")
    saved = library.save(theirs, library.new_path("mine"))
    assert saved.path is not None
    assert ModelLibrary(tmp_path / "mine").load(saved.path).flatbuffer == theirs.flatbuffer
    assert ModelLibrary(tmp_path / "other").load(saved.path).flatbuffer == b""


def test_that_a_program_built_in_its_place_is_remembered_until_it_is_forgotten(
    theirs: Model, tmp_path: Path
) -> None:
    path, programs = tmp_path / "theirs.h5", Programs(tmp_path)
    save_model(theirs, path)
    built = load_model(SHIPPED).flatbuffer
    programs.add(theirs, built)
    assert Programs(tmp_path).load(path).flatbuffer == built
    assert Reader(Programs(tmp_path).load(path)).has_embedding
    programs.forget(theirs)
    assert Programs(tmp_path).load(path).flatbuffer == b""


def test_that_other_golden_answers_make_it_another_model(theirs: Model, tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    programs.add(theirs)
    golden = replace(theirs.golden, probabilities=theirs.golden.probabilities[::-1].copy())
    assert programs.of(theirs) == theirs.flatbuffer
    assert programs.of(replace(theirs, golden=golden)) == b""
