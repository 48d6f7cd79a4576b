"""The main window: it puts the pieces together and leads their signals to one another.

Start-up order: the window is built and painted without model and curves; after the first paint the champion is read
(LiteRT is imported then); when nobody has drawn for a moment, the curves are made and the engine is started.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFrame,
    QLineEdit,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from qtdigits import __version__
from qtdigits.core.ink import Ink
from qtdigits.core.metrics import Tally
from qtdigits.core.samples import Trial
from qtdigits.core.texts import waiting_for_eye
from qtdigits.errors import QtDigitsError
from qtdigits.gui.drawing.answer_panel import AnswerPanel
from qtdigits.gui.drawing.canvas_card import CanvasCard
from qtdigits.gui.drawing.guided_prompt import GuidedPrompt
from qtdigits.gui.drawing.guided_session import GuidedSession
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.gui.menus import Command, fill_menus
from qtdigits.gui.models.automatic_promotion import AutomaticPromotion
from qtdigits.gui.models.champion import Champion
from qtdigits.gui.models.kept_readings import readings_of
from qtdigits.gui.models.model_watch import ModelWatch
from qtdigits.gui.news import News
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.results.knowledge import Knowledge
from qtdigits.gui.samples.exchange import Exchange
from qtdigits.gui.samples.label_checks import LabelChecks
from qtdigits.gui.session import Reading, RunningAccuracy, Session
from qtdigits.gui.status_line import StatusLine
from qtdigits.gui.top_bar import TopBar
from qtdigits.gui.training.closing import Choice, Closing
from qtdigits.gui.training.self_training import SelfTraining
from qtdigits.gui.training.training_panel import TrainingPanel
from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.training.training_requests import TrainingRequests
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.message_bar import MessageBar
from qtdigits.gui.widgets.naming import named
from qtdigits.gui.widgets.overriding import override
from qtdigits.gui.widgets.theme import Theme, choice_text, palette_of, style_sheet_of, theme_for
from qtdigits.gui.window_pages import TABS, Collaborators, WindowPages

if TYPE_CHECKING:
    from qtdigits.core.recipes import Recipe
    from qtdigits.gui.recipes.recipe_costs import RecipeCosts
    from qtdigits.tasks.request import RetrainRequest

FIRST_SIZE = QSize(1360, 840)
FRAME = QSize(16, 48)
"""About what a window's title bar and borders take of the screen."""

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
        self._are_models_listed = False
        self._theme = theme_for(preferences.theme)
        self.setWindowTitle("QtDigits")

        self.requests = TrainingRequests(session=session, data_dir=data_dir)
        self._costs: RecipeCosts | None = None
        self.canvas_card = CanvasCard(theme=self._theme)
        self.canvas = self.canvas_card.canvas
        self.guided = GuidedSession(session=session, parent=self)
        self.canvas_card.show_above(GuidedPrompt(guided=self.guided))
        self.answer_panel = AnswerPanel(theme=self._theme)
        self.queue = TrainingQueue(
            table=session.store.queue,
            controller=controller,
            data_dir=data_dir,
            is_held_back=self._may_not_train,
            parent=self,
        )
        self.training_panel = TrainingPanel(
            controller=controller,
            make_request=self.requests.by,
            theme=self._theme,
            preferences=preferences,
            ask=self.ask,
            knowledge=Knowledge(partial(readings_of, data_dir), self._cost_text, self._judged_by),
            queue=self.queue,
        )
        self.messages = MessageBar()
        self.news = News(session=session, messages=self.messages, parent=self)
        self.exchange = Exchange(
            data_dir=data_dir, session=session, ask=self.ask, messages=self.messages, parent=self
        )
        self.closing = Closing(
            controller=controller,
            ask=self.ask,
            queue=self.queue,
            stop=self.training_panel.stop_training,
            can_stop=lambda: self.training_panel.can_stop,
            parent=self,
        )
        self.label_checks = LabelChecks(
            session=session, controller=controller, data_dir=data_dir, parent=self
        )
        self.self_training = SelfTraining(
            session=session,
            controller=controller,
            after=lambda: preferences.retrain_after,
            make_request=self.requests.learning_hand,
            is_held_back=lambda: self.guided.run is not None,
            must_wait=lambda: self.queue.must_wait,
            parent=self,
        )
        self.model_watch = ModelWatch(session=session, parent=self)
        self.automatic_promotion = AutomaticPromotion(
            session=session,
            guided=self.guided,
            is_wished=lambda: preferences.promotion == "automatic",
            parent=self,
        )
        self._quiet = QTimer(self, interval=QUIET_MS, singleShot=True)

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
        left = QWidget()
        left_layout = QVBoxLayout(left)
        left_layout.setContentsMargins(0, 0, 0, 0)
        left_layout.setSpacing(12)
        left_layout.addWidget(self.canvas_card, 1)
        left_layout.addWidget(self.answer_panel)

        self.tabs = named(QTabWidget(), "tabs")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.addTab(self.training_panel, TABS[0])
        self.pages = WindowPages(
            tabs=self.tabs,
            shared=Collaborators(
                session=self.session,
                controller=self.controller,
                guided=self.guided,
                label_checks=self.label_checks,
                exchange=self.exchange,
                preferences=self.preferences,
                data_dir=self._data_dir,
                ask=self.ask,
                champion=lambda: self.training_panel.champion,
            ),
            theme=self._theme,
            parent=self,
        )
        right = QFrame()
        right.setProperty("card", True)
        right_layout = QVBoxLayout(right)
        right_layout.setContentsMargins(1, 1, 1, 1)
        right_layout.addWidget(self.tabs)

        splitter = QSplitter()
        splitter.setHandleWidth(14)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setSizes([4 * FIRST_SIZE.width(), 7 * FIRST_SIZE.width()])
        splitter.setStretchFactor(0, 4)
        splitter.setStretchFactor(1, 7)
        splitter.setChildrenCollapsible(False)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(20, 8, 20, 4)
        layout.setSpacing(10)
        layout.addWidget(self.messages)
        layout.addWidget(splitter, 1)
        self.setCentralWidget(central)
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
        self.guided.ended.connect(self.self_training.look_again)
        self.self_training.worth_asking.connect(self._offer_learning)
        self.automatic_promotion.told.connect(self.news.tell)
        self.automatic_promotion.left_to_person.connect(self._offer_verdict)
        self.label_checks.waiting_grew.connect(self._offer_doubtful)
        session.samples_changed.connect(self._describe_training_data)
        session.writer_changed.connect(self._on_writer_changed)
        session.model_changed.connect(self._on_model_changed)
        session.problem_met.connect(self.messages.show_problem)
        session.notice_given.connect(self.messages.show_notice)
        self.top_bar.writer_chosen.connect(self._choose_writer)
        self.top_bar.writer_wanted.connect(self._add_writer)
        self.top_bar.writers_wanted.connect(self._manage_writers)
        self.top_bar.model_chosen.connect(self._use_model)
        session.library_changed.connect(self._show_models)
        self.closing.is_over.connect(self._leave, Qt.ConnectionType.QueuedConnection)
        self.queue.problem_met.connect(self.messages.show_problem)
        self.training_panel.use_requested.connect(self._use_model)
        self.training_panel.run_ended.connect(self._on_run_ended)
        self.training_panel.roll_back_requested.connect(session.roll_back)
        self.training_panel.drawings_requested.connect(self.pages.show_verdict_drawings)
        self.pages.guided_wanted.connect(self.toggle_guided)
        self.pages.learning_wanted.connect(self.learn_hand)
        self.pages.use_requested.connect(self._use_model)
        self.pages.training_requested.connect(self._train_request)
        self.pages.problem_met.connect(self.messages.show_problem)
        self.pages.notice_given.connect(self.messages.show_notice)
        self.controller.state_changed.connect(self._on_engine_state)
        self.tabs.currentChanged.connect(self._on_tab_changed)
        self._quiet.timeout.connect(self._load_heavy_things)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_colours)

    def _show_start(self) -> None:
        self.canvas.setFocusProxy(self.answer_panel.entry)
        self.answer_panel.set_classes(self.session.label_set.labels)
        if self.preferences.writer:
            self.session.set_writer(self.preferences.writer)
        self._on_writer_changed(self.session.writer)
        self._on_accuracy_changed(self.session.accuracy())
        self._on_engine_state(self.controller.state)
        self._describe_training_data()
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
        self.session.ensure_model()
        self._quiet.start()
        self.became_ready.emit()

    def _load_heavy_things(self) -> None:
        """List of models, curves, engine: one a time and never while somebody draws, as each holds up the window a moment."""
        if self.canvas.is_drawing:
            self._quiet.start()
        elif not self._are_models_listed:
            self._are_models_listed = True
            self._show_models()
            self._quiet.start()
        elif not self.training_panel.has_curves:
            self.training_panel.prepare_curves()
            self._quiet.start()
        else:
            self.controller.start()
            self.queue.reload()

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
        if not self._is_known(label):
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
            from qtdigits.core.guided import Goal

            self.guided.start(Goal(half_width=self.preferences.guided_half_width))
            self.answer_panel.entry.setFocus()
        else:
            self.guided.end()

    def _on_guided_changed(self) -> None:
        self.answer_panel.set_asked(self.guided.asked)

    def _is_known(self, label: str) -> bool:
        wanted = label.strip()
        return not wanted or wanted in self.session.label_set or wanted in self.session.store.classes()

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
        self.training_panel.show_judged(accuracy.tally)

    def _judged_by(self, model: str) -> Tally:
        try:
            return self.session.accuracy(model).tally
        except QtDigitsError as error:
            self.messages.show_problem(error)
            return Tally(0, 0)

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

    # Writers and models.

    def _choose_writer(self, name: str) -> None:
        self.session.set_writer(name)
        self.answer_panel.entry.setFocus()

    def _add_writer(self) -> None:
        name = self.ask.text("A new writer", "Who is going to draw?")
        if name:
            self.session.set_writer(name)
        self._on_writer_changed(self.session.writer)

    def _manage_writers(self) -> None:
        from qtdigits.gui.writers.writers_dialog import WritersDialog

        self._on_writer_changed(self.session.writer)
        WritersDialog(session=self.session, ask=self.ask, parent=self).open()

    def _on_writer_changed(self, name: str) -> None:
        self.preferences.writer = name
        self.top_bar.show_writers(self.session.store.writers(), name)

    def _use_model(self, path: str) -> None:
        self.session.use_model(Path(path))
        self.answer_panel.entry.setFocus()

    def _on_model_changed(self, name: str) -> None:
        self.status.show_model(name)
        self.answer_panel.set_classes(self.session.label_set.labels)
        if self._are_models_listed:
            self._show_models()
        elif self.session.model_path is not None:
            self.top_bar.show_models([(name, self.session.model_path)], self.session.model_path)

    def _show_models(self) -> None:
        entries = self.session.library.entries()
        readable = [(entry.name, entry.path) for entry in entries if not entry.error]
        self.top_bar.show_models(readable, self.session.model_path)
        entry = next((entry for entry in entries if entry.path == self.session.model_path), None)
        if entry is not None:
            self.training_panel.set_champion(Champion(entry.name, str(entry.path), entry.scores))

    # Training.

    def train(self) -> None:
        self.tabs.setCurrentWidget(self.training_panel)
        self.training_panel.start_training()

    def _train_request(self, request: RetrainRequest) -> None:
        self.tabs.setCurrentWidget(self.training_panel)
        self.training_panel.train(request)

    def _may_not_train(self) -> bool:
        """Some window or terminal trains, or this one is asked what becomes of its training. Raises `StoreError`."""
        from qtdigits.tasks.resuming import is_any_under_way

        if self.closing.is_asking or self.controller.is_locked_elsewhere:
            return True
        return is_any_under_way(self.session.store.runs, self._data_dir)

    def learn_hand(self) -> None:
        if not self.requests.has_something_to_learn:
            self.messages.show_notice("Draw some digits first: there is nothing to learn from yet.")
            return
        self.messages.withdraw(self.learn_hand)
        self.self_training.forget()
        self._train_request(self.requests.learning_hand())

    def _offer_learning(self) -> None:
        text = "Some of your drawings were misread. The program can learn your hand from what you have drawn."
        self.messages.offer(text, "Learn my hand", self.learn_hand)

    def _on_run_ended(self, event: object) -> None:
        self.session.model_trained()
        if self._costs is not None:
            self._costs.forget()
        self.automatic_promotion.run_ended(event)

    def _offer_verdict(self, text: str) -> None:
        """To whoever looks at something else than the training, which may have begun by itself."""
        is_in_sight = self.tabs.currentWidget() is self.training_panel
        if not is_in_sight and self.preferences.promotion != "never":
            self.news.offer(text, "Look at it", partial(self.tabs.setCurrentWidget, self.training_panel))

    def _offer_doubtful(self, n: int) -> None:
        if not self.pages.shows_drawings:  # where it is said already
            self.messages.offer(
                waiting_for_eye(n), "Look at them", lambda: self.pages.show_drawings().show_doubtful()
            )

    def _cost_text(self, recipe: Recipe) -> str:
        if self._costs is None:
            from qtdigits.gui.recipes.recipe_costs import RecipeCosts

            self._costs = RecipeCosts(session=self.session)
        return self._costs.text(recipe)

    def _describe_training_data(self) -> None:
        self.training_panel.set_data_description(self.requests.data_text())
        self.training_panel.set_n_classes(len(self.session.store.classes()))

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
        for part in (self.canvas, self.answer_panel, self.training_panel):
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
        if self.controller.errand is not None and not self._may_give_up_errand():
            event.ignore()
            return
        choice = self.closing.wanted()
        if choice is not Choice.LATER:
            event.ignore()
            if choice is not None:
                self._leave_when_over(choice)
            return
        self.preferences.geometry = self.saveGeometry()
        self._quiet.stop()
        self.closing.keep_unsent()
        self.self_training.stop()
        self.queue.stop()
        self.controller.shutdown()
        self.exchange.shutdown()
        self.pages.shutdown()
        self.session.close()
        super().closeEvent(event)

    def _may_give_up_errand(self) -> bool:
        """Looking through labels loses nothing when it is given up."""
        return self.label_checks.is_busy or self.ask.yes("The engine is at work", "Give it up and close?")

    def _leave_when_over(self, choice: Choice) -> None:
        """Out of sight until the training has ended; what waits in line is for the next time, or for another window."""
        self.queue.stop()
        self.self_training.stop()
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
            if self._are_models_listed:  # not while the window starts
                self.queue.reload()
            if self.focusWidget() is None:
                self.answer_panel.entry.setFocus()


def first_size(screen: QSize) -> QSize:
    """Of a window that nobody has given a size yet, where so much of the screen is free."""
    return FIRST_SIZE.boundedTo(screen - FRAME)


def _dress_application(theme: Theme) -> None:
    """Best when all widgets are there but not shown yet: while there is a style sheet, each step of a layout costs."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        app.setPalette(palette_of(theme))
        app.setStyleSheet(style_sheet_of(theme))
