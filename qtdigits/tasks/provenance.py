"""What a model file says of how the model came about, so that nobody takes it for what it is not."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtdigits import __version__
from qtdigits.core.drawing.samples import now
from qtdigits.tasks.gather import Gathered
from qtdigits.tasks.request import RetrainRequest
from qtdigits.tasks.source_names import OF_THE_STORE

if TYPE_CHECKING:
    from qtdigits.ml.training import TrainedNetwork


def provenance_of(
    request: RetrainRequest, gathered: Gathered, trained: TrainedNetwork, *, elapsed_s: float
) -> dict[str, Any]:
    """What the model was trained on and with. No path of the machine: model files are passed on."""
    from qtdigits.ml.backend import versions

    return {
        "program": f"QtDigits {__version__}",
        "created_at": now().isoformat(),
        "command": request.command,
        "run": request.run,
        "outcome": trained.outcome,
        "epochs": trained.epochs,
        "elapsed_s": round(elapsed_s, 1),
        "is_rehearsal": gathered.data.is_rehearsal,
        "sources": gathered.records,
        **_learned_from(request, gathered),
        "libraries": {"python": platform.python_version(), **versions()},
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _learned_from(request: RetrainRequest, gathered: Gathered) -> dict[str, Any]:
    """Which stored drawings the model has seen, so that nobody scores it on them unawares."""
    seen: dict[str, Any] = {}
    if gathered.last_sample:
        n = sum(record["n_training"] for record in gathered.records if record["name"] in OF_THE_STORE)
        seen["drawings"] = {"last_sample": gathered.last_sample, "n": n, "writer": request.writer}
    if request.base:
        seen["base"] = Path(request.base).name
    return seen
