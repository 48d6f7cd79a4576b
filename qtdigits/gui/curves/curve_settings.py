"""How a person likes to see curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from qtdigits.core.run.curves import XAxis

SMOOTHINGS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Weights that a slider can be set to: what matters happens near 1."""
KINDS = ("batches", "smoothed", "training", "validation", "hold-out")
"""Kinds of curves, any of which can be hidden."""
LATEST = (0, 200, 1_000, 5_000)
"""How many of the newest points can be followed; 0: the whole run is shown."""


@dataclass(frozen=True)
class CurveSettings:
    """`latest`: one of `LATEST`. `hidden`: kinds that are not drawn. `shows_figures`: with a table of what is in view."""

    axis: str = XAxis.EPOCH.value
    smoothing: float = 0.8
    is_log: bool = False
    ignores_outliers: bool = True
    latest: int = 0
    shows_loss: bool = True
    shows_accuracy: bool = True
    shows_auc: bool = False
    shows_learning_rate: bool = False
    shows_throughput: bool = False
    shows_figures: bool = False
    hidden: tuple[str, ...] = ()

    @property
    def x_axis(self) -> XAxis:
        return XAxis(self.axis)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CurveSettings:
        """What cannot be used, of a later or damaged file, is left at its default."""
        default = cls()
        kept = {
            f.name: values[f.name]
            for f in fields(cls)
            if f.name not in ("axis", "smoothing", "latest", "hidden")
            and isinstance(values.get(f.name), type(getattr(default, f.name)))
        }
        if values.get("axis") in set(XAxis):
            kept["axis"] = values["axis"]
        if values.get("smoothing") in SMOOTHINGS:
            kept["smoothing"] = values["smoothing"]
        if values.get("latest") in LATEST:
            kept["latest"] = values["latest"]
        if isinstance(hidden := values.get("hidden"), list | tuple):
            kept["hidden"] = tuple(kind for kind in KINDS if kind in hidden)
        return cls(**kept)
