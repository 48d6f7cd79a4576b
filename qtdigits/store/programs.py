"""The LiteRT programs that may be run: those that this program has built. One that a file from elsewhere brings is never run.

`programs` in the data folder has a file for each model that is known, named by a digest of its program and its golden answers.
It is empty where the program in the model file is our own, and else holds the one that was built from the model's weights.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from qtdigits import paths
from qtdigits.core.model import Model
from qtdigits.errors import InputError, ModelFileError
from qtdigits.limits import MODEL_BYTES
from qtdigits.store.files import make_folder, write_file
from qtdigits.store.model_files import load_model
from qtdigits.untrusted import read_file

FOLDER = "programs"


class Programs:
    """Those of the data folder `folder`, and those of the shipped models."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def load(self, path: Path, *, weights: bool = False) -> Model:
        """Load a model to read with: with a program that may be run, or with its weights and none. Raises `ModelFileError`."""
        model = load_model(path, weights=weights)
        program = self.of(model)
        if not program and not weights:
            model = load_model(path)
        return model.with_program(program)

    def of(self, model: Model) -> bytes:
        """Return the program that may be run for a model, empty where there is none."""
        if model.path is not None and model.path.resolve().parent == paths.shipped_models_dir().resolve():
            return model.flatbuffer
        try:
            return read_file(self._path(model), MODEL_BYTES) or model.flatbuffer
        except InputError:
            return model.flatbuffer if _key(model) in _shipped(paths.shipped_models_dir()) else b""

    def add(self, model: Model, program: bytes = b"") -> None:
        """Remember that the model's own program may be run, or `program` in its place. Raises `StoreError`."""
        make_folder(self._folder)
        write_file(self._path(model), program)

    def forget(self, model: Model) -> None:
        self._path(model).unlink(missing_ok=True)

    def _path(self, model: Model) -> Path:
        return self._folder / _key(model)


def _key(model: Model) -> str:
    digest = hashlib.sha256(model.flatbuffer)
    for array in (model.golden.images, model.golden.probabilities):
        digest.update(array.tobytes())
    return digest.hexdigest()


@cache
def _shipped(folder: Path) -> frozenset[str]:
    found = set()
    for path in folder.glob("*.h5"):
        try:
            found.add(_key(load_model(path, weights=False)))
        except ModelFileError:
            continue
    return frozenset(found)
