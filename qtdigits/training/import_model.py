"""Import a Keras model: a child process rebuilds it (`training.rebuild`), and what it wrote is checked as any model file is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from qtdigits.errors import InputError
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model, save_model
from qtdigits.training.child import EndedEarlyError, run_program
from qtdigits.training.rebuild import MOST_SECONDS, Task


@dataclass(frozen=True)
class ImportedModel:
    """`difference` is the largest of a probability on `n_drawings` synthetic digits from what Keras computes; `n_right` of them
    are read right, None where the model does not know digits.
    """

    path: Path
    title: str
    difference: float
    n_drawings: int
    n_right: int | None


def import_model(
    path: Path,
    *,
    data_dir: Path,
    name: str = "",
    highest: float = 1.0,
    classes: tuple[str, ...] = (),
    is_cancelled: Callable[[], bool] = lambda: False,
) -> ImportedModel:
    """Add the Keras model at `path`, `.keras` or `.h5`, to the models of `data_dir`.

    `highest` is the value of full ink in the images that it was trained on, 1 or 255. Raises `InputError` that names what
    cannot be imported, `CancelledError`.
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
        library = ModelLibrary(data_dir)
        with library.adding():
            stored = save_model(model, library.new_path(name))
    assert stored.path is not None  # it was just saved
    return _told(stored.path, found)


def _told(path: Path, found: dict[str, Any]) -> ImportedModel:
    right = found.get("right")
    return ImportedModel(path, str(found["title"]), float(found["difference"]), int(found["drawings"]), right)
