"""The result of a run in words, for panels that must not load the plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qtdigits.core.drawing.samples import DRAWINGS, MNIST_TEST, MY_HOLD_OUT, VALIDATION
from qtdigits.core.formatting import counted, duration, percent
from qtdigits.core.run.events import RunFinished

OUTCOMES = {
    "completed": "Completed",
    "stopped": "Stopped, best kept",
    "converged": "Converged, best kept",
    "diverged": "Diverged, last good weights kept",
}
SCORE_ORDER = (MY_HOLD_OUT, MNIST_TEST, VALIDATION)
"""The accuracy on drawn digits is the headline; other sets follow in the order in which they come."""


def data_text(data: Mapping[str, int]) -> str:
    """MNIST 54,000 + 212 drawings."""
    parts = [f"{n:,} drawings" if name == DRAWINGS else f"{name} {n:,}" for name, n in data.items() if n]
    return " + ".join(parts)


def finished_text(event: RunFinished) -> str:
    """Completed: 12 epochs, the best was 8; 1:16 in all."""
    outcome = OUTCOMES.get(event.outcome, event.outcome.capitalize())
    best = f", the best was {event.best_epoch}" if event.best_epoch and event.epochs > 1 else ""
    return f"{outcome}: {counted(event.epochs, 'epoch')}{best}; {duration(event.elapsed_s)} in all"


def headline_text(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """my hold-out 97.1 % of 34 · MNIST test 99.1 % of 10,000."""
    shown = [name for name in ordered(scores) if scores[name].get("n")]
    return " · ".join(
        f"{name} {percent(scores[name]['accuracy'], 2)} of {scores[name]['n']:,}" for name in shown
    )


def ordered(names: Iterable[str]) -> list[str]:
    """Names of score sets, what counts most first."""
    rank = {name: place for place, name in enumerate(SCORE_ORDER)}
    return sorted(names, key=lambda name: rank.get(name, len(rank)))
