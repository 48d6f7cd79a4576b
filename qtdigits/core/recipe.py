"""Recipes: all that determines a training run. Each field is declared once, in `Recipe`.

The window's form, the flags of `qtdigits train`, the header of a model file and the texts about a recipe are made from these
declarations. To add a setting, add a field to `Recipe`, in the place that it shall have in the form, and use it where it
takes effect.
"""

from __future__ import annotations

import dataclasses
import reprlib
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal

from msgspec import Meta

from qtdigits.core.drawing.augmentation import Augmentation
from qtdigits.core.network_spec import POOLINGS, NetworkSpec, format_layers, parse_blocks, parse_dense
from qtdigits.errors import InputError
from qtdigits.untrusted import Text, converted

OPTIMIZERS = ("adam", "adamw", "adadelta", "sgd", "rmsprop", "adagrad", "adamax", "nadam", "ftrl")
SCHEDULES = ("constant", "one-cycle")
CALIBRATIONS = ("none", "temperature")
PRECISIONS = ("float32", "auto")
STARTS = ("scratch", "champion")
KEPT = ("best", "last")
REHEARSALS = ("labels", "answers")
LOSSES = ("categorical_crossentropy", "mean_squared_error", "mean_absolute_error")

MOST_IMAGES = 1_000_000
INVENTED_DRAWINGS = 15
"""Drawings of each invented character."""
MOST_SHARES = 0.95
"""The largest part of an epoch that may be laid down: the rest is measured by what is left."""

Kind = Literal["int", "float", "choice", "layers"]
Value = int | float | str


@dataclass(frozen=True)
class Field:
    """The declaration of one setting of a recipe.

    `minimum` and `maximum` are inclusive; `zero` says in words what 0 stands for. `step` is one step of an editor, 0 where
    steps follow the size of the value.
    """

    name: str
    group: str
    kind: Kind
    default: Value
    title: str
    help: str
    unit: str = ""
    minimum: float = 0
    maximum: float = 0
    step: float = 0
    choices: tuple[str, ...] = ()
    zero: str = ""

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def parse(self, given: object) -> Value:
        """Return the value, checked; a number may be text. Raises `InputError` that names the field and what it takes."""
        if self.kind == "layers":
            text = converted(given, Text, what=self.name)
            return format_layers(parse_blocks(text) if self.name == "blocks" else parse_dense(text))
        try:
            if isinstance(given, float) and given.is_integer() and self.kind == "int":
                given = int(given)
            value: Value = converted(given, self.type, is_text=True)
            return value
        except InputError as error:
            raise InputError(
                f"{self.name} is {reprlib.repr(given)}, which it cannot be.", f"{self.name}: {self.takes}."
            ) from error

    @cached_property
    def type(self) -> Any:
        """The type of its values, with their range."""
        match self.kind:
            case "int":
                return Annotated[int, Meta(ge=int(self.minimum), le=int(self.maximum))]
            case "float":
                return Annotated[float, Meta(ge=self.minimum, le=self.maximum)]
            case "choice":
                return Literal[self.choices]
            case "layers":
                return Text

    @property
    def takes(self) -> str:
        """Its values in words, such as "a number from 0 to 1 (0: off)"."""
        zero = f" (0: {self.zero})" if self.zero else ""
        match self.kind:
            case "int":
                return f"a whole number from {int(self.minimum):,} to {int(self.maximum):,}{zero}"
            case "float":
                return f"a number from {self.minimum:g} to {self.maximum:g}{zero}"
            case "choice":
                return "one of " + ", ".join(self.choices)
            case "layers":
                return self.help

    @property
    def full_help(self) -> str:
        """Meaning, range and default, without a full stop."""
        takes = "" if self.kind == "layers" else f"; {self.takes}"
        return f"{self.help}{takes}. Default: {self.value_text(self.default)}"

    def value_text(self, value: Value) -> str:
        """Return a value as a person reads it, such as "128 images", "the optimizer's own" or "none"."""
        if self.zero and value == 0:
            return self.zero
        if value == "":
            return "none"
        text = f"{value:,}" if self.kind == "int" and self.name != "seed" else str(value)
        text = f"{value:g}" if isinstance(value, float) else text
        return f"{text} {self.unit}".strip()


def _declare(group: str, kind: Kind, default: Value, title: str, what: str, **more: Any) -> Any:
    """Return a dataclass field that carries its declaration; `more` are attributes of `Field`."""
    declared = {"group": group, "kind": kind, "default": default, "title": title, "help": what, **more}
    return dataclasses.field(default=default, metadata=declared)


def _layers(title: str, default: str, what: str) -> Any:
    return _declare("Network", "layers", default, title, what)


def _choice(group: str, title: str, choices: tuple[str, ...], what: str) -> Any:
    """Return a field whose default is the first of its `choices`."""
    return _declare(group, "choice", choices[0], title, what, choices=choices)


def _whole(
    group: str, title: str, default: int, maximum: int, what: str, *, step: int = 1, **more: Any
) -> Any:
    return _declare(group, "int", default, title, what, maximum=maximum, step=step, **more)


def _number(
    group: str, title: str, default: float, maximum: float, what: str, *, step: float = 0.01, **more: Any
) -> Any:
    return _declare(group, "float", default, title, what, maximum=maximum, step=step, **more)


def _varied(
    title: str, default: float, maximum: float, what: str, *, step: float = 0.01, unit: str = ""
) -> Any:
    """Return a field of the group "Augmentation"."""
    return _number("Augmentation", title, default, maximum, what, step=step, unit=unit, zero="off")


@dataclass(frozen=True)
class Recipe:
    """The settings of a training run. Made by `recipe_of`, which checks them; `FIELDS` are the declarations, in this order."""

    name: str = "mlp-50-50"

    blocks: str = _layers(
        "Convolution blocks",
        "",
        "filters[:kernel[:pool[:dropout[:activation[:padding[:normalisation[:stride]]]]]]], separated by commas",
    )
    dense: str = _layers(
        "Dense layers", "50, 50", "neurons[:activation[:dropout]], separated by commas; empty: none"
    )
    pooling: str = _choice(
        "Network",
        "Before the dense layers",
        POOLINGS,
        "flatten keeps every position, average takes the mean of each channel",
    )

    optimizer: str = _choice("Training", "Optimizer", OPTIMIZERS, "how the weights follow the gradient")
    learning_rate: float = _number(
        "Training", "Learning rate", 0.0, 10, "size of one step", step=0, zero="the optimizer's own"
    )
    schedule: str = _choice(
        "Training",
        "Schedule",
        SCHEDULES,
        "one-cycle: the learning rate rises to its value, then falls to nearly nothing",
    )
    weight_decay: float = _number(
        "Training",
        "Weight decay",
        0.0,
        1,
        "how strongly weights are pulled towards 0 (adamw only)",
        zero="none",
    )
    label_smoothing: float = _number(
        "Training",
        "Label smoothing",
        0.0,
        0.5,
        "probability that is moved from the right class to all classes (categorical cross-entropy only)",
        zero="none",
    )
    calibration: str = _choice(
        "Training",
        "Calibration",
        CALIBRATIONS,
        "temperature: fit the probabilities to the validation part, so that 90 % is right nine times in ten",
    )
    precision: str = _choice(
        "Training",
        "Precision",
        PRECISIONS,
        "auto: multiply in bfloat16 where the processor has it; the weights stay float32",
    )
    start: str = _choice(
        "Training",
        "Starts from",
        STARTS,
        "scratch: random weights; champion: the model in use, and its network",
    )
    last_blocks: int = _whole(
        "Training",
        "Last blocks",
        0,
        20,
        "how many of the last convolution blocks are trained, with all layers after them",
        unit="blocks",
        zero="all",
    )
    keep: str = _choice(
        "Training",
        "Keeps",
        KEPT,
        "the weights of the epoch with the lowest validation loss, or of the last epoch",
    )
    rehearsal: str = _choice(
        "Training",
        "Rehearsal",
        REHEARSALS,
        "what MNIST's images teach a model that starts from the champion: their labels, or the answers it gave before",
    )
    loss: str = _choice("Training", "Loss", LOSSES, "function that training minimises")
    characters_weight: float = _number(
        "Training",
        "Weight of characters",
        0.0,
        10,
        "weight of a second loss: how well the embedding tells all characters apart, also those outside of the label set",
        step=0,
        zero="off",
    )
    epochs: int = _whole("Training", "Epochs", 10, 1000, "passes over the training data", minimum=1)
    batch_size: int = _whole(
        "Training", "Batch size", 128, 8192, "images for one step", unit="images", minimum=1, step=0
    )
    patience: int = _whole(
        "Training",
        "Patience",
        0,
        1000,
        "end after so many epochs without a lower validation loss",
        unit="epochs",
        zero="never",
    )

    mnist_images: int = _whole(
        "Data",
        "MNIST images",
        60_000,
        60_000,
        "how many of MNIST's 60,000 training images are used",
        unit="images",
        step=0,
        zero="none",
    )
    drawings_weight: int = _whole(
        "Data",
        "Weight of drawings",
        10,
        1000,
        "how often each stored drawing counts in an epoch",
        unit="times",
        zero="not trained on",
    )
    drawings_share: float = _number(
        "Data",
        "Share of drawings",
        0.0,
        0.95,
        "part of every epoch that the writer's own drawings make up, however many there are",
        zero="as their weight says",
    )
    invented_characters: int = _whole(
        "Data",
        "Invented characters",
        0,
        20_000,
        f"how many characters are invented for the second loss, each with {INVENTED_DRAWINGS} drawings",
        unit="characters",
        step=0,
        zero="none",
    )
    signs_share: float = _number(
        "Data",
        "Share of signs",
        0.0,
        0.9,
        "part of every epoch that turned and invented characters make up, however many there are",
        zero="each drawing counts once",
    )
    validation_fraction: float = _number(
        "Data", "Validation part", 0.1, 0.5, "part of the data that is kept for validation", minimum=0.01
    )
    augmentation: float = _number(
        "Data",
        "Augmentation",
        0.0,
        3,
        "how strongly every drawing is varied each time: rotated, sheared, scaled, distorted, with another pen",
        step=0,
        zero="none",
    )
    characters_augmentation: float = _number(
        "Data",
        "Augmentation of characters",
        1.0,
        3,
        "strength for ink outside of the label set, beside that for the rest",
        step=0,
        zero="none",
    )
    synthetic_images: int = _whole(
        "Data",
        "Synthetic drawings",
        0,
        MOST_IMAGES,
        "how many drawings of the program's own synthetic ink are added",
        unit="images",
        step=0,
        zero="none",
    )
    scribbles: int = _whole(
        "Data",
        "Scribbles",
        0,
        MOST_IMAGES,
        "how many scribbles are added, as examples of what is no digit",
        unit="images",
        step=0,
        zero="none",
    )
    seed: int = _whole("Data", "Seed", 1, 2**31 - 1, "seed of all random choices")

    # How drawings are varied: the settings of `Augmentation` with its defaults. `augmentation` multiplies all of them.
    pixels: float = _varied(
        "Images", Augmentation.pixels, 3, "strength for images without ink, beside that for ink", step=0
    )
    rotation_deg: float = _varied(
        "Rotation", Augmentation.rotation_deg, 180, "at most, either way", step=0, unit="degrees"
    )
    shear: float = _varied(
        "Shear", Augmentation.shear, 2, "tangent of the angle, at most, either way", step=0
    )
    scale: float = _varied(
        "Scaling", Augmentation.scale, 1, "along x and y: logarithm of the factor, at most, either way"
    )
    shift_px: float = _varied(
        "Shift", Augmentation.shift_px, 10, "at most, either way; images only", step=0, unit="px"
    )
    elastic_px: float = _varied(
        "Elastic distortion",
        Augmentation.elastic_px,
        5,
        "standard deviation of the displacement; images only",
        step=0,
        unit="px",
    )
    thickness: float = _varied(
        "Stroke thickness",
        Augmentation.thickness,
        1,
        "how far towards strokes that are a pixel thicker or thinner on each side; images only",
    )
    warp: float = _varied(
        "Ink distortion", Augmentation.warp, 0.5, "smooth bend of the ink, as a part of its size, at most"
    )
    jitter: float = _varied(
        "Ink jitter",
        Augmentation.jitter,
        0.5,
        "noise on single points of ink, as a part of its size, at most",
    )
    stroke_shift: float = _varied(
        "Stroke shift", Augmentation.stroke_shift, 0.5, "each stroke by itself, as a part of the ink's size"
    )
    dropping: float = _varied(
        "Points dropped", Augmentation.dropping, 1, "part of the points of ink that are left out, at most"
    )
    pen: float = _varied(
        "Pen width",
        Augmentation.pen,
        1.5,
        "of the pen on ink: logarithm of the factor, at most, either way",
        step=0,
    )

    @property
    def network(self) -> NetworkSpec:
        """The spec of `blocks`, `dense` and `pooling`. Raises `InputError` where they make no network."""
        return NetworkSpec(parse_blocks(self.blocks), parse_dense(self.dense), self.pooling)

    @property
    def is_personal(self) -> bool:
        """Whether it starts from a trained model, to adapt it to one writer."""
        return self.start == "champion"

    @property
    def rehearses_answers(self) -> bool:
        """Whether the answers of the model that it starts from are rehearsed, rather than the labels."""
        return self.rehearsal == "answers"

    @property
    def augmentation_settings(self) -> Augmentation:
        """How strongly each drawing is varied every time it is trained on."""
        settings = {field.name: getattr(self, field.name) for field in AUGMENTATION_FIELDS}
        return Augmentation(self.augmentation, **settings)

    def on_network_of(self, other: Recipe) -> Recipe:
        """Return this recipe with the other's network."""
        return replace(self, blocks=other.blocks, dense=other.dense, pooling=other.pooling)

    def with_values(self, **values: object) -> Recipe:
        """Return this recipe with some values changed, checked. Raises `InputError` that names the field."""
        return recipe_of({**self.to_json(), **values})

    def to_json(self) -> dict[str, Value]:
        return asdict(self)


FIELDS: tuple[Field, ...] = tuple(
    Field(name=declared.name, **declared.metadata)
    for declared in dataclasses.fields(Recipe)
    if declared.metadata
)
"""The declarations of all fields but the name, in the order of the form."""

AUGMENTATION_FIELDS = tuple(field for field in FIELDS if field.group == "Augmentation")
FIELD_BY_NAME = {field.name: field for field in FIELDS}


def recipe_of(values: object, *, name: str | None = None) -> Recipe:
    """Return the recipe with these field values; what is left out has its default.

    Raises `InputError` for an unknown field, for a value out of its range, and for a network that cannot be.
    """
    given = converted(values, dict[Text, Any], what="Not a recipe")
    known = {"name", *FIELD_BY_NAME}
    if unknown := sorted(set(given) - known):
        raise InputError(
            f"A recipe has no field {unknown[0]!r}.", f"Its fields are {', '.join(FIELD_BY_NAME)}."
        )
    checked = {key: FIELD_BY_NAME[key].parse(value) for key, value in given.items() if key != "name"}
    given_name = converted(given.get("name", ""), Text, what="name")
    recipe = Recipe(name=name or given_name or Recipe.name, **checked)  # type: ignore[arg-type]
    _ = recipe.network
    if recipe.drawings_share + recipe.signs_share > MOST_SHARES:
        raise InputError(
            f"drawings_share and signs_share are more than {MOST_SHARES:.0%} of an epoch together.",
            "Lower one of them.",
        )
    return recipe


def differences(recipe: Recipe, other: Recipe) -> dict[str, tuple[Value, Value]]:
    """Return the fields in which two recipes differ, with both values."""
    a, b = recipe.to_json(), replace(other, name=recipe.name).to_json()
    return {key: (a[key], b[key]) for key in a if a[key] != b[key]}
