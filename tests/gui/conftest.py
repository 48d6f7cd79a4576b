from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from gui.fake_engine import FakeEngines
    from qtdigits.gui.engine.engine_controller import EngineController
    from qtdigits.gui.main_window import MainWindow


@pytest.fixture
def engines() -> FakeEngines:
    from gui.fake_engine import FakeEngines

    return FakeEngines()


@pytest.fixture
def make_controller(qapp: object) -> Iterator[Callable[..., EngineController]]:
    """Controllers that are shut down when the test is over."""
    from qtdigits.gui.engine.engine_controller import EngineController

    made: list[EngineController] = []

    def make(engines: FakeEngines, **settings: Any) -> EngineController:
        made.append(EngineController(make_client=engines, **settings))
        return made[-1]

    yield make
    for controller in made:
        controller.shutdown()


@pytest.fixture
def controller(make_controller: Callable[..., EngineController], engines: FakeEngines) -> EngineController:
    return make_controller(engines)


@pytest.fixture
def window(
    qapp: QApplication, qtbot: QtBot, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """The whole window, shown and ready, without an engine; its models read 3, and `window.ask.reply` answers for the person."""
    from PySide6.QtCore import QTimer

    from gui.models import saved_model
    from gui.stand_ins import Answers, FixedReader, no_engine
    from qtdigits.gui.engine.engine_controller import EngineController
    from qtdigits.gui.main_window import MainWindow
    from qtdigits.gui.preferences import Preferences
    from qtdigits.gui.session import Session
    from qtdigits.store.library import ModelLibrary
    from qtdigits.store.tables.samples import SampleStore

    monkeypatch.setattr("qtdigits.gui.session.Reader", FixedReader)
    shipped = tmp_path / "shipped"
    saved_model(shipped / "model-a.h5", drawn_accuracy=0.9)
    saved_model(shipped / "model-b.h5", drawn_accuracy=0.8)
    library = ModelLibrary(data_dir, shipped=shipped)
    window = MainWindow(
        session=Session(store=SampleStore.open(data_dir), library=library, data_dir=data_dir),
        controller=EngineController(make_client=no_engine),
        preferences=Preferences(data_dir),
        ask=Answers(),
    )
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.became_ready):
        window.show()
    window.findChild(QTimer, "quietTimer").stop()
    yield window
    window.close()
    qapp.setStyleSheet("")  # it is the whole application's
