"""Where the model of a run goes: a file that was asked for by name, or a new one of the library."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from qtdigits.core.models import Model
from qtdigits.errors import InputError, StoreError
from qtdigits.store.files import cannot_write
from qtdigits.store.model.library import ModelLibrary
from qtdigits.store.model.model_files import save_model
from qtdigits.tasks.request import RetrainRequest


def destination_of(request: RetrainRequest) -> Path:
    """Found out before the training, not after it: whether the model can be stored there.

    Raises `InputError` where there is no folder, or the file is one, and `StoreError` where nothing can be written.
    """
    out = Path(request.out) if request.out else library_of(request).new_path(_name_for(request))
    try:
        has_folder, is_folder = out.parent.is_dir(), out.is_dir()
    except OSError as error:  # the name is too long
        raise cannot_write(out, error) from error
    if not has_folder:
        raise InputError(
            f"There is no folder {out.parent}.", "Make it, or let the model be written elsewhere."
        )
    if is_folder:
        raise InputError(f"{out} is a folder.", "Give the name of a file for the model.")
    if not os.access(out.parent, os.W_OK):
        raise StoreError(
            f"{out.parent} is read-only.", "Allow writing to it, or let the model be written elsewhere."
        )
    return out


def _name_for(request: RetrainRequest) -> str:
    if request.recipe.is_personal and request.writer:
        return request.name or f"hand-of-{request.writer}"
    return request.name or request.recipe.name


def store_model(model: Model, request: RetrainRequest, out: Path) -> Model:
    """The model as it was saved, with its path. Raises `StoreError`.

    A file that another window has put there meanwhile is not overwritten, unless it was asked for by name.
    """
    if request.out:
        return save_model(model, out)
    library = library_of(request)
    with library.adding():
        if out.exists():
            out = library.new_path(out.stem)
            model = replace(model, name=request.name or out.stem)
        return save_model(model, out)


def library_of(request: RetrainRequest) -> ModelLibrary:
    return ModelLibrary(Path(request.data_dir))
