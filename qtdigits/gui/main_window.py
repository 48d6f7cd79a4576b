"""The main window: it puts the pieces together, leads their signals to one another, and has the canvas judged.

Start-up order: the window is built and painted without model and curves; after the first paint the champion is read
(LiteRT is imported then); when nobody has drawn for a moment, the plots are loaded in a thread, then the curves are made and the
engine is started.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMainWindow,
    QMessageBox,
)
from typing_extensions import override

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.formatting import awaiting_review
from qtdigits.gui.actions import KEYS, commands_of, fill_menus
from qtdigits.gui.automatic import AutomaticLearning, AutomaticPromotion
from qtdigits.gui.background import Importing
from qtdigits.gui.bars import StatusBar, TopBar
from qtdigits.gui.closing import Closing, ClosingChoice
from qtdigits.gui.collaborators import Collaborators
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.panels.drawing.drawing_panel import DrawingPanel
from qtdigits.gui.panels.training.training_panel import TrainingPanel
from qtdigits.gui.panels.writers_dialog import WritersDialog
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.theme import choice_text, dress_application, theme_for
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.message_bar import MessageBar
from qtdigits.gui.widgets.parts import named
from qtdigits.gui.window_layout import card_of, empty_tabs, first_size, laid_out
from qtdigits.gui.window_pages import TABS, WindowPages
from qtdigits.training.jobs import TrainingJob
from qtdigits.version import __version__

QUIET_MS = 700
"""After so long without a stroke the heavy things are loaded."""


class MainWindow(QMainWindow):
    """See the module. `became_ready` says that the window is painted and a model reads."""

    became_ready = Signal()

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        preferences: Preferences,
        ask: Ask | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.trainer = trainer
        self.ask = ask or Ask(self)
        self.preferences = preferences
        self._is_painted = False
        self.setWindowTitle("QtDigits")

        self.top_bar = TopBar(session=session, preferences=preferences, ask=self.ask)
        self.guided = GuidedSession(session=session, preferences=preferences, parent=self)
        self.drawing = DrawingPanel(
            session=session, guided=self.guided, preferences=preferences, ask=self.ask
        )
        self.canvas = self.drawing.canvas
        self.tabs = empty_tabs()
        self._tab_card = card_of(self.tabs)
        self.messages = MessageBar(self._tab_card)
        self.import_export = ImportExport(session=session, ask=self.ask, parent=self)
        self.closing = Closing(trainer=trainer, ask=self.ask, parent=self)
        self._shared = Collaborators(
            session=session,
            trainer=trainer,
            guided=self.guided,
            import_export=self.import_export,
            messages=self.messages,
            preferences=preferences,
            data_dir=session.data_dir,
            ask=self.ask,
        )
        theme = theme_for(preferences.theme)
        self.training_panel = TrainingPanel(
            session=session, trainer=trainer, preferences=preferences, ask=self.ask
        )
        self.learning = AutomaticLearning(
            session=session, trainer=trainer, guided=self.guided, preferences=preferences, parent=self
        )
        self.promotion = AutomaticPromotion(
            session=session, trainer=trainer, guided=self.guided, preferences=preferences, parent=self
        )
        self.tabs.addTab(self.training_panel, TABS[0])
        self.pages = WindowPages(tabs=self.tabs, shared=self._shared, theme=theme, parent=self)
        self.status_bar = StatusBar(session=session)
        self._quiet = named(QTimer(self, interval=QUIET_MS, singleShot=True), "quietTimer")
        self._plots = Importing("qtdigits.gui.plots.training_curves", self)

        self.setMenuWidget(self.top_bar)
        self.setCentralWidget(laid_out(drawing=self.drawing, tabs=self._tab_card))
        self.setStatusBar(self.status_bar)
        self._actions = fill_menus(self.top_bar.menus, commands_of(self), window=self)
        self._connect()
        dress_application(theme)
        self.status_bar.show_engine(trainer.state)
        if not self.restoreGeometry(preferences.geometry):
            self.resize(first_size(self.screen().availableSize()))
        self.drawing.setFocus()

    def _connect(self) -> None:
        session = self.session
        self.canvas.stroke_started.connect(self._on_stroke_started)
        self.top_bar.chosen.connect(self.drawing.setFocus)
        self.top_bar.writers_wanted.connect(self._manage_writers)
        self.trainer.training_requested.connect(self._on_training_requested)
        self.trainer.suspects_found.connect(self._offer_doubtful)
        self.learning.learning_suggested.connect(self._offer_learning)
        self.promotion.notice_given.connect(self._on_promoted)
        self.promotion.verdict_ready.connect(self._offer_verdict)
        session.ink_changed.connect(self._on_ink_changed)
        session.trial_judged.connect(self.messages.dismiss_problem)
        session.selection_changed.connect(self.pages.show_selection)
        session.problem_met.connect(self.messages.show_problem)
        session.notice_given.connect(self.messages.show_notice)
        self.closing.is_over.connect(self._leave, Qt.ConnectionType.QueuedConnection)
        self.trainer.state_changed.connect(self.status_bar.show_engine)
        self.tabs.currentChanged.connect(self._on_tab_changed)
        self._quiet.timeout.connect(self._load_heavy_things)
        self._plots.finished.connect(self._on_plots_loaded)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_colours)

    # After the first paint.

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self, self._finish_start)

    def _finish_start(self) -> None:
        self.session.ensure_champion()
        self._quiet.start()
        self.became_ready.emit()

    def _load_heavy_things(self) -> None:
        """List of models, curves, engine: one a time and never while somebody draws, as each holds up the window a moment.

        The library of the plots is loaded in a thread.
        """
        if self.canvas.is_drawing:
            self._quiet.start()
        elif not self.top_bar.are_models_listed:
            self.top_bar.list_models()
            self._quiet.start()
        elif not self.training_panel.has_curves and not self._plots.isFinished():
            self._plots.start()
        elif not self.training_panel.has_curves:
            self.training_panel.prepare_curves()
            self._quiet.start()
        else:
            self.trainer.start_engine()
            self.trainer.reload_queue()

    @Slot()
    def _on_plots_loaded(self) -> None:
        if self.isVisible():
            self._quiet.start()

    @Slot()
    def _on_stroke_started(self) -> None:
        if self._quiet.isActive():
            self._quiet.start()

    @Slot(object)
    def _on_ink_changed(self, ink: Ink) -> None:
        self.messages.hold(not ink.is_blank)

    @Slot()
    def _manage_writers(self) -> None:
        WritersDialog(session=self.session, ask=self.ask, parent=self).open()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is typed goes to the label entry, wherever the focus is, unless it is typed into another field."""
        typed = event.text()
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        in_field = isinstance(self.focusWidget(), QLineEdit | QAbstractSpinBox | QComboBox)
        if not in_field and (is_enter or (typed and typed.isprintable())):
            self.drawing.entry.setFocus()
            QApplication.sendEvent(self.drawing.entry, event)
        else:
            super().keyPressEvent(event)

    @Slot()
    def start_training(self) -> None:
        """Train by the recipe in the training panel, and show that panel."""
        self._show_training()
        self.training_panel.start_training()

    @Slot(object)
    def _on_training_requested(self, job: TrainingJob) -> None:
        if job.recipe.is_personal:
            self.messages.withdraw(self.trainer.learn_hand)
        self._show_training()

    def _show_training(self) -> None:
        self.tabs.setCurrentWidget(self.training_panel)

    @Slot()
    def _offer_learning(self) -> None:
        text = "Some of your drawings were misread. The program can learn your hand from what you have drawn."
        self.messages.offer(text, "Learn my hand", self.trainer.learn_hand)

    @Slot(str)
    def _on_promoted(self, text: str) -> None:
        self.messages.show_notice(text, can_wait=True)

    @Slot(str)
    def _offer_verdict(self, text: str) -> None:
        """To a person who looks at something else than the training, which may have begun by itself."""
        if not self.training_panel.isVisible() and self.preferences.promotion != "never":
            self.messages.offer(text, "Look at it", self._show_training, can_wait=True)

    def _offer_doubtful(self, n: int) -> None:
        if not self.pages.shows_drawings:  # where it is said already
            self.messages.offer(
                awaiting_review(n), "Look at them", lambda: self.pages.show_drawings().show_doubtful()
            )

    def _on_tab_changed(self, _index: int) -> None:
        if self.tabs.currentWidget() is self.training_panel and self._is_painted:
            self.training_panel.prepare_curves()

    # Looks and help.

    def set_theme(self, choice: str) -> None:
        """Use `light`, `dark` or the `system`'s colours, and remember it."""
        self.preferences.theme = choice
        self._actions[choice_text(choice)].setChecked(True)
        self._apply_theme(theme_for(choice))

    def _on_system_colours(self, _scheme: object) -> None:
        self._apply_theme(theme_for(self.preferences.theme))

    def _apply_theme(self, theme: Theme) -> None:
        dress_application(theme)
        self.pages.set_theme(theme)

    def show_keys(self) -> None:
        QMessageBox.information(self, "Keys", KEYS)

    def show_about(self) -> None:
        about = "Draw a digit, see it read, put it right, watch the network learn."
        QMessageBox.about(
            self, "About QtDigits", f"QtDigits {__version__}\n\n{about}\n\n{self.session.data_dir}"
        )

    # The end.

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        choice = self.closing.ask_what_to_do()
        if choice is not ClosingChoice.LATER:
            event.ignore()
            if choice is not None:
                self._leave_when_over(choice)
            return
        self.preferences.geometry = self.saveGeometry()
        self._quiet.stop()
        self._plots.wait()
        self.trainer.close()
        self.session.close()
        super().closeEvent(event)

    def _leave_when_over(self, choice: ClosingChoice) -> None:
        """Out of sight until the training has ended."""
        QApplication.setQuitOnLastWindowClosed(False)
        self.hide()
        self.closing.wait(choice)

    def _leave(self) -> None:
        self.close()
        QApplication.quit()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            if self.top_bar.are_models_listed:  # not while the window starts
                self.trainer.reload_queue()
                self.session.look_for_changes()
            if self.focusWidget() is None:
                self.drawing.entry.setFocus()
