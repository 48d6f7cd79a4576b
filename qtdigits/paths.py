"""The user's data folder, and the files that are shipped with the program."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

DATA_DIR_VARIABLE = "QTDIGITS_DATA_DIR"
MNIST_VARIABLE = "QTDIGITS_MNIST"

_PACKAGE = Path(__file__).resolve().parent


def this_program() -> list[str]:
    """Return the words that start this program in a process of its own: in a checkout, installed or frozen."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "qtdigits"]


def studies_dir(data_dir: Path) -> Path:
    """Return where the studies of a data folder are."""
    return data_dir / "studies"


def user_data_dir(override: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of the user's data: `--data-dir`, else `QTDIGITS_DATA_DIR`, else the platform's data folder.

    The folder is created by the first write, which reports when that fails.
    """
    chosen = override or os.environ.get(DATA_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_data_dir("qtdigits", appauthor=False))


def rescue_dirs(data_dir: Path) -> tuple[Path, ...]:
    """Return folders for drawings while the store in `data_dir` cannot be opened; they survive a restart of the computer."""
    import platformdirs

    name = f"rescued-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    home = Path.home()
    return (
        Path(platformdirs.user_state_dir("qtdigits", appauthor=False)) / name,
        home / ".qtdigits" / name,
    )


def shipped_models_dir() -> Path:
    """Return the folder of the shipped models (inside the wheel, or at the top of a checkout)."""
    return _shipped("models")


def resources_dir() -> Path:
    """Return the folder of icons and the like."""
    return _shipped("resources")


def recipes_dir() -> Path:
    """Return the folder of the named recipes, `*.toml`."""
    return _PACKAGE / "recipes"


def _shipped(name: str) -> Path:
    in_wheel = _PACKAGE / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name
