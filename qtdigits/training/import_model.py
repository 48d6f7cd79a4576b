"""Import a model of another data folder, or of Keras's: a child process reads it (`training.rebuild`), and what that wrote is
checked as any model file is.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from qtdigits.errors import InputError
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model
from qtdigits.training.child import EndedEarlyError, run_program

MOST_SECONDS = 300


@dataclass(frozen=True)
class Task:
    """`highest` is the value of full ink in the images that a Keras model was trained on, 1 or 255; None: to be found out."""

    path: str
    out: str
    name: str
    highest: float | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportedModel:
    """Of a Keras model `difference` is the largest of a probability on `n_drawings` synthetic digits from what Keras computes,
    and `n_right` of them are read right; None where the model does not know digits. `images_from_0_to`: full ink in its images.

    `has_new_program`: the LiteRT program of a QtDigits model was another network's, and was built anew from the weights.
    """

    path: Path
    title: str
    classes: tuple[str, ...] = ()
    difference: float | None = None
    n_drawings: int = 0
    n_right: int | None = None
    images_from_0_to: float | None = None
    has_new_program: bool = False

    @property
    def told(self) -> str:
        """In sentences."""
        told = [f"{self.title}, {len(self.classes)} classes."]
        if self.has_new_program:
            told.append("Its LiteRT program was another network's and was built anew.")
        if self.difference is not None:
            told.append(f"Its probabilities differ by at most {self.difference:.1e} from Keras's.")
        if self.n_right is not None:
            told.append(f"It reads {self.n_right} of {self.n_drawings} synthetic digits right.")
            if self.n_right < self.n_drawings / 2:
                told.append("That is few: was it trained on dark digits?")
        return " ".join(told)


def import_model(
    path: Path,
    *,
    data_dir: Path,
    name: str = "",
    highest: float | None = None,
    classes: tuple[str, ...] = (),
    is_cancelled: Callable[[], bool] = lambda: False,
) -> ImportedModel:
    """Add the model at `path`, a file of QtDigits or of Keras (`.keras`, `.h5`), to the models of `data_dir`.

    `highest` is the value of full ink in the images that a Keras model was trained on, 1 or 255; None: try both. Raises
    `InputError` that names what cannot be imported, `CancelledError`.
    """
    name = name or path.stem
    with tempfile.TemporaryDirectory(prefix="qtdigits-") as folder:
        out = Path(folder, "imported.h5")
        task = Task(str(path.resolve()), str(out), name, highest, classes)
        try:
            found = run_program(
                "rebuild", json.dumps(asdict(task)), timeout_s=2 * MOST_SECONDS, is_cancelled=is_cancelled
            )
        except EndedEarlyError as error:
            raise InputError(
                f"{path} was not imported: it takes more memory or time than a model may. {error.message}",
                "Use a smaller model.",
            ) from error
        model = replace(check_model(out), name=name)
        Reader(model)
        stored = ModelLibrary(data_dir).add(model)
    return ImportedModel(**{**found, "path": stored, "classes": model.label_set.labels})
