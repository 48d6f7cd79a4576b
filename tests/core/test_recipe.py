"""Recipes: one table of fields, checked values, files that say what is wrong with them."""

from dataclasses import fields as dataclass_fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.drawing.augmentation import Augmentation
from qtdigits.core.recipe import AUGMENTATION_FIELDS, FIELD_BY_NAME, FIELDS, Recipe, differences, recipe_of
from qtdigits.core.recipe_files import load_recipe, recipe_names, recipe_toml
from qtdigits.errors import InputError


def test_that_the_two_recipes_of_the_report_travel_along() -> None:
    assert {"cnn-32-64", "mlp-50-50"} <= set(recipe_names())
    assert load_recipe("mlp-50-50").network.title == "MLP 50-50"
    assert load_recipe("cnn-32-64").network.title == "CNN 32-64 + 256"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_that_a_fields_default_is_a_value_it_takes(field: object) -> None:
    assert field.parse(field.default) == field.default  # type: ignore[attr-defined]


def test_that_a_recipe_comes_back_from_json() -> None:
    recipe = recipe_of({"blocks": "8:3", "optimizer": "nadam", "epochs": "7"}, name="mine")
    assert recipe_of(recipe.to_json()) == recipe
    assert recipe.epochs == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("epochs", True),
        ("epochs", "many"),
        ("learning_rate", -1),
        ("learning_rate", "nan"),
        ("optimizer", "magic"),
        ("batch_size", 10**9),
        ("seed", None),
    ],
)
def test_that_a_value_out_of_range_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    with pytest.raises(InputError, match=field) as caught:
        recipe_of({field: value})
    assert FIELD_BY_NAME[field].takes in caught.value.remedy


def test_that_an_unknown_field_is_refused() -> None:
    with pytest.raises(InputError, match="no field 'epoch'"):
        recipe_of({"epoch": 3})


def test_that_a_network_that_cannot_be_is_refused_with_the_recipe() -> None:
    with pytest.raises(InputError, match="Nothing is left of the image"):
        recipe_of({"blocks": "8:11, 8:11, 8:11"})


def test_that_a_recipe_file_is_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "quick.toml"
    path.write_text('dense = "20"\nepochs = 2\n')
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.dense, recipe.epochs) == ("quick", "20", 2)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("epochs = = 3", "line 1"), ("epochs = 0", "epochs is 0"), ("speed = 3", "no field 'speed'")],
)
def test_that_a_bad_recipe_file_is_named_with_its_line_or_field(
    tmp_path: Path, content: str, complaint: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(content)
    with pytest.raises(InputError, match=f"bad.toml.*{complaint}"):
        load_recipe(str(path))


def test_that_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no recipe 'mpl'") as caught:
        load_recipe("mpl")
    assert "mlp-50-50" in caught.value.remedy


def test_that_differences_are_the_fields_that_differ() -> None:
    recipe = Recipe()
    other = recipe.with_values(epochs=3, seed=9)
    assert differences(recipe, other) == {"epochs": (10, 3), "seed": (1, 9)}


def test_that_every_setting_of_the_augmentation_is_a_field() -> None:
    recipe = recipe_of({"augmentation": 2.0, "rotation_deg": 5, "pen": 0})
    assert recipe.augmentation_settings == Augmentation(2.0, rotation_deg=5.0, pen=0.0)
    settings = {field.name for field in dataclass_fields(Augmentation)}
    assert settings == {"strength", "elastic_smoothness_px", *(field.name for field in AUGMENTATION_FIELDS)}


def test_that_best_is_the_default_network_made_wider() -> None:
    default, best = load_recipe("default").network, load_recipe("best").network
    assert [(b.kernel, b.pool, b.padding) for b in best.blocks] == [
        (b.kernel, b.pool, b.padding) for b in default.blocks
    ]
    assert all(
        wide.filters > narrow.filters for wide, narrow in zip(best.blocks, default.blocks, strict=True)
    )


@pytest.mark.parametrize("name", recipe_names())
def test_that_a_recipe_comes_back_from_its_file(tmp_path: Path, name: str) -> None:
    recipe = load_recipe(name)
    (tmp_path / "shared.toml").write_text(recipe_toml(recipe), "utf-8")
    assert load_recipe(str(tmp_path / "shared.toml")) == recipe


@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    seed=st.integers(0, 2**31 - 1),
    decay=st.floats(0, 1),
)
def test_that_odd_names_and_numbers_come_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int, decay: float
) -> None:
    path = tmp_path_factory.mktemp("recipe") / "odd.toml"
    recipe = Recipe(name=name, seed=seed, weight_decay=decay)
    path.write_text(recipe_toml(recipe), "utf-8", newline="\n")
    assert load_recipe(str(path)) == recipe


def test_that_every_field_is_there_and_what_differs_tells_its_default() -> None:
    text = recipe_toml(Recipe(optimizer="adamw", batch_size=64))
    for field in FIELDS:
        assert f"\n{field.name} = " in text
    assert text.count("; default: ") == 2
    assert "; default: adam\n" in text
    assert "; default: 128 images\n" in text


def test_that_values_are_told_with_their_units_and_what_nought_means() -> None:
    assert FIELD_BY_NAME["batch_size"].value_text(1024) == "1,024 images"
    assert FIELD_BY_NAME["patience"].value_text(0) == "never"
    assert FIELD_BY_NAME["blocks"].value_text("") == "none"
    assert FIELD_BY_NAME["learning_rate"].value_text(0.003) == "0.003"


def test_that_every_setting_is_declared_once_with_all_that_a_form_needs() -> None:
    assert ["name", *(field.name for field in FIELDS)] == [field.name for field in dataclass_fields(Recipe)]
    for field in FIELDS:
        assert field.title
        assert field.help
        assert getattr(Recipe(), field.name) == field.default
        if field.kind in ("int", "float"):
            assert field.minimum < field.maximum
            assert 0 <= field.step < field.maximum
