"""Opens the window, or says in one line why it cannot be opened here."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from qtdigits.errors import InputError, QtDigitsError

OPTIONS = ("--data-dir", "--theme", "--debug")

QT_OPTIONS = (
    *(
        "display",
        "fontengine",
        "geometry",
        "platform",
        "platformpluginpath",
        "platformtheme",
        "plugin",
        "qwindowgeometry",
    ),
    *("qwindowicon", "qwindowtitle", "reverse", "session", "style", "stylesheet", "widgetcount"),
)
"""Options that Qt reads itself (QGuiApplication and QApplication), with one dash or two."""


def open_window(arguments: list[str]) -> int:
    """Run the window until it is closed. Raises `InputError` where there is no display."""
    require_known_options(arguments)
    require_display(arguments)
    prepare_start()
    with importing_the_window():
        from qtdigits.gui import app

    return app.main(arguments)


@contextlib.contextmanager
def importing_the_window() -> Iterator[None]:
    """Raise `QtDigitsError` with what to install when Qt lacks a system library."""
    try:
        yield
    except ImportError as error:
        raise QtDigitsError(
            f"The window cannot be loaded: {error}.",
            "On Debian or Ubuntu: sudo apt install libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libdbus-1-3",
        ) from error


def prepare_start() -> None:
    """Keep numpy from starting threads, for which a drawing is too small. To be called before it is imported."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def require_known_options(arguments: list[str]) -> None:
    """Raise `InputError` for an option that is neither the window's nor Qt's: Qt would ignore it."""
    for word in arguments:
        name = word.partition("=")[0]
        if name.startswith("-") and name not in OPTIONS and name.lstrip("-") not in QT_OPTIONS:
            raise InputError(f"The window has no option {name}.", "See: qtdigits --help")


def require_display(arguments: list[str]) -> None:
    """Raise `InputError` where Qt would find no display and abort the process, unless a Qt platform is named."""
    if "-platform" in arguments or "--platform" in arguments or has_display():
        return
    display = os.environ.get("DISPLAY")
    raise InputError(
        f"No display answers at DISPLAY={display}."
        if display
        else "There is no display for the window (neither DISPLAY nor WAYLAND_DISPLAY is set).",
        "Start it in a desktop session, or try: qtdigits demo, qtdigits --help.",
    )


def has_display() -> bool:
    """Whether Qt can show windows; always true except on Linux."""
    if (
        not sys.platform.startswith("linux")
        or os.environ.get("QT_QPA_PLATFORM")
        or os.environ.get("WAYLAND_DISPLAY")
    ):
        return True
    display = os.environ.get("DISPLAY", "")
    return bool(display) and _answers(display)


def _answers(display: str) -> bool:
    """Whether an X server listens at a display of this machine (":0"); remote ones are not checked."""
    host, _, number = display.rpartition(":")
    number = number.partition(".")[0]
    if host not in {"", "unix"} or not number.isdigit():
        return True
    path = f"/tmp/.X11-unix/X{number}"  # fixed by the X server
    return _connects("\0" + path) or (Path(path).exists() and _connects(path))


def _connects(address: str) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2.0)
        try:
            connection.connect(address)
        except OSError:
            return False
    return True
