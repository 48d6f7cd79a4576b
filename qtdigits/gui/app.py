"""The program's window: `create` builds it without entering the event loop, `main` runs it."""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
from collections.abc import Sequence
from functools import partial
from time import monotonic
from types import TracebackType

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from qtdigits import paths
from qtdigits.engine.client import EngineClient
from qtdigits.errors import QtDigitsError
from qtdigits.gui.background import GarbageCollector
from qtdigits.gui.engine_process import EngineProcess
from qtdigits.gui.main_window import MainWindow
from qtdigits.gui.preferences import THEMES, Preferences
from qtdigits.gui.problem_report import keep_errors
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.store.library import ModelLibrary
from qtdigits.store.rescue import open_or_rescue
from qtdigits.version import __version__

log = logging.getLogger(__name__)

SILENCE_S = 10.0
"""An error that comes back within this time is not said again."""


def create(argv: Sequence[str]) -> tuple[QApplication, MainWindow]:
    """Build application and window. `argv` is the command line without the program's name.

    A store that cannot be opened does not keep the window shut: the window says what is wrong, and new drawings go to a folder
    that it names, from which they are imported when the store is back. Models and settings are those of the data folder all
    the same.
    """
    options, qt_arguments = _parse(argv)
    app = _application(qt_arguments)
    data_dir = paths.user_data_dir(options.data_dir)
    library = ModelLibrary(data_dir)
    opened = open_or_rescue(data_dir, rescue_folders=paths.rescue_dirs(data_dir))
    preferences = Preferences(data_dir)
    if options.theme:
        preferences.theme = options.theme
    session = Session(store=opened.store, library=library, data_dir=opened.folder)
    process = EngineProcess(make_client=partial(EngineClient, data_dir=opened.folder))
    trainer = Trainer(session=session, process=process)
    window = MainWindow(
        session=session,
        trainer=trainer,
        preferences=preferences,
    )
    if opened.problem is not None:
        window.messages.show_problem(opened.problem, lasting=True)
    elif opened.notice:
        window.messages.show_notice(opened.notice)
    return app, window


def main(argv: Sequence[str] | None = None) -> int:
    """Show the window and stay until it is closed. Gives the exit code."""
    app, window = create(sys.argv[1:] if argv is None else argv)
    window.error_log = keep_errors(window.session.data_dir)
    sys.excepthook = ExceptionHook(window)
    GarbageCollector(app)
    window.show()
    return app.exec()


def _parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="qtdigits", add_help=False)
    parser.add_argument("--data-dir")
    parser.add_argument("--theme", choices=THEMES)
    return parser.parse_known_args(list(argv))


def _application(qt_arguments: list[str]) -> QApplication:
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    # As an argument, before the person's own: `setStyle` hands out the style, for which PySide makes 600 enumerators first.
    app = QApplication(["qtdigits", "-style", "Fusion", *qt_arguments])
    # Without this, Qt drops all but the newest of the mouse moves that wait: fast strokes would get corners. Only now, as X11's
    # part of Qt switches it on while the application is made.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)
    app.setApplicationName("QtDigits")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("qtdigits")
    app.setWindowIcon(QIcon(str(paths.resources_dir() / "qtdigits.png")))
    return app


class ExceptionHook:
    """A `sys.excepthook` that shows what nobody caught in the window, which stays.

    An error with words for the person is shown in them; anything else is also logged, with its trace. What happens again and
    again in one place, as in something that is painted, is said once.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._met_at: dict[tuple[object, ...], float] = {}

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
            return
        if not self._is_news(kind, trace):
            return
        if isinstance(error, QtDigitsError):
            log.info("shown to the person", exc_info=(kind, error, trace))
            self._window.session.report(error)
            return
        log.error("unexpected", exc_info=(kind, error, trace))
        self._window.session.report(
            QtDigitsError(
                f"Something unexpected happened: {kind.__name__}: {error}.",
                "Nothing that was judged is lost. If it happens again: Help → Save a problem report.",
            )
        )

    def _is_news(self, kind: type[BaseException], trace: TracebackType | None) -> bool:
        """Whether this kind of error has not been met in this place for a while."""
        innermost = traceback.extract_tb(trace)[-1:]
        place, now = (kind, *((at.filename, at.lineno) for at in innermost)), monotonic()
        before, self._met_at[place] = self._met_at.get(place), now
        return before is None or now - before > SILENCE_S
