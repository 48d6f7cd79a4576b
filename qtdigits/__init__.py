"""QtDigits: draw a digit, see it read, put it right, watch the network learn.

What a script needs, loaded when it is first asked for: importing this loads neither Qt nor TensorFlow. See docs/api.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from qtdigits.version import __version__

if TYPE_CHECKING:
    from qtdigits.core.drawing.images import normalise_image
    from qtdigits.core.drawing.ink import Ink
    from qtdigits.core.drawing.raster import render
    from qtdigits.core.judging import Judging, Reading
    from qtdigits.core.memory import Memory
    from qtdigits.core.score.metrics import Score
    from qtdigits.reader import Reader
    from qtdigits.store.tables.samples import SampleStore
    from qtdigits.training.evaluate import evaluate
    from qtdigits.training.train import train

__all__ = [
    "Ink",
    "Judging",
    "Memory",
    "Reader",
    "Reading",
    "SampleStore",
    "Score",
    "__version__",
    "evaluate",
    "normalise_image",
    "render",
    "train",
]

_HOMES = {
    "Ink": "qtdigits.core.drawing.ink",
    "Judging": "qtdigits.core.judging",
    "Memory": "qtdigits.core.memory",
    "Reader": "qtdigits.reader",
    "Reading": "qtdigits.core.judging",
    "SampleStore": "qtdigits.store.tables.samples",
    "Score": "qtdigits.core.score.metrics",
    "evaluate": "qtdigits.training.evaluate",
    "normalise_image": "qtdigits.core.drawing.images",
    "render": "qtdigits.core.drawing.raster",
    "train": "qtdigits.training.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'qtdigits' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
