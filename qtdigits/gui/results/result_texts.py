"""The result of a run in words, for panels that must not load the plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtdigits.core.formatting import counted, duration, percent
from qtdigits.core.run.events import RunFinished
from qtdigits.core.run.figures import ordered

OUTCOMES = {
    "completed": "Completed",
    "stopped": "Stopped, best kept",
    "converged": "Converged, best kept",
    "diverged": "Diverged, last good weights kept",
}


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
