"""Where things are: the user's data folder, and the files that travel with the program."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

DATA_DIR_VARIABLE = "QTDIGITS_DATA_DIR"
MNIST_VARIABLE = "QTDIGITS_MNIST"

_PACKAGE = Path(__file__).resolve().parent


def user_data_dir(override: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the user's own data: `--data-dir`, else `QTDIGITS_DATA_DIR`, else the platform's place.

    The folder is not created here: whoever writes first does that, and reports it when it fails.
    """
    chosen = override or os.environ.get(DATA_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_data_dir("qtdigits", appauthor=False))


def rescue_dirs(data_dir: Path) -> tuple[Path, ...]:
    """Where drawings may be kept while the store in `data_dir` cannot be opened; they outlast a restart of the computer."""
    import platformdirs

    name = f"rescued-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    home = Path.home()
    return (
        Path(platformdirs.user_state_dir("qtdigits", appauthor=False)) / name,
        home / ".qtdigits" / name,
    )


def shipped_models_dir() -> Path:
    """The models that travel with the program (inside the wheel, or at the top of a checkout)."""
    return _travelling("models")


def resources_dir() -> Path:
    """Icons and the like."""
    return _travelling("resources")


def recipes_dir() -> Path:
    """The named recipes, `*.toml`."""
    return _PACKAGE / "recipes"


def _travelling(name: str) -> Path:
    in_wheel = _PACKAGE / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name
