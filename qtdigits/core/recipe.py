"""The one table of what a recipe consists of.

`FIELDS` is that table. The window's form, the command line's flags, the header of a model file and (later) the axes of a sweep
are all made from it; to add a setting, add a field here and to `core.recipe.recipes.Recipe`, and use it where it takes effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qtdigits.core.drawing.augmentation import Augmentation
from qtdigits.core.network_spec import POOLINGS, format_layers, parse_blocks, parse_dense
from qtdigits.errors import InputError

OPTIMIZERS = ("adam", "adamw", "adadelta", "sgd", "rmsprop", "adagrad", "adamax", "nadam", "ftrl")
SCHEDULES = ("constant", "one-cycle")
CALIBRATIONS = ("none", "temperature")
PRECISIONS = ("float32", "auto")
STARTS = ("scratch", "champion")
KEPT = ("best", "last")
REHEARSALS = ("labels", "answers")
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
        """Its values in words, such as "a number from 0 to 1 (0: off)": for the remedy of an error, and for help."""
        match self.kind:
            case "int":
                return f"a whole number from {int(self.minimum):,} to {int(self.maximum):,}" + self._zero_note
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


def _varied(name: str, title: str, what: str, *, maximum: float, unit: str = "") -> Field:
    """A field of the group "Augmentation"; its default is that of `core.drawing.augmentation.Augmentation`."""
    default = float(getattr(Augmentation, name))
    return Field(name, title, "Augmentation", "float", default, what, unit=unit, maximum=maximum, zero="off")


AUGMENTATION_FIELDS: tuple[Field, ...] = (
    _varied("pixels", "On pixels", "strength where there is no ink, beside that on ink", maximum=3),
    _varied("rotation_deg", "Turned by", "at most so far, either way", maximum=180, unit="degrees"),
    _varied("shear", "Slanted by", "the tangent of the angle, at most, either way", maximum=2),
    _varied("scale", "Stretched by", "along x and y: the logarithm of the factor, at most", maximum=1),
    _varied("shift_px", "Shifted by", "pixels only, at most", maximum=10, unit="px"),
    _varied("elastic_px", "Bent by", "pixels only: deviation of the elastic field", maximum=5, unit="px"),
    _varied(
        "thickness", "Thicker or thinner", "pixels only: how far towards a pixel more or less", maximum=1
    ),
    _varied("warp", "Ink bent by", "smoothly, as a part of its size", maximum=0.5),
    _varied("jitter", "Unsteadiness", "of single points of ink, as a part of its size, at most", maximum=0.5),
    _varied("stroke_shift", "Strokes moved by", "each by itself, as a part of the ink's size", maximum=0.5),
    _varied("dropping", "Points lost", "part of the points of ink, at most", maximum=1),
    _varied("pen", "Pen", "width of the pen on ink: the logarithm of the factor, at most", maximum=1.5),
)
"""How drawings are varied; `augmentation` multiplies all of them."""

FIELDS: tuple[Field, ...] = (
    Field(
        *("blocks", "Convolution blocks", "Network", "layers", ""),
        help="filters[:kernel[:pool[:dropout[:activation[:padding[:normalisation[:stride]]]]]]], separated by commas",
    ),
    Field(
        *("dense", "Dense layers", "Network", "layers", "50, 50"),
        help="neurons[:activation[:dropout]], separated by commas; empty: none",
    ),
    Field(
        *("pooling", "Before the dense layers", "Network", "choice", POOLINGS[0]),
        help="flatten keeps every place, average takes the mean of each channel",
        choices=POOLINGS,
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
    Field(
        *("schedule", "Schedule", "Training", "choice", SCHEDULES[0]),
        help="one-cycle: the learning rate rises to its value, then falls to nearly nothing",
        choices=SCHEDULES,
    ),
    Field(
        *("weight_decay", "Weight decay", "Training", "float", 0.0),
        help="how strongly weights are drawn to 0 (adamw only)",
        maximum=1,
        zero="none",
    ),
    Field(
        *("label_smoothing", "Label smoothing", "Training", "float", 0.0),
        help="part of the certainty that is taken from the right class (categorical cross-entropy only)",
        maximum=0.5,
        zero="none",
    ),
    Field(
        *("calibration", "Calibration", "Training", "choice", CALIBRATIONS[0]),
        help="temperature: fit the probabilities to the validation part, so that 90 % is right nine times in ten",
        choices=CALIBRATIONS,
    ),
    Field(
        *("precision", "Precision", "Training", "choice", PRECISIONS[0]),
        help="auto: multiply in bfloat16 where the processor has it; the weights stay float32",
        choices=PRECISIONS,
    ),
    Field(
        *("start", "Starts from", "Training", "choice", STARTS[0]),
        help="scratch: random weights; champion: the weights of the model in use, and its network",
        choices=STARTS,
    ),
    Field(
        *("last_blocks", "Last blocks", "Training", "int", 0),
        help="how many of the last convolution blocks are trained, with all that follows them",
        unit="blocks",
        maximum=20,
        zero="all",
    ),
    Field(
        *("keep", "Keeps", "Training", "choice", KEPT[0]),
        help="the weights of the epoch with the lowest validation loss, or of the last epoch",
        choices=KEPT,
    ),
    Field(
        *("rehearsal", "Rehearsal", "Training", "choice", REHEARSALS[0]),
        help="labels: what it goes on from is trained on MNIST's labels; answers: it shall keep the answers it gave before",
        choices=REHEARSALS,
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
        *("drawings_share", "Share of drawings", "Data", "float", 0.0),
        help="part of every epoch that the writer's own drawings make up, however many there are",
        maximum=0.95,
        zero="as their weight says",
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
    Field(
        *("augmentation", "Augmentation", "Data", "float", 0.0),
        help="how strongly every drawing is varied each time: turned, slanted, stretched, bent, with another pen",
        maximum=3,
        zero="none",
    ),
    Field(
        *("synthetic_images", "Synthetic drawings", "Data", "int", 0),
        help="how many drawings of the program's own synthetic ink are mixed in",
        unit="images",
        maximum=1_000_000,
        zero="none",
    ),
    Field(
        *("scribbles", "Scribbles", "Data", "int", 0),
        help="how many scribbles are mixed in to teach what is no digit",
        unit="images",
        maximum=1_000_000,
        zero="none",
    ),
    Field("seed", "Seed", "Data", "int", 1, "start of every random choice", maximum=2**31 - 1),
    *AUGMENTATION_FIELDS,
)
FIELD_BY_NAME = {field.name: field for field in FIELDS}
