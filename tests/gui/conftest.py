from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from gui.fake_engine import FakeEngines
    from qtdigits.gui.main_window import MainWindow
    from qtdigits.gui.session import Session
    from qtdigits.gui.trainer import Trainer
    from qtdigits.gui.widgets.colours import Theme


@pytest.fixture(autouse=True)
def collect_between_tests() -> Iterator[None]:
    """Collect no garbage inside a call of Qt, as the window does: see `GarbageCollector`."""
    gc.disable()
    yield
    gc.enable()
    gc.collect(1)


@pytest.fixture
def dress(qapp: QApplication) -> Iterator[Callable[[Theme], None]]:
    """Give the application the colours and the style sheet of a theme, as the window does; undone after the test."""
    from qtdigits.gui.theme import palette_of, style_sheet_of

    palette, style_sheet = qapp.palette(), qapp.styleSheet()

    def in_theme(theme: Theme) -> None:
        qapp.setPalette(palette_of(theme))
        qapp.setStyleSheet(style_sheet_of(theme))

    yield in_theme
    qapp.setPalette(palette)
    qapp.setStyleSheet(style_sheet)


@pytest.fixture
def engines() -> FakeEngines:
    from gui.fake_engine import FakeEngines

    return FakeEngines()


@pytest.fixture
def make_session(qapp: object, data_dir: Path, tmp_path: Path) -> Iterator[Callable[[], Session]]:
    """Sessions on one data folder, as several windows have them; their models are `a` and the better `b`."""
    from gui.models import saved_model
    from qtdigits.gui.session import Session
    from qtdigits.store.library import ModelLibrary
    from qtdigits.store.tables.samples import SampleStore

    for name, accuracy in (("a", 0.8), ("b", 0.9)):
        saved_model(tmp_path / "shipped" / f"{name}.h5", drawn_accuracy=accuracy)
    made: list[Session] = []

    def make() -> Session:
        library = ModelLibrary(data_dir, shipped=tmp_path / "shipped")
        made.append(Session(store=SampleStore.open(data_dir), library=library, data_dir=data_dir))
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.fixture
def session(make_session: Callable[[], Session]) -> Session:
    return make_session()


@pytest.fixture
def make_trainer(make_session: Callable[[], Session]) -> Iterator[Callable[..., Trainer]]:
    """Trainers that are closed when the test is over; each has a session of its own unless it is given one."""
    from qtdigits.gui.engine_process import EngineProcess
    from qtdigits.gui.trainer import Trainer

    made: list[Trainer] = []

    def make(engines: FakeEngines, *, session: Session | None = None, **settings: Any) -> Trainer:
        process = EngineProcess(make_client=engines, **settings)
        made.append(Trainer(session=session or make_session(), process=process))
        return made[-1]

    yield make
    for trainer in made:
        trainer.close()


@pytest.fixture
def trainer(make_trainer: Callable[..., Trainer], session: Session, engines: FakeEngines) -> Trainer:
    return make_trainer(engines, session=session)


@pytest.fixture
def window(
    qapp: QApplication, qtbot: QtBot, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """The whole window, shown and ready, without an engine; its models read 3, and `window.ask.reply` answers for the person."""
    from PySide6.QtCore import QTimer

    from gui.models import saved_model
    from gui.stand_ins import Answers, FixedReader, no_engine
    from qtdigits.gui.closing import ClosingChoice
    from qtdigits.gui.engine_process import EngineProcess
    from qtdigits.gui.main_window import MainWindow
    from qtdigits.gui.preferences import Preferences
    from qtdigits.gui.session import Session
    from qtdigits.gui.trainer import Trainer
    from qtdigits.store.library import ModelLibrary
    from qtdigits.store.tables.samples import SampleStore

    monkeypatch.setattr("qtdigits.gui.current_reader.Reader", FixedReader)
    shipped = tmp_path / "shipped"
    saved_model(shipped / "model-a.h5", drawn_accuracy=0.9)
    saved_model(shipped / "model-b.h5", drawn_accuracy=0.8)
    library = ModelLibrary(data_dir, shipped=shipped)
    session = Session(store=SampleStore.open(data_dir), library=library, data_dir=data_dir)
    window = MainWindow(
        session=session,
        trainer=Trainer(session=session, process=EngineProcess(make_client=no_engine)),
        preferences=Preferences(data_dir),
        ask=Answers(),
    )
    # They go with the window: the collector may run in any thread, and must not be the one to destroy them.
    window.session.setParent(window)
    window.trainer.setParent(window)
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.became_ready):
        window.show()
    window.findChild(QTimer, "quietTimer").stop()
    yield window
    window.ask.reply = ClosingChoice.LATER  # a training that was queued may have begun meanwhile
    window.close()
    qapp.setStyleSheet("")  # it is the whole application's
