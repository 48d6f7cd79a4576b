"""How many of a writer's drawings each model had learned from, and how it then read the new ones: points of a learning curve."""

from __future__ import annotations

from pathlib import Path

from qtdigits.core.models import Model
from qtdigits.core.score.learning_curve import Amount
from qtdigits.store.model.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from qtdigits.tasks.lineage import Headers, headers_of, line_of


def learned_amounts(
    store: SampleStore, library: ModelLibrary, writer: str, *, model: Path | None
) -> tuple[Amount, ...]:
    """One amount for each model that was judged on the writer's drawings, before those could be trained on.

    Only models with the network of `model`, the one in use: otherwise the step from a simple network to a better one would
    look as if a hand had been learned. A model whose file is gone, or cannot be read, is left out: nobody knows what it
    had learned from.
    """
    header_of = headers_of(library)
    in_use = header_of(str(model)) if model else None
    if in_use is None:
        return ()
    found = []
    for name, right, judged in store.judgements.models(writer):
        header = header_of(name)
        if header is not None and header.recipe.network == in_use.recipe.network:
            found.append(Amount(_learned(store, writer, header, header_of), judged - right, judged))
    return tuple(sorted(found))


def learned_by(store: SampleStore, library: ModelLibrary, writer: str, model: Path | None) -> int:
    """How many of the writer's drawings that model has learned from."""
    header_of = headers_of(library)
    header = header_of(str(model)) if model else None
    return _learned(store, writer, header, header_of) if header else 0


def _learned(store: SampleStore, writer: str, model: Model, header_of: Headers) -> int:
    """A model that learned another's hand knows of this one what the model knew from which it went on."""
    for known in line_of(model, header_of):
        drawings = known.provenance.get("drawings") or {}
        if drawings and drawings.get("writer") in (None, "", writer):
            return store.judgements.learnable(writer, int(drawings.get("last_sample") or 0))
    return 0
