"""Recipes: all that determines a training run, described by one table of fields.

`FIELDS` is that table. The window's form, the command line's flags, the header of a model file and (later) the axes of
a sweep are all made from it; to add a setting, add a field here and use it where it takes effect.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any, Literal

from qtdigits import paths
from qtdigits.core.networks import NetworkSpec, format_layers, parse_blocks, parse_dense
from qtdigits.errors import InputError

OPTIMIZERS = ("adam", "adadelta", "sgd", "rmsprop", "adagrad", "adamax", "nadam", "ftrl")
LOSSES = ("categorical_crossentropy", "mean_squared_error", "mean_absolute_error")

Kind = Literal["int", "float", "choice", "layers"]
Value = int | float | str


@dataclass(frozen=True)
class Field:
    """One setting: `minimum` and `maximum` are inclusive; `zero` says in words what 0 stands for."""

    name: str
    title: str
    group: str
    kind: Kind
    default: Value
    help: str
    unit: str = ""
    minimum: float = 0
    maximum: float = 0
    choices: tuple[str, ...] = ()
    zero: str = ""

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def parse(self, given: object) -> Value:
        """The value, checked. Raises `InputError` that names the field and what it takes."""
        try:
            value = _PARSERS[self.kind](self, given)
        except (TypeError, ValueError):
            raise InputError(
                f"{self.name} is {given!r}, which it cannot be.", f"{self.name}: {self.takes}."
            ) from None
        return value

    @property
    def takes(self) -> str:
        match self.kind:
            case "int":
                return f"a whole number from {self.minimum:g} to {self.maximum:g}" + self._zero_note
            case "float":
                return f"a number from {self.minimum:g} to {self.maximum:g}" + self._zero_note
            case "choice":
                return "one of " + ", ".join(self.choices)
            case "layers":
                return self.help

    @property
    def _zero_note(self) -> str:
        return f" (0: {self.zero})" if self.zero else ""


def _int(field: Field, given: object) -> int:
    if isinstance(given, bool) or (isinstance(given, float) and not given.is_integer()):
        raise ValueError
    return int(_in_range(field, int(given)))  # type: ignore[call-overload]


def _float(field: Field, given: object) -> float:
    if isinstance(given, bool):
        raise TypeError
    return _in_range(field, float(given))  # type: ignore[arg-type]


def _in_range(field: Field, value: float) -> float:
    if not field.minimum <= value <= field.maximum:
        raise ValueError
    return value


def _choice(field: Field, given: object) -> str:
    if given not in field.choices:
        raise ValueError
    return str(given)


def _layers(field: Field, given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    return format_layers(parse_blocks(given) if field.name == "blocks" else parse_dense(given))


_PARSERS: dict[Kind, Callable[[Field, object], Value]] = {
    "int": _int,
    "float": _float,
    "choice": _choice,
    "layers": _layers,
}

FIELDS: tuple[Field, ...] = (
    Field(
        *("blocks", "Convolution blocks", "Network", "layers", ""),
        help="filters[:kernel[:pool[:dropout[:activation]]]], separated by commas; empty: none (an MLP)",
    ),
    Field(
        *("dense", "Dense layers", "Network", "layers", "50, 50"),
        help="neurons[:activation[:dropout]], separated by commas; empty: none",
    ),
    Field(
        "optimizer",
        "Optimizer",
        "Training",
        "choice",
        "adam",
        "how the weights follow the gradient",
        choices=OPTIMIZERS,
    ),
    Field(
        *("learning_rate", "Learning rate", "Training", "float", 0.0, "size of one step"),
        maximum=10,
        zero="the optimizer's own",
    ),
    Field("loss", "Loss", "Training", "choice", LOSSES[0], "what training makes small", choices=LOSSES),
    Field(
        "epochs", "Epochs", "Training", "int", 10, "passes over the training data", minimum=1, maximum=1000
    ),
    Field(
        "batch_size",
        "Batch size",
        "Training",
        "int",
        128,
        "images for one step",
        "images",
        minimum=1,
        maximum=8192,
    ),
    Field(
        *(
            "patience",
            "Patience",
            "Training",
            "int",
            0,
            "end after so many epochs without a better validation loss",
        ),
        unit="epochs",
        maximum=1000,
        zero="never",
    ),
    Field(
        *(
            "mnist_images",
            "MNIST images",
            "Data",
            "int",
            60_000,
            "how many of MNIST's 60,000 training images are used",
        ),
        unit="images",
        maximum=60_000,
        zero="none",
    ),
    Field(
        *(
            "drawings_weight",
            "Weight of drawings",
            "Data",
            "int",
            10,
            "how often each stored drawing counts in an epoch",
        ),
        unit="times",
        maximum=1000,
        zero="not trained on",
    ),
    Field(
        *(
            "validation_fraction",
            "Validation part",
            "Data",
            "float",
            0.1,
            "part of the data that is kept for validation",
        ),
        minimum=0.01,
        maximum=0.5,
    ),
    Field("seed", "Seed", "Data", "int", 1, "start of every random choice", maximum=2**31 - 1),
)
FIELD_BY_NAME = {field.name: field for field in FIELDS}


@dataclass(frozen=True)
class Recipe:
    """The settings of a run. Made by `recipe_of`, which checks them; the attributes are the fields of `FIELDS`."""

    name: str = "mlp-50-50"
    blocks: str = ""
    dense: str = "50, 50"
    optimizer: str = "adam"
    learning_rate: float = 0.0
    loss: str = LOSSES[0]
    epochs: int = 10
    batch_size: int = 128
    patience: int = 0
    mnist_images: int = 60_000
    drawings_weight: int = 10
    validation_fraction: float = 0.1
    seed: int = 1

    @property
    def network(self) -> NetworkSpec:
        return NetworkSpec(parse_blocks(self.blocks), parse_dense(self.dense))

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
        return recipe_of(values, name=str(values.get("name") or path.stem))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}.", "Check the path.") from error
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
