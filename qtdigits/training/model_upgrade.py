"""LiteRT programs built anew from the weights: for models of earlier versions, which give no embedding, and for those that come
from elsewhere, whose own program is never run in this process.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from pathlib import Path

from qtdigits.core.model import Golden, Model
from qtdigits.core.run.control import Control
from qtdigits.errors import CancelledError, InputError, ModelFileError, QtDigitsError, StoreError
from qtdigits.quiet import quiet
from qtdigits.reader import Reader, answers_of_weights
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.store.programs import Programs
from qtdigits.training.child import EndedEarlyError, limit_resources, limit_time, run_program

COMMAND = "check-program"
"""Of the command line: `main` in a process of its own."""
MOST_SECONDS = 30


def upgrade_model(path: Path, folder: Path, control: Control) -> bool:
    """Give the model at `path` a program with the embedding, and return whether its file has one now.

    Everything else in the file stays as it is. False, and nothing is written, where it is none of the models of the data folder
    `folder`, cannot be used or written, or was changed meanwhile. Raises `CancelledError`.
    """
    library = ModelLibrary(folder)
    try:
        model = load_model(path)
        known = library.programs.of(model)
        if known and Reader(model.with_program(known), check=False).has_embedding:
            return True
        if not (library.is_own(path) and os.access(path, os.W_OK)):
            return False
        control.raise_if_stopping()
        upgraded = built(model)
        control.raise_if_stopping()
        with library.adding():
            if load_model(path, weights=False).flatbuffer == model.flatbuffer:
                library.save(upgraded, path)
                return True
    except CancelledError:
        raise
    except QtDigitsError:
        pass
    return False


def with_own_program(model: Model) -> Model:
    """`model`, which was loaded with its weights, with a program that is built from them. The golden answers are theirs, too.

    Raises `InputError` when the weights are not those of its network.
    """
    return built(replace(model, golden=Golden(model.golden.images, answers_of_weights(model))))


def readable(path: Path, folder: Path) -> Model:
    """Load the model at `path` with its weights and a program that may be run, which is built where there is none.

    It is remembered in the data folder `folder`. Raises `ModelFileError`, `TrainingError`.
    """
    programs, model = Programs(folder), load_model(path)
    if program := programs.of(model):
        return model.with_program(program)
    own = built(model)
    with contextlib.suppress(StoreError):  # then it is built again next time
        programs.add(model, own.flatbuffer)
    return own


def built(model: Model) -> Model:
    """Return the model with a program that is built from its weights and gives the golden answers."""
    with quiet():
        from qtdigits.ml.models import with_embedding_output

        own = with_embedding_output(model)
    Reader(own)
    return own


def check_program(model: Model, folder: Path) -> None:
    """Check that the LiteRT program and the weights, with which `model` was loaded from its file, are of one network: a file from
    elsewhere may hold any two. Both must give the golden answers. Raises `ModelFileError`.
    """
    if Programs(folder).of(model) == model.flatbuffer:
        compare_with_weights(model)
        return
    try:
        run_program(COMMAND, str(model.path), timeout_s=2 * MOST_SECONDS)
    except EndedEarlyError as error:
        raise _unusable(
            model, f"its LiteRT program ended the process that tried it. {error.message}"
        ) from error
    except InputError as error:
        raise ModelFileError(error.message, error.remedy) from error


def compare_with_weights(model: Model) -> None:
    """Run the program of a model. Raises `ModelFileError` where it does not give the answers of the weights."""
    Reader(model)
    if not model.golden.agrees_with(answers_of_weights(model)):
        raise _unusable(model, "its LiteRT program is not that of its weights.")


def main(arguments: list[str]) -> int:
    """In a child process: run the program of the model file of that name, and compare it with the weights."""
    limit_resources()
    limit_time(MOST_SECONDS)
    compare_with_weights(load_model(Path(arguments[0])))
    sys.stdout.write("{}\n")
    return 0


def _unusable(model: Model, why: str) -> ModelFileError:
    return ModelFileError(
        f"{model.path or model.name} cannot be used: {why}",
        "Promote it to have the program built anew from the weights.",
    )
