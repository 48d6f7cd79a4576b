from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.recipe import FIELD_BY_NAME, FIELDS
from qtdigits.core.recipe_files import Recipe, load_recipe, recipe_names, recipe_toml, value_text


@pytest.mark.parametrize("name", recipe_names())
def test_that_a_recipe_comes_back_from_its_file(tmp_path, name):
    recipe = load_recipe(name)
    (tmp_path / "shared.toml").write_text(recipe_toml(recipe), "utf-8")
    assert load_recipe(str(tmp_path / "shared.toml")) == recipe


@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    seed=st.integers(0, 2**31 - 1),
    decay=st.floats(0, 1),
)
def test_that_odd_names_and_numbers_come_back(tmp_path_factory, name, seed, decay):
    path = tmp_path_factory.mktemp("recipe") / "odd.toml"
    recipe = Recipe(name=name, seed=seed, weight_decay=decay)
    path.write_text(recipe_toml(recipe), "utf-8", newline="\n")
    assert load_recipe(str(path)) == recipe


def test_that_every_field_is_there_and_what_differs_tells_its_default():
    text = recipe_toml(Recipe(optimizer="adamw", batch_size=64))
    for field in FIELDS:
        assert f"\n{field.name} = " in text
    assert text.count("; default: ") == 2
    assert "; default: adam\n" in text
    assert "; default: 128 images\n" in text


def test_that_values_are_told_with_their_units_and_what_nought_means():
    assert value_text(FIELD_BY_NAME["batch_size"], 1024) == "1,024 images"
    assert value_text(FIELD_BY_NAME["patience"], 0) == "never"
    assert value_text(FIELD_BY_NAME["blocks"], "") == "none"
    assert value_text(FIELD_BY_NAME["learning_rate"], 0.003) == "0.003"
