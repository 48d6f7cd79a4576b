"""What a study searches, and the recipes at its points."""

from __future__ import annotations

import json

import numpy as np
import pytest

from qtdigits.core.recipe import recipe_of
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.search import Search, searchable_fields, suggested_spec
from qtdigits.core.study import GRID, RANDOM, Figures, StudySpec
from qtdigits.errors import InputError

MLP = recipe_of({"dense": "50, 50", "epochs": 2})


def a_study(*search: str, **values: object) -> StudySpec:
    return StudySpec(MLP, tuple(map(Search.parse, search)), **values).checked()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("neurons=8..64", (8, 16, 32, 64)),
        ("neurons=8..64:log", (8, 16, 32, 64)),
        ("neurons_2=10..40:10", (10, 20, 30, 40)),
        ("dropout=0..0.3", (0.0, 0.1, 0.2, 0.3)),
        ("dense_layers=1..3", (1, 2, 3)),
        (
            "loss=categorical_crossentropy|mean_squared_error",
            ("categorical_crossentropy", "mean_squared_error"),
        ),
        ("dense=50|100, 50", ("50", "100, 50")),
        ("memory_nearest=1|5", (1, 5)),
    ],
)
def test_that_a_grid_has_the_named_values_or_the_steps_of_the_field(
    text: str, values: tuple[object, ...]
) -> None:
    assert Search.parse(text).values == values


@pytest.mark.parametrize(
    "text",
    [
        "neurons",
        "neurons=",
        "neuron=1..2",
        "seed=1|2",
        "neurons=64..8",
        "neurons=0..8",
        "neurons=8..9000",
        "neurons=8..64:lin",
        "neurons=8..64:0.5",
        "dropout=0..0.5:log",
        "dropout=0..1",
        "loss=a..b",
        "loss=nonsense|mean_squared_error",
        "epochs=5|5",
        "epochs=nan..5",
    ],
)
def test_that_a_search_that_cannot_be_names_its_field(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Search.parse(text)
    assert text.partition("=")[0] in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text", ["neurons=3..70:log", "dropout=0..0.5:0.1", "epochs=1..4", "learning_rate=0..1"]
)
def test_that_random_values_lie_in_the_range(text: str) -> None:
    search, rng = Search.parse(text), np.random.default_rng(1)
    values = [search.random(rng) for _ in range(100)]
    assert all(search.low <= float(value) <= search.high for value in values)
    assert len(set(values)) > 3
    assert all(search.field.parse(value) == value for value in values)


def test_that_single_layers_come_after_all_layers_after_their_number() -> None:
    study = a_study(
        "dense_layers=0..4", "neurons=8|16", "neurons_2=25|75", "dropout_1=0|0.2", "activation=relu|tanh"
    )
    point = {"dense_layers": 3, "neurons": 16, "neurons_2": 75, "dropout_1": 0.2, "activation": "tanh"}
    assert study.recipe_at(point).dense == "16:tanh:0.2, 75:tanh, 16:tanh"
    assert study.recipe_at({**point, "dense_layers": 0}).dense == ""


def test_that_convolution_blocks_are_searched_alike() -> None:
    study = a_study("conv_blocks=1|2", "filters=8|16", "filters_2=4|32", "block_dropout=0|0.25")
    point = {"conv_blocks": 2, "filters": 8, "filters_2": 32, "block_dropout": 0.25}
    assert study.recipe_at(point).blocks == "8:3:2:0.25, 32:3:2:0.25"


def test_that_a_layer_that_is_never_there_is_an_error() -> None:
    with pytest.raises(InputError, match="neurons_3"):
        a_study("neurons_3=8|16")


def test_that_a_grid_has_each_training_once() -> None:
    study = a_study("dense_layers=1|2", "neurons_2=25|75", sampler=GRID)
    assert study.grid_size == 3
    assert len({study.recipe_at(point) for point in study.points()}) == 3


def test_that_what_models_are_read_with_varies_last() -> None:
    study = a_study("scaling=mnist|window", "neurons=8|16", sampler=GRID, objective="users.jsonl")
    assert [point["scaling"] for point in study.points()] == ["mnist", "mnist", "window", "window"]


def test_that_random_points_are_those_of_the_seed_and_more_of_them_begin_alike() -> None:
    few, more = (a_study("neurons=8..256", sampler=RANDOM, trials=n) for n in (5, 9))
    assert few.points() == more.points()[:5]


def test_that_each_training_of_a_point_has_another_seed() -> None:
    study = a_study("neurons=8|16", seeds=3)
    assert [study.recipe_at({"neurons": 8}, number=n).seed for n in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("search", "values", "message"),
    [
        ((), {}, "one or more fields"),
        (("epochs=1|2", "epochs=3|4"), {}, "each once"),
        (("epochs=1|2",), {"trials": 0}, "trials"),
        (("epochs=1|2",), {"seeds": 0}, "seeds"),
        (("epochs=1|2",), {"second": "size", "pruner": "median"}, "two objectives"),
        (("memory_alpha=1|2",), {"objective": "validation"}, "memory_alpha"),
        (("epochs=1|2",), {"objective": "users.jsonl", "model": "a.h5"}, "epochs"),
        (("mnist_images=0..100",), {"sampler": "nonsense"}, "nonsense"),
    ],
)
def test_that_what_does_not_go_together_is_an_error(
    search: tuple[str, ...], values: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        a_study(*search, **values)


def test_that_a_grid_without_steps_is_an_error() -> None:
    with pytest.raises(InputError, match="mnist_images"):
        _ = a_study("mnist_images=0..100", sampler=GRID).grid_size


def test_that_a_personal_recipe_searches_no_layers() -> None:
    with pytest.raises(InputError, match="takes over the network"):
        StudySpec(MLP.with_values(start="champion"), (Search.parse("neurons=8|16"),)).checked()


def test_that_a_study_is_saved_whole() -> None:
    study = a_study(
        "neurons=8..256:log",
        "loss=mean_squared_error|categorical_crossentropy",
        seeds=2,
        ink_files=("a", "b"),
    )
    assert StudySpec.from_json(json.loads(json.dumps(study.to_json()))) == study
    with pytest.raises(InputError, match="Not a study"):
        StudySpec.from_json({"search": {}})


def test_that_seeds_do_not_narrow_the_interval() -> None:
    one, three = Figures(100, (90,)), Figures(100, (88, 90, 92))
    assert one.value == three.value == 0.9
    assert one.interval == three.interval
    assert Figures.from_json(json.loads(json.dumps(three.to_json()))) == three


def test_that_only_layers_that_a_recipe_has_can_be_searched() -> None:
    names = {
        name: {field.name for field in searchable_fields(load_recipe(name))}
        for name in ("quick", "mlp-50-50", "my-hand")
    }
    assert "filters" in names["quick"]
    assert "dropout" not in names["quick"]
    assert "dropout" in names["mlp-50-50"]
    assert "filters" not in names["mlp-50-50"]
    assert not names["my-hand"] & {"neurons", "filters", "dense_layers", "dense"}


@pytest.mark.parametrize("recipe", ["quick", "mlp-50-50", "my-hand"])
def test_that_the_values_that_are_suggested_for_a_field_can_be_searched(recipe: str) -> None:
    for field in searchable_fields(load_recipe(recipe)):
        spec = suggested_spec(field, field.default)
        if spec:
            assert Search.parse(f"{field.name}={spec}").ends
