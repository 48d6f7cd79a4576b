"""How many of a writer's drawings each model had learned from, and how it then read the new ones: points of a learning curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtdigits.core.learning_curve import Amount
from qtdigits.errors import QtDigitsError
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_header
from qtdigits.store.samples import SampleStore


def learned_amounts(store: SampleStore, library: ModelLibrary, writer: str) -> tuple[Amount, ...]:
    """One amount for each model that was judged on the writer's drawings, before those could be trained on.

    A model whose file is gone, or cannot be read, is left out: nobody knows what it had learned from.
    """
    found = []
    for model, right, judged in store.judgements.models(writer):
        try:
            provenance = load_header(library.find(model)).provenance
        except QtDigitsError:
            continue
        found.append(Amount(_learned(store, writer, provenance), judged - right, judged))
    return tuple(sorted(found))


def _learned(store: SampleStore, writer: str, provenance: Mapping[str, Any]) -> int:
    """A model that learned one hand alone has learned nothing of another's; no name means everybody's drawings."""
    drawings = provenance.get("drawings") or {}
    if drawings.get("writer") not in (None, "", writer):
        return 0
    return store.judgements.learnable(writer, int(drawings.get("last_sample") or 0))
