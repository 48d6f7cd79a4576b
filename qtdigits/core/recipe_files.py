"""Recipes: all that determines a training run, as values, and as files that people share."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as dataclass_fields
from itertools import groupby
from pathlib import Path
from typing import Any

from qtdigits import paths
from qtdigits.core.drawing.augmentation import Augmentation
from qtdigits.core.network_spec import POOLINGS, NetworkSpec, parse_blocks, parse_dense
from qtdigits.core.recipe import (
    AUGMENTATION_FIELDS,
    CALIBRATIONS,
    FIELD_BY_NAME,
    FIELDS,
    KEPT,
    LOSSES,
    PRECISIONS,
    REHEARSALS,
    SCHEDULES,
    STARTS,
    Field,
    Value,
)
from qtdigits.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """The settings of a run. Made by `recipe_of`, which checks them; the attributes are the fields of `FIELDS`."""

    name: str = "mlp-50-50"
    blocks: str = ""
    dense: str = "50, 50"
    pooling: str = POOLINGS[0]
    optimizer: str = "adam"
    learning_rate: float = 0.0
    schedule: str = SCHEDULES[0]
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    calibration: str = CALIBRATIONS[0]
    precision: str = PRECISIONS[0]
    start: str = STARTS[0]
    last_blocks: int = 0
    keep: str = KEPT[0]
    rehearsal: str = REHEARSALS[0]
    loss: str = LOSSES[0]
    epochs: int = 10
    batch_size: int = 128
    patience: int = 0
    mnist_images: int = 60_000
    drawings_weight: int = 10
    drawings_share: float = 0.0
    validation_fraction: float = 0.1
    augmentation: float = 0.0
    synthetic_images: int = 0
    scribbles: int = 0
    seed: int = 1
    pixels: float = Augmentation.pixels
    rotation_deg: float = Augmentation.rotation_deg
    shear: float = Augmentation.shear
    scale: float = Augmentation.scale
    shift_px: float = Augmentation.shift_px
    elastic_px: float = Augmentation.elastic_px
    thickness: float = Augmentation.thickness
    warp: float = Augmentation.warp
    jitter: float = Augmentation.jitter
    stroke_shift: float = Augmentation.stroke_shift
    dropping: float = Augmentation.dropping
    pen: float = Augmentation.pen

    @property
    def network(self) -> NetworkSpec:
        """The spec of `blocks`, `dense` and `pooling`. Raises `InputError` where they make no network."""
        return NetworkSpec(parse_blocks(self.blocks), parse_dense(self.dense), self.pooling)

    @property
    def is_personal(self) -> bool:
        """Whether it goes on from a trained model, for the hand of one writer."""
        return self.start == "champion"

    @property
    def remembers(self) -> bool:
        """Whether the answers of the model that it goes on from are rehearsed, rather than the labels."""
        return self.rehearsal == "answers"

    def on_network_of(self, other: Recipe) -> Recipe:
        """This recipe with the other's network."""
        return replace(self, blocks=other.blocks, dense=other.dense, pooling=other.pooling)

    @property
    def variation(self) -> Augmentation:
        """How strongly each drawing is varied every time it is trained on."""
        settings = {field.name: getattr(self, field.name) for field in AUGMENTATION_FIELDS}
        return Augmentation(self.augmentation, **settings)

    def to_json(self) -> dict[str, Value]:
        return asdict(self)

    def with_values(self, **values: object) -> Recipe:
        """This recipe with some values changed, checked. Raises `InputError` that names the field."""
        return recipe_of({**self.to_json(), **values})


def recipe_of(values: Mapping[str, Any], *, name: str | None = None) -> Recipe:
    """A recipe from field values; what is left out has its default.

    Raises `InputError` for an unknown field, for a value out of its range, and for a network that cannot be.
    """
    known = {"name", *FIELD_BY_NAME}
    if unknown := sorted(set(values) - known):
        raise InputError(
            f"A recipe has no field {unknown[0]!r}.", f"Its fields are {', '.join(FIELD_BY_NAME)}."
        )
    checked = {key: FIELD_BY_NAME[key].parse(value) for key, value in values.items() if key != "name"}
    recipe = Recipe(name=name or str(values.get("name") or Recipe.name), **checked)  # type: ignore[arg-type]
    _ = recipe.network
    return recipe


def load_recipe(name_or_path: str) -> Recipe:
    """A named recipe of the package, or one from a TOML file.

    Raises `InputError` that names the file, and the field or line, when it cannot be used.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        path = paths.recipes_dir() / f"{name_or_path}.toml"
        if not path.exists():
            raise InputError(
                f"There is no recipe {name_or_path!r}.",
                f"Recipes: {', '.join(recipe_names())}; or a TOML file.",
            )
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        if not values:
            raise InputError("There is no field in it.", "A recipe has lines such as: epochs = 10")
        return recipe_of(values, name=str(values.get("name") or path.stem))
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file.", "A recipe is a TOML file.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{path}: {error}.", "A recipe is a TOML file with lines such as: epochs = 10"
        ) from error
    except InputError as error:
        raise InputError(f"{path}: {error.message}", error.remedy) from error


def recipe_names() -> tuple[str, ...]:
    """The recipes that travel with the program, in the order of their names."""
    return tuple(sorted(path.stem for path in paths.recipes_dir().glob("*.toml")))


def differences(recipe: Recipe, other: Recipe) -> dict[str, tuple[Value, Value]]:
    """The fields in which two recipes differ, with both values."""
    a, b = recipe.to_json(), replace(other, name=recipe.name).to_json()
    return {key: (a[key], b[key]) for key in a if a[key] != b[key]}


assert {f.name for f in dataclass_fields(Recipe)} == {"name", *FIELD_BY_NAME}, (
    "Recipe and FIELDS have to agree"
)


HEADER = """\
# A recipe of QtDigits: what determines a training. A line that is left out has its default.
# Train by it with: qtdigits train --recipe THIS_FILE, or open it in the window.
"""


def recipe_toml(recipe: Recipe) -> str:
    """The inverse of `load_recipe`. All fields are written, so that it means the same when defaults have changed."""
    values = recipe.to_json()
    lines = [HEADER, f"name = {_toml(recipe.name)}"]
    for group, fields in groupby(FIELDS, key=lambda field: field.group):
        lines.append(f"\n# {group}")
        for field in fields:
            lines += [f"# {_told(field, values[field.name])}", f"{field.name} = {_toml(values[field.name])}"]
    return "\n".join(lines) + "\n"


def value_text(field: Field, value: Value) -> str:
    """A value for a person, such as "128 images", "the optimizer's own" or "none"."""
    if field.zero and value == 0:
        return field.zero
    if value == "":
        return "none"
    text = f"{value:,}" if field.kind == "int" and field.name != "seed" else str(value)
    text = f"{value:g}" if isinstance(value, float) else text
    return f"{text} {field.unit}".strip()


def help_of(field: Field) -> str:
    """What a field means, what it takes, and what it is when nobody says anything; without a full stop."""
    takes = "" if field.kind == "layers" else f"; {field.takes}"
    return f"{field.help}{takes}. Default: {value_text(field, field.default)}"


def _told(field: Field, value: Value) -> str:
    takes = "" if field.kind == "layers" else f" ({field.takes})"
    told = f"{field.title}: {field.help}{takes}"
    return told if value == field.default else f"{told}; default: {value_text(field, field.default)}"


def _toml(value: Value) -> str:
    """A string of TOML is one of JSON as far as recipes have any use for it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
