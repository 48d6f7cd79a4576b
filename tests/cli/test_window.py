from __future__ import annotations

import itertools
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import Run
from qtdigits.cli import window
from qtdigits.cli.window import require_display
from qtdigits.errors import InputError, QtDigitsError

on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere there is always a display"
)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A socket where the X server of a display would be, which does not listen yet; of the displays, the first free one."""
    with socket.socket(socket.AF_UNIX) as server:
        for number in itertools.count(9000):
            try:
                server.bind(f"\0/tmp/.X11-unix/X{number}")
            except OSError:
                continue
            yield server
            return


@pytest.fixture
def display(server: socket.socket) -> str:
    """The display of `server`."""
    return f":{server.getsockname().decode().rpartition('X')[2]}"


@on_linux
@pytest.mark.usefixtures("no_display")
def test_that_without_a_display_one_line_says_so(run: Run) -> None:
    done = run()
    assert done.code == 2
    assert "no display" in done.complaint
    assert "qtdigits demo" in done.err


@on_linux
@pytest.mark.usefixtures("no_display")
def test_that_a_display_at_which_nobody_answers_is_named(
    run: Run, display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    done = run()
    assert done.code == 2
    assert f"DISPLAY={display}" in done.complaint


@on_linux
@pytest.mark.usefixtures("no_display")
def test_that_a_display_that_answers_is_enough(
    server: socket.socket, display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", f"{display}.0")
    server.listen()
    require_display([])


@on_linux
@pytest.mark.usefixtures("no_display")
@pytest.mark.parametrize(
    ("name", "value"),
    [("WAYLAND_DISPLAY", "wayland-0"), ("QT_QPA_PLATFORM", "offscreen"), ("DISPLAY", "far:0")],
)
def test_that_other_ways_to_a_display_are_taken_on_trust(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(InputError):
        require_display([])
    monkeypatch.setenv(name, value)
    require_display([])


@pytest.mark.parametrize("option", ["--bogus", "--epochs=3", "-z"])
def test_that_an_option_that_neither_the_window_nor_qt_has_is_refused(run: Run, option: str) -> None:
    done = run(option)
    assert done.code == 2
    assert option.partition("=")[0] in done.complaint


def test_that_options_of_qt_are_passed_on() -> None:
    window.require_known_options(
        ["-platform", "offscreen", "--style=Fusion", "--theme", "dark", "--data-dir", "x"]
    )


def test_that_a_missing_system_library_comes_with_what_to_install() -> None:
    with pytest.raises(QtDigitsError, match="apt install") as caught, window.importing_the_window():
        raise ImportError("libEGL.so.1: cannot open shared object file")
    assert "libEGL.so.1" in caught.value.message


def test_that_a_negative_option_value_is_no_option(tmp_path: Path) -> None:
    window.require_known_options(["--data-dir", str(tmp_path)])
