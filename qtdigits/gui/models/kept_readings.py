"""The drawings behind the figures of a run, as far as they were kept and can be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import InputError
from qtdigits.store.run_files import load_readings


def readings_of(data_dir: Path, run: str) -> Mapping[str, ReadDrawings]:
    """By the name of the set. A file that cannot be read is as good as none: the figures themselves are known."""
    try:
        return load_readings(data_dir, run)
    except InputError:
        return {}
