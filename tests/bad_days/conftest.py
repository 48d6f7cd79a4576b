"""The whole window over a data folder, as these tests open it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from qtdigits import paths
from qtdigits.gui import app
from qtdigits.gui.main_window import MainWindow


@pytest.fixture
def open_window(
    qapp: QApplication, qtbot: QtBot, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], MainWindow]]:
    monkeypatch.setattr(paths, "rescue_dirs", lambda folder: (folder.parent / "rescue" / folder.name,))
    windows: list[MainWindow] = []

    def open_it() -> MainWindow:
        _, window = app.create(["--data-dir", str(data_dir)])
        windows.append(window)
        qtbot.addWidget(window)
        with qtbot.waitSignal(window.became_ready):
            window.show()
        window.findChild(QTimer, "quietTimer").stop()
        return window

    yield open_it
    for window in windows:
        window.close()
    qapp.setStyleSheet("")  # it is the whole application's
