"""How Qt is set up, and what becomes of errors that nobody caught: the window says them, and stays."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qtdigits.errors import InputError, QtDigitsError
from qtdigits.gui.app import ExceptionHook


class Window:
    """Stands in for the main window and its session."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.is_closed = False
        self.session = self

    def report(self, error: QtDigitsError) -> None:
        self.shown.append(str(error))

    def close(self) -> None:
        self.is_closed = True


def report(error: BaseException) -> Window:
    window = Window()
    ExceptionHook(window)(type(error), error, None)  # type: ignore[arg-type]
    return window


def test_that_an_error_with_words_for_the_person_is_shown_in_them(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        window = report(InputError("drawings.csv has no row 7.", "Choose another file."))
    assert window.shown == ["drawings.csv has no row 7. Choose another file."]
    assert "drawings.csv" in caplog.text


@pytest.mark.expects_log("unexpected")
def test_that_what_nobody_expected_is_shown_with_its_kind() -> None:
    (shown,) = report(KeyError("width")).shown
    assert shown.startswith("Something unexpected happened: KeyError: 'width'.")
    assert "Save a problem report" in shown


@pytest.mark.expects_log("unexpected")
def test_that_what_happens_over_and_over_in_one_place_is_said_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    window = Window()
    hook = ExceptionHook(window)  # type: ignore[arg-type]
    for number in range(100):
        try:
            raise ValueError(number)
        except ValueError as error:
            hook(type(error), error, error.__traceback__)
    hook(KeyError, KeyError("width"), None)
    assert [text.split(":")[1].strip() for text in window.shown] == ["ValueError", "KeyError"]
    assert caplog.text.count("Traceback") == 1


def test_that_ctrl_c_in_the_terminal_closes_the_window() -> None:
    window = report(KeyboardInterrupt())
    assert window.is_closed
    assert window.shown == []


ASKED_ABOUT_COMPRESSION = """
import sys
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication
from qtdigits.gui import app

COMPRESSION = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents


class ApplicationOnX11(QApplication):
    '''Made as on X11, whose part of Qt switches the compression on, whatever was set before.'''

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        QCoreApplication.setAttribute(COMPRESSION, True)


app.QApplication = ApplicationOnX11
made, window = app.create(["--data-dir", sys.argv[1]])
print(QCoreApplication.testAttribute(COMPRESSION))
window.close()
"""


def test_that_no_point_of_a_stroke_is_thrown_away(tmp_path: Path) -> None:
    """In a process of its own, as there is one application in each."""
    said = subprocess.run(
        [sys.executable, "-c", ASKED_ABOUT_COMPRESSION, str(tmp_path)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["False"]
