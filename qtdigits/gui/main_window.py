"""The main window: it puts the pieces together, leads their signals to one another, and has the canvas judged.

Start-up order: the window is built and painted without model and curves; after the first paint the champion is read
(LiteRT is imported then); when nobody has drawn for a moment, the plots are loaded in a thread, then the curves are made and the
engine is started.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
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

from qtdigits import __version__
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.samples import Trial
from qtdigits.core.formatting import awaiting_review
from qtdigits.core.judging import Reading
from qtdigits.core.score.practice import Goal
from qtdigits.errors import QtDigitsError
from qtdigits.gui.background import Importing
from qtdigits.gui.collaborators import Collaborators
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.import_export import Exchange
from qtdigits.gui.menus import Command, fill_menus
from qtdigits.gui.news import News
from qtdigits.gui.panels.drawing.answer import AnswerPanel
from qtdigits.gui.panels.drawing.drawing_panel import CanvasCard, GuidedPrompt
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.samples.label_checks import LabelChecks
from qtdigits.gui.session import Champion, RunningAccuracy, Session
from qtdigits.gui.status_line import StatusLine
from qtdigits.gui.top_bar import TopBar
from qtdigits.gui.training.closing import Choice
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.message_bar import MessageBar
from qtdigits.gui.widgets.parts import named
from qtdigits.gui.widgets.theme import choice_text, palette_of, style_sheet_of, theme_for
from qtdigits.gui.window_choices import WindowChoices
from qtdigits.gui.window_layout import empty_tabs, first_size, laid_out
from qtdigits.gui.window_pages import TABS, WindowPages
from qtdigits.gui.window_training import WindowTraining

QUIET_MS = 700
"""After so long without a stroke the heavy things are loaded."""


class MainWindow(QMainWindow):
    """See the module. `became_ready` says that the window is painted and a model reads."""

    became_ready = Signal()

    def __init__(
        self,
        *,
        session: Session,
        controller: EngineController,
        preferences: Preferences,
        data_dir: Path,
        commands_of: Callable[[MainWindow], tuple[Command, ...]],
        ask: Ask | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.controller = controller
        self.ask = ask or Ask(self)
        self.preferences = preferences
        self._data_dir = data_dir
        self._is_painted = False
        self._theme = theme_for(preferences.theme)
        self.setWindowTitle("QtDigits")

        self.canvas_card = CanvasCard(theme=self._theme)
        self.canvas = self.canvas_card.canvas
        self.guided = GuidedSession(session=session, parent=self)
        self.canvas_card.show_above(GuidedPrompt(guided=self.guided))
        self.answer_panel = AnswerPanel(theme=self._theme)
        self.messages = MessageBar()
        self.news = News(session=session, messages=self.messages, parent=self)
        self.exchange = Exchange(
            data_dir=data_dir, session=session, ask=self.ask, messages=self.messages, parent=self
        )
        self.label_checks = LabelChecks(
            session=session, controller=controller, data_dir=data_dir, parent=self
        )
        self._shared = Collaborators(
            session=session,
            controller=controller,
            guided=self.guided,
            label_checks=self.label_checks,
            exchange=self.exchange,
            messages=self.messages,
            news=self.news,
            preferences=preferences,
            data_dir=data_dir,
            ask=self.ask,
        )
        self.training = WindowTraining(shared=self._shared, parent=self)
        self.training_panel = self.training.panel
        self._quiet = named(QTimer(self, interval=QUIET_MS, singleShot=True), "quietTimer")
        self._plots = Importing("qtdigits.gui.plots.training_curves", self)

        self._lay_out()
        self.answer_panel.key_alone_corrects = preferences.key_alone_corrects
        self._actions = fill_menus(self.top_bar.menus, commands_of(self), window=self)
        self._connect()
        _dress_application(self._theme)
        self._show_start()

    # Construction.

    def _lay_out(self) -> None:
        self.top_bar = TopBar()
        self.setMenuWidget(self.top_bar)
        self.choices = WindowChoices(top_bar=self.top_bar, shared=self._shared, parent=self)
        self.tabs = empty_tabs()
        self.tabs.addTab(self.training_panel, TABS[0])
        self.pages = WindowPages(
            tabs=self.tabs,
            shared=self._shared,
            theme=self._theme,
            parent=self,
        )
        self.setCentralWidget(
            laid_out(
                messages=self.messages,
                canvas=self.canvas_card,
                answer=self.answer_panel,
                tabs=self.tabs,
            )
        )
        self.status = StatusLine()
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        session, panel = self.session, self.answer_panel
        self.canvas.stroke_finished.connect(session.add_stroke)
        self.canvas.stroke_erased.connect(session.erase_stroke)
        self.canvas.stroke_started.connect(self._on_stroke_started)
        panel.judged.connect(self._judge)
        self.canvas_card.cleared.connect(self.clear)
        self.canvas_card.recognise_requested.connect(session.recognise)
        session.ink_changed.connect(self._on_ink_changed)
        session.reading_changed.connect(self._on_reading_changed)
        session.accuracy_changed.connect(self._on_accuracy_changed)
        session.trial_judged.connect(self._on_trial_judged)
        self.guided.changed.connect(self._on_guided_changed)
        self.label_checks.waiting_grew.connect(self._offer_doubtful)
        session.champion_changed.connect(self._on_champion_changed)
        session.selection_changed.connect(self.pages.show_selection)
        session.problem_met.connect(self.messages.show_problem)
        session.notice_given.connect(self.messages.show_notice)
        self.choices.chosen.connect(self.answer_panel.entry.setFocus)
        self.training.panel_wanted.connect(self._show_training)
        self.training.closing.is_over.connect(self._leave, Qt.ConnectionType.QueuedConnection)
        self.pages.guided_wanted.connect(self.toggle_guided)
        self.pages.learning_wanted.connect(self.training.learn_hand)
        self.pages.training_requested.connect(self.training.train)
        self.controller.state_changed.connect(self._on_engine_state)
        self.tabs.currentChanged.connect(self._on_tab_changed)
        self._quiet.timeout.connect(self._load_heavy_things)
        self._plots.finished.connect(self._on_plots_loaded)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_colours)

    def _show_start(self) -> None:
        self.canvas.setFocusProxy(self.answer_panel.entry)
        self.answer_panel.set_classes(self.session.label_set.labels)
        self._on_accuracy_changed(self.session.accuracy())
        self._on_engine_state(self.controller.state)
        if not self.restoreGeometry(self.preferences.geometry):
            self.resize(first_size(self.screen().availableSize()))
        self.answer_panel.entry.setFocus()

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
        elif not self.choices.are_models_listed:
            self.choices.list_models()
            self._quiet.start()
        elif not self.training_panel.has_curves and not self._plots.isFinished():
            self._plots.start()
        elif not self.training_panel.has_curves:
            self.training_panel.prepare_curves()
            self._quiet.start()
        else:
            self.controller.start()
            self.training.queue.reload()

    def _on_plots_loaded(self) -> None:
        if self.isVisible():
            self._quiet.start()

    # Drawing and judging.

    def _on_stroke_started(self) -> None:
        if self._quiet.isActive():
            self._quiet.start()
        self.answer_panel.entry.setFocus()

    def _on_ink_changed(self, ink: Ink) -> None:
        self.canvas.show_ink(ink)
        self.canvas_card.set_has_drawing(not ink.is_blank)

    def _on_reading_changed(self, reading: Reading | None) -> None:
        self.answer_panel.show_reading(reading, has_drawing=not self.session.ink.is_blank)

    def _judge(self, label: str) -> None:
        if self.session.ink.is_blank:
            return
        label = self.guided.label_for(label)
        if not self.session.is_known(label):
            question = (
                f"“{label.strip()}” is not a class yet. Add it as a new class and store this drawing in it?"
            )
            if not self.ask.yes("A new class", question):
                return
        if self.session.judge(label):
            self.answer_panel.drop_entry()
            self.messages.dismiss_problem()

    def toggle_guided(self) -> None:
        if self.guided.run is None:
            self.guided.start(Goal(half_width=self.preferences.guided_half_width))
            self.answer_panel.entry.setFocus()
        else:
            self.guided.end()

    def _on_guided_changed(self) -> None:
        self.answer_panel.set_asked(self.guided.asked)

    def clear(self) -> None:
        self.answer_panel.drop_entry()
        self.session.skip()
        self.answer_panel.entry.setFocus()

    def undo(self) -> None:
        self.answer_panel.drop_entry()
        self.session.undo()

    def _on_trial_judged(self, trial: Trial) -> None:
        text = (
            f"Stored as {trial.truth}." if trial.is_right else f"Stored: {trial.truth}, not {trial.answer}."
        )
        self.status.tell(text)

    def _on_accuracy_changed(self, accuracy: RunningAccuracy) -> None:
        self.status.show_accuracy(accuracy)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is typed goes to the label entry, wherever the focus is, unless it is typed into another field."""
        typed = event.text()
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        in_field = isinstance(self.focusWidget(), QLineEdit | QAbstractSpinBox | QComboBox)
        if not in_field and (is_enter or (typed and typed.isprintable())):
            self.answer_panel.entry.setFocus()
            QApplication.sendEvent(self.answer_panel.entry, event)
        else:
            super().keyPressEvent(event)

    # What is shown beside it.

    def _on_champion_changed(self, champion: Champion) -> None:
        self.status.show_model(champion.name)
        self.answer_panel.set_classes(self.session.label_set.labels)

    def _show_training(self) -> None:
        self.tabs.setCurrentWidget(self.training_panel)

    def _offer_doubtful(self, n: int) -> None:
        if not self.pages.shows_drawings:  # where it is said already
            self.messages.offer(
                awaiting_review(n), "Look at them", lambda: self.pages.show_drawings().show_doubtful()
            )

    def _on_engine_state(self, state: EngineState) -> None:
        self.status.show_engine(state)

    def _on_tab_changed(self, _index: int) -> None:
        if self.tabs.currentWidget() is self.training_panel and self._is_painted:
            self.training_panel.prepare_curves()

    # Looks and help.

    def set_key_alone(self, is_on: bool) -> None:
        self.preferences.key_alone_corrects = self.answer_panel.key_alone_corrects = is_on

    def set_theme(self, choice: str) -> None:
        """Use `light`, `dark` or the `system`'s colours, and remember it."""
        self.preferences.theme = choice
        self._actions[choice_text(choice)].setChecked(True)
        self._apply_theme(theme_for(choice))

    def _on_system_colours(self, _scheme: object) -> None:
        self._apply_theme(theme_for(self.preferences.theme))

    def _apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        _dress_application(theme)
        for part in (self.canvas, self.answer_panel):
            part.set_theme(theme)
        self.pages.set_theme(theme)

    def show_about(self) -> None:
        text = f"QtDigits {__version__}\n\nDraw a digit, see it read, put it right, watch the network learn.\n\n{self._data_dir}"
        QMessageBox.about(self, "About QtDigits", text)

    def show_problem(self, error: QtDigitsError, *, lasting: bool = False) -> None:
        self.messages.show_problem(error, lasting=lasting)

    # The end.

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        if self.controller.other_job is not None and not self._may_give_up_errand():
            event.ignore()
            return
        choice = self.training.closing.wanted()
        if choice is not Choice.LATER:
            event.ignore()
            if choice is not None:
                self._leave_when_over(choice)
            return
        self.preferences.geometry = self.saveGeometry()
        self._quiet.stop()
        self._plots.wait()
        self.training.closing.keep_unsent()
        self.training.begin_nothing()
        self.controller.shutdown()
        self.exchange.shutdown()
        self.session.close()
        super().closeEvent(event)

    def _may_give_up_errand(self) -> bool:
        """Looking through labels loses nothing when it is given up."""
        return self.label_checks.is_busy or self.ask.yes("The engine is at work", "Give it up and close?")

    def _leave_when_over(self, choice: Choice) -> None:
        """Out of sight until the training has ended."""
        self.training.begin_nothing()
        QApplication.setQuitOnLastWindowClosed(False)
        self.hide()
        self.training.closing.wait(choice)

    def _leave(self) -> None:
        self.close()
        QApplication.quit()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            if self.choices.are_models_listed:  # not while the window starts
                self.training.queue.reload()
                self.session.look_for_changes()
            if self.focusWidget() is None:
                self.answer_panel.entry.setFocus()


def _dress_application(theme: Theme) -> None:
    """Best when all widgets are there but not shown yet: while there is a style sheet, each step of a layout costs."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        app.setPalette(palette_of(theme))
        app.setStyleSheet(style_sheet_of(theme))
