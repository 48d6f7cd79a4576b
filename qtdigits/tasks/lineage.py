"""Where a model comes from: those that it was trained on from, back to the one that its line began with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.models import Model
from qtdigits.core.run.data_mark import digest_of
from qtdigits.errors import QtDigitsError
from qtdigits.store.model.library import ModelLibrary
from qtdigits.store.model.model_files import load_header, load_model
from qtdigits.tasks.source_names import OF_THE_PROGRAM

Headers = Callable[[str], Model | None]


def headers_of(library: ModelLibrary) -> Headers:
    """Looks models up by name or path, each once; None where the file is gone or cannot be read."""

    @cache
    def header_of(name: str) -> Model | None:
        try:
            return load_header(library.find(name))
        except QtDigitsError:
            return None

    return header_of


def line_of(model: Model, header_of: Headers) -> Iterator[Model]:
    """`model`, the one that it was trained on from, and so on, as far as they are known."""
    seen: set[str] = set()
    known: Model | None = model
    while known is not None and known.name not in seen:
        yield known
        seen.add(known.name)
        base = Path(str(known.provenance.get("base") or "")).stem
        known = header_of(base) if base else None


def files_learned(model: Model, header_of: Headers) -> frozenset[str]:
    """The names of the files that it, or one that it was trained on from, was trained on, as far as they say."""
    return (
        frozenset(
            str(source.get("name"))
            for known in line_of(model, header_of)
            for source in known.provenance.get("sources") or ()
        )
        - OF_THE_PROGRAM
    )


def was_trained_on(model: Model, drawings: Dataset, header_of: Headers) -> bool:
    """Whether it, or one that it was trained on from, says that it was trained on exactly these drawings.

    Of a part of what a model was trained on this cannot be told.
    """
    digest = digest_of(drawings)
    return any(
        source.get("sha256") == digest
        for known in line_of(model, header_of)
        for source in known.provenance.get("sources") or ()
    )


def first_of_line(model: Model, library: ModelLibrary) -> Model:
    """The model with which the personal trainings began that led to this one, with its weights; itself where there were none.

    It is the one that still reads everybody as it was trained to. The way back ends where a file is gone, damaged, or of
    another network.
    """
    line: list[Model] = []
    for known in line_of(model, headers_of(library)):
        if known.recipe.network != model.recipe.network:
            break
        line.append(known)
        if not known.recipe.is_personal:
            break
    for first in reversed(line[1:]):
        try:
            return load_model(library.find(first.name))
        except QtDigitsError:
            continue
    return model
