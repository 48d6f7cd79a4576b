"""Asks where to keep curves, and writes them there."""

from __future__ import annotations

from pathlib import Path

from qtdigits.gui.curves.curves import Curves
from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.files import write_file

KINDS = {"png": "Picture (*.png)", "svg": "Drawing (*.svg)", "csv": "Figures (*.csv)"}


def save_curves(curves: Curves, kind: str, *, ask: Ask) -> Path | None:
    """`kind` "png", "svg" or "csv"; "" lets the ending of the chosen name decide. None when the person gives up.

    Raises `InputError` for an ending that is none of these, `StoreError` when the file cannot be written.
    """
    kinds = KINDS[kind] if kind else ";;".join(KINDS.values())
    path = ask.file_to_save("Keep the curves", f"curves.{kind or 'png'}", kinds)
    if path is None:
        return None
    if not path.suffix:
        path = path.with_suffix(f".{kind or 'png'}")
    write_file(path, curves.file_of(path.suffix[1:].lower()))
    return path
