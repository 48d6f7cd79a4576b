"""The fields that a study searches, and their values.

A search is written as FIELD=SPEC; SPEC is a range, `8..256`, `8..256:log` or `0..0.5:0.1` (in steps), or a list, `a|b|c`. A field
is one of a recipe's, or one of those below: parts of its layers, what a model is read with, and how much it learns from a user.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qtdigits.core.memory import ALPHA, BETA, NEAREST
from qtdigits.core.network_spec import ACTIVATIONS, ConvBlock, DenseLayer
from qtdigits.core.recipe import FIELD_BY_NAME, Field, Recipe, Value
from qtdigits.errors import InputError

MOST_VALUES = 10_000
MNIST_SCALING, WINDOW_SCALING = SCALINGS = ("mnist", "window")
CORRECTIONS = "corrections"
DEFAULT_SEARCH = ("learning_rate=0.0003..0.03:log", "batch_size=32|64|128|256", "dropout=0..0.5:0.1")

Point = Mapping[str, Value]
"""A value for each searched field, by its name."""


def _fields(group: str, *declared: tuple[Any, ...]) -> dict[str, Field]:
    """Return fields by name: name, kind, default, title, help, minimum, maximum, step and choices of each."""
    return {
        name: Field(name, group, kind, default, title, meaning, "", low, high, step, choices)
        for name, kind, default, title, meaning, low, high, step, choices in declared
    }


_LAYER_FIELDS = _fields(
    "Network",
    ("dense_layers", "int", 2, "Dense layers", "number of dense layers", 0, 8, 1, ()),
    ("conv_blocks", "int", 2, "Blocks", "number of convolution blocks", 0, 8, 1, ()),
    ("neurons", "int", 50, "Neurons", "neurons of every dense layer", 1, 8192, 0, ()),
    ("dropout", "float", 0.0, "Dropout", "dropout after every dense layer", 0, 0.95, 0.1, ()),
    ("activation", "choice", "relu", "Activation", "activation of every dense layer", 0, 0, 0, ACTIVATIONS),
    ("filters", "int", 32, "Filters", "filters of every convolution block", 1, 1024, 0, ()),
    ("block_dropout", "float", 0.0, "Dropout of blocks", "dropout after every block", 0, 0.95, 0.1, ()),
)
"""Parts of `blocks` and `dense`; all but the numbers of layers also for one layer, as `neurons_2`."""

READING_FIELDS = {
    **_fields(
        "Memory",
        ("memory_alpha", "float", ALPHA, "Alpha", "weight of the most similar drawing", 0, 1000, 5, ()),
        ("memory_beta", "float", BETA, "Beta", "how fast it falls with the distance", 0, 100, 1, ()),
        ("memory_nearest", "int", NEAREST, "Nearest", "how many drawings are asked", 1, 100, 1, ()),
    ),
    **_fields(
        "Drawings",
        ("scaling", "choice", MNIST_SCALING, "Scaling", "mnist, or window as in 2022", 0, 0, 0, SCALINGS),
    ),
}
"""What a trained model is read with: points that differ in these only share their trainings."""

_DATA_FIELDS = _fields(
    "Drawings",
    (CORRECTIONS, "int", 0, "Corrections", "drawings by the users that are trained on", 0, 100_000, 100, ()),
)
_OWN_FIELDS = {**_LAYER_FIELDS, **READING_FIELDS, **_DATA_FIELDS}

_PARTS: Mapping[bool, Mapping[str, str]] = {
    False: {"neurons": "neurons", "dropout": "dropout", "activation": "activation"},
    True: {"filters": "filters", "block_dropout": "dropout"},
}
"""The attributes of dense layers (False) and convolution blocks (True), by the names of their fields."""

_OF_ONE_LAYER = {f"{name}_{i}" for parts in _PARTS.values() for name in parts for i in range(1, 9)}
NETWORK_FIELDS = {*_LAYER_FIELDS, *_OF_ONE_LAYER, "blocks", "dense", "pooling"}
_RANGE = re.compile(r"\s*([^.\s].*?)\s*\.\.\s*([^:]+?)\s*(?::\s*(.+?)\s*)?")


def search_field(name: str) -> Field:
    """Return the declaration of a field that can be searched. Raises `InputError`."""
    if name in FIELD_BY_NAME and name not in ("name", "seed"):
        return FIELD_BY_NAME[name]
    if name in _OF_ONE_LAYER:
        of_all = _LAYER_FIELDS[name[:-2]]
        title, number = of_all.title, name[-1]
        return replace(
            of_all, name=name, title=f"{title} {number}", help=f"{title.lower()} of layer {number}"
        )
    if name in _OWN_FIELDS:
        return _OWN_FIELDS[name]
    known = (*_OWN_FIELDS, "neurons_1, neurons_2, …", *(field for field in FIELD_BY_NAME if field != "seed"))
    raise InputError(f"There is no field {name!r} to search.", f"Fields: {', '.join(known)}.")


def value_text(value: object) -> str:
    """Return a value of a trial as it is shown."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def point_text(values: Point) -> str:
    """Return values by the names or titles of their fields, such as "neurons = 64, dropout = 0.2"."""
    return ", ".join(f"{name} = {value_text(value)}" for name, value in values.items())


def searchable_fields(recipe: Recipe) -> list[Field]:
    """Return the fields that a study of a recipe can search, whatever ranks its trials; one of each for all layers it has."""
    of_recipe = [field for field in FIELD_BY_NAME.values() if field.name not in ("name", "seed")]
    found = [*_LAYER_FIELDS.values(), *of_recipe]
    without = NETWORK_FIELDS if recipe.is_personal else set()
    for are_blocks, layers in ((False, recipe.network.dense), (True, recipe.network.blocks)):
        without = without if layers else {*without, *_PARTS[are_blocks]}
    return [field for field in found if field.name not in without]


def suggested_spec(field: Field, value: Value) -> str:
    """Return a range or list around a value of a field, in its steps, else by factors of two."""
    if field.kind == "choice":
        return "|".join(field.choices)
    if not isinstance(value, int | float):
        return str(value)
    if field.step:
        low, high = max(field.minimum, value - 3 * field.step), min(field.maximum, value + 3 * field.step)
        return f"{low:g}..{high:g}:{field.step:g}"
    if value <= 0:
        return f"{field.minimum:g}..{field.maximum:g}"
    low, high = max(field.minimum, value / 4), min(field.maximum, value * 4)
    if field.kind == "int":
        low, high = max(1, round(low)), round(high)
    return f"{low:g}..{high:g}:log" if low > 0 else f"{low:g}..{high:g}"


@dataclass(frozen=True)
class Search:
    """One searched field: either `choices`, or a range from `low` to `high`, both included, with a step if one was given."""

    field: Field
    text: str
    choices: tuple[Value, ...] = ()
    low: float = 0
    high: float = 0
    step: float = 0
    is_log: bool = False

    @classmethod
    def parse(cls, text: str) -> Search:
        """Read FIELD=SPEC. Raises `InputError` that names the field and what it takes."""
        name, _, spec = (part.strip() for part in text.partition("="))
        if not spec:
            remedy = "Write FIELD=SPEC, such as neurons=8..256:log or dropout=0|0.2|0.5."
            raise InputError(f"{text!r} is no search.", remedy)
        declared = search_field(name)
        if ".." in spec:
            return cls._range(declared, spec)
        choices = tuple(declared.parse(part.strip()) for part in spec.split("|"))
        if len(set(choices)) < len(choices):
            raise InputError(f"{name}: {spec!r} names a value twice.", "Leave one out.")
        return cls(declared, spec, choices)

    @classmethod
    def _range(cls, declared: Field, spec: str) -> Search:
        wrong = f"{declared.name}: {spec!r} is no range of it."
        if declared.kind not in ("int", "float"):
            raise InputError(wrong, f"{declared.name}: {declared.takes}; write a|b|c.")
        if (parts := _RANGE.fullmatch(spec)) is None:
            raise InputError(wrong, "A range is LOW..HIGH, LOW..HIGH:log or LOW..HIGH:STEP.")
        low, high = float(declared.parse(parts[1])), float(declared.parse(parts[2]))
        is_log = parts[3] == "log"
        try:
            step = 0.0 if is_log or not parts[3] else float(parts[3])
        except ValueError:
            raise InputError(wrong, "A range is LOW..HIGH, LOW..HIGH:log or LOW..HIGH:STEP.") from None
        is_possible = low < high and (low > 0 or not is_log) and 0 <= step <= high - low
        if not is_possible or (declared.kind == "int" and step % 1):
            raise InputError(wrong, "It goes from the smaller to the larger number; with :log from above 0.")
        return cls(declared, spec, (), low, high, step, is_log)

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def title(self) -> str:
        """As a person reads it, such as "Neurons 2" for those of the second layer."""
        return self.field.title

    @property
    def is_whole(self) -> bool:
        return self.field.kind == "int"

    @property
    def ends(self) -> tuple[Value, ...]:
        """The choices, or both ends of the range."""
        return self.choices or (self._rounded(self.low), self._rounded(self.high))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values of a grid: the choices, or a range in its steps, else in the field's, else by factors of two.

        Raises `InputError` for a range that has no such steps.
        """
        if self.choices:
            return self.choices
        if step := self.step or (0 if self.is_log else self.field.step):
            count = math.floor((self.high - self.low) / step + 1e-9) + 1
            return tuple(self._rounded(self.low + step * i) for i in range(min(count, MOST_VALUES + 1)))
        if self.low <= 0:
            raise InputError(
                f"{self.name}: {self.text} names no values of a grid.", "Name them, as a|b|c, or give a step."
            )
        count = math.floor(math.log2(self.high / self.low) + 1e-9) + 1
        return tuple(self._rounded(self.low * 2**i) for i in range(count))

    def random(self, rng: np.random.Generator) -> Value:
        """Return one of the choices, or a value from anywhere in the range."""
        if self.choices:
            return self.choices[int(rng.integers(len(self.choices)))]
        if self.is_log:
            return self._rounded(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))
        if step := self.step or self.is_whole:
            return self._rounded(self.low + step * int(rng.integers(int((self.high - self.low) / step) + 1)))
        return self._rounded(rng.uniform(self.low, self.high))

    def _rounded(self, value: float) -> Value:
        return round(value) if self.is_whole else float(f"{value:.9g}")


def changed_layers(layers: Sequence[Any], point: Point, *, are_blocks: bool) -> tuple[Any, ...]:
    """Return dense layers or convolution blocks at a point: their number first, then all of them, then single ones.

    Raises `InputError` for a layer that is never there.
    """
    changed, count_name = list(layers), "conv_blocks" if are_blocks else "dense_layers"
    if count_name in point:
        another = changed[-1] if changed else ConvBlock(32, 3, 2) if are_blocks else DenseLayer(50)
        changed = (changed + [another] * 8)[: int(point[count_name])]
    for name, attribute in _PARTS[are_blocks].items():
        if name in point:
            changed = [replace(layer, **{attribute: point[name]}) for layer in changed]
        for number in range(1, 9):
            if (one := f"{name}_{number}") in point and number <= len(changed):
                changed[number - 1] = replace(changed[number - 1], **{attribute: point[one]})
            elif one in point and count_name not in point:
                raise InputError(
                    f"{one}: the recipe has {len(changed)} layers of that kind.", "Leave it out."
                )
    return tuple(changed)
