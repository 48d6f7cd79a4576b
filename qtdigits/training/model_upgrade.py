"""Upgrades a model file of an earlier version, whose LiteRT program gives no embedding: memory needs it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from qtdigits.core.model import Golden, Model
from qtdigits.core.run.control import Control
from qtdigits.errors import CancelledError, QtDigitsError
from qtdigits.ml.models import with_embedding_output
from qtdigits.reader import Reader, answers_of_weights
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model


def upgrade_model(path: Path, folder: Path, control: Control) -> bool:
    """Give the model at `path` a program with the embedding, and return whether its file has one now.

    Everything else in the file stays as it is. False, and nothing is written, where it is none of the models of the data folder
    `folder`, cannot be used or written, or was changed meanwhile. Raises `CancelledError`.
    """
    library = ModelLibrary(folder)
    try:
        model = load_model(path)
        if Reader(model, check=False).has_embedding:
            return True
        if not (library.is_own(path) and os.access(path, os.W_OK)):
            return False
        control.raise_if_stopping()
        upgraded = with_embedding_output(model)
        Reader(upgraded)  # it gives the golden answers
        control.raise_if_stopping()
        with library.adding():
            if load_model(path, weights=False).flatbuffer == model.flatbuffer:
                save_model(upgraded, path)
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
    own = with_embedding_output(replace(model, golden=Golden(model.golden.images, answers_of_weights(model))))
    Reader(own)
    return own
