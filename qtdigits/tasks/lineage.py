"""Where a model comes from: the one that its line began with."""

from __future__ import annotations

from pathlib import Path

from qtdigits.core.models import Model
from qtdigits.errors import QtDigitsError
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model


def first_of_line(model: Model, library: ModelLibrary) -> Model:
    """The model with which the personal trainings began that led to this one, with its weights; itself where there were none.

    It is the one that still reads everybody as it was trained to. The way back ends where a file is gone, damaged, or of
    another network.
    """
    passed = {model.name}
    first = model
    while first.recipe.is_personal and (name := Path(str(first.provenance.get("base") or "")).stem):
        try:
            before = load_model(library.find(name))
        except QtDigitsError:
            break
        if before.name in passed or before.recipe.network != model.recipe.network:
            break
        passed.add(before.name)
        first = before
    return first
