"""The main window: it makes the pieces, puts them together, and closes.

Start-up order: the window is built and painted without model, page and curves; after the first paint the champion is read
(LiteRT is imported then) and the *Learning* page made; when nobody has drawn for a moment, the plots are loaded in a thread, then
charts and curves are made and the engine is started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal, Slot
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
from typing_extensions import override

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.formatting import awaiting_review
from qtdigits.errors import QtDigitsError
from qtdigits.gui.actions import KEYS, commands_of, fill_menus
from qtdigits.gui.automatic import AutomaticLearning, AutomaticPromotion, SuspectWatch
from qtdigits.gui.background import Importing
from qtdigits.gui.bars import StatusBar, TopBar
from qtdigits.gui.closing import Closing, ClosingChoice
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.panels.drawing.answer import AnswerPanel
from qtdigits.gui.panels.drawing.drawing_panel import DrawingPanel
from qtdigits.gui.panels.training.training_panel import TrainingPanel
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.problem_report import ErrorLog, problem_report
from qtdigits.gui.results.live_curves import LiveCurves
from qtdigits.gui.sample_edits import SampleEdits
from qtdigits.gui.session import SampleSelection, Session
from qtdigits.gui.theme import choice_text, dress_application, theme_for
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.upkeep import Upkeep
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.message_bar import MessageBar
from qtdigits.gui.widgets.pages import LazyPage
from qtdigits.gui.widgets.parts import named
from qtdigits.paths import studies_dir
from qtdigits.store.files import write_file
from qtdigits.training.jobs import TrainingJob
from qtdigits.version import __version__

if TYPE_CHECKING:
    from qtdigits.gui.panels.learning.learning_panel import LearningPanel
    from qtdigits.gui.panels.runs.runs_panel import RunsPanel
    from qtdigits.gui.panels.samples.samples_panel import SamplesPanel

QUIET_MS = 700
"""After so long without a stroke the heavy things are loaded."""
TABS = ("Learning", "Training", "Drawings", "Models", "Runs", "Studies", "Writers", "Network")
FIRST_SIZE = QSize(1360, 840)
FRAME = QSize(16, 48)
"""About what a window's title bar and borders take of the screen."""
LEFT, RIGHT = 4, 7
"""Parts of the width for drawing and tabs, at first and when the window grows."""


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
        self.error_log: ErrorLog | None = None
        """What went wrong in this session; None where nobody keeps it."""
        self._is_painted = False
        self.setWindowTitle("QtDigits")

        self.top_bar = TopBar(session=session, preferences=preferences, ask=self.ask)
        self.guided = GuidedSession(session=session, preferences=preferences, parent=self)
        answer = AnswerPanel(session=session, guided=self.guided, preferences=preferences, ask=self.ask)
        self.drawing = DrawingPanel(session=session, guided=self.guided, answer=answer)
        self.canvas = self.drawing.canvas
        self.import_export = ImportExport(session=session, ask=self.ask, parent=self)
        self.edits = SampleEdits(session=session, parent=self)
        self.upkeep = Upkeep(session=session, parent=self)
        self.closing = Closing(session=session, trainer=trainer, ask=self.ask, parent=self)
        self.learning = AutomaticLearning(
            session=session, trainer=trainer, guided=self.guided, preferences=preferences, parent=self
        )
        self.promotion = AutomaticPromotion(
            session=session, trainer=trainer, guided=self.guided, preferences=preferences, parent=self
        )
        self.suspects = SuspectWatch(session=session, trainer=trainer, parent=self)
        self.curves = LiveCurves(session=session, trainer=trainer, preferences=preferences, ask=self.ask)
        self.training_panel = TrainingPanel(
            session=session, trainer=trainer, curves=self.curves, ask=self.ask
        )
        self._pages = self._lazy_pages()
        self.tabs = self._tabs_of_all()
        tab_card = _card_of(self.tabs)
        self.messages = MessageBar(tab_card)
        self.status_bar = StatusBar(session=session, trainer=trainer)
        self._quiet = named(QTimer(self, interval=QUIET_MS, singleShot=True), "quietTimer")
        self._plots = Importing("qtdigits.gui.plots.training_curves", self)
        self._optuna = Importing("optuna.storages.journal", self)

        self.setMenuWidget(self.top_bar)
        self.setCentralWidget(_laid_out(self.drawing, tab_card))
        self.setStatusBar(self.status_bar)
        self._actions = fill_menus(self.top_bar.menus, commands_of(self), window=self)
        self._enable_steering()
        self._name_undo()
        self._connect()
        dress_application(theme_for(preferences.theme))
        if not self.restoreGeometry(preferences.geometry):
            self.resize(first_size(self.screen().availableSize()))
        self.drawing.setFocus()

    @property
    def learning_panel(self) -> LearningPanel | None:
        """None before it is first looked at."""
        return cast("LearningPanel | None", self._pages["Learning"].content)

    def _tabs_of_all(self) -> QTabWidget:
        tabs = named(QTabWidget(), "tabs")
        tabs.setDocumentMode(True)
        tabs.tabBar().setDrawBase(False)
        tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for name in TABS:
            tabs.addTab(self._pages.get(name, self.training_panel), name)
        return tabs

    def _lazy_pages(self) -> dict[str, LazyPage]:
        """Each page imports what it needs when it is first shown."""
        session, trainer, preferences, ask = self.session, self.trainer, self.preferences, self.ask

        def learning() -> QWidget:
            from qtdigits.gui.panels.learning.learning_panel import LearningPanel

            return LearningPanel(session=session, trainer=trainer, guided=self.guided, curves=self.curves)

        def samples() -> QWidget:
            from qtdigits.gui.panels.samples.samples_panel import SamplesPanel

            return SamplesPanel(
                session=session,
                edits=self.edits,
                import_export=self.import_export,
                trainer=trainer,
                ask=ask,
            )

        def models() -> QWidget:
            from qtdigits.gui.panels.models import ModelsPanel

            return ModelsPanel(session=session, import_export=self.import_export)

        def runs() -> QWidget:
            from qtdigits.gui.panels.runs.runs_panel import RunsPanel

            return RunsPanel(session=session, trainer=trainer, preferences=preferences, ask=ask)

        def studies() -> QWidget:
            from qtdigits.gui.panels.studies.studies_panel import StudiesPanel

            return StudiesPanel(session=session, trainer=trainer, import_export=self.import_export)

        def writers() -> QWidget:
            from qtdigits.gui.panels.writers_panel import WritersPanel

            return WritersPanel(session=session, trainer=trainer, ask=ask)

        def network() -> QWidget:
            from qtdigits.gui.panels.network.network_panel import NetworkPanel

            return NetworkPanel(session=session)

        makers = (samples, models, runs, studies, writers, network)
        pages = {name: LazyPage(make) for name, make in zip(TABS[2:], makers, strict=True)}
        return {TABS[0]: LazyPage(learning, is_held=True), **pages}

    def _connect(self) -> None:
        session = self.session
        self.canvas.stroke_started.connect(self._on_stroke_started)
        self.top_bar.chosen.connect(self.drawing.setFocus)
        self.top_bar.writers_wanted.connect(self._manage_writers)
        self.top_bar.classes_wanted.connect(self.manage_classes)
        trainer = self.trainer
        trainer.training_requested.connect(self._on_training_requested)
        for signal in (trainer.job_started, trainer.job_progressed, trainer.job_ended):
            signal.connect(self._enable_steering)
        trainer.history_changed.connect(self._enable_steering)
        trainer.state_changed.connect(self._enable_steering)
        session.undo_changed.connect(self._name_undo)
        self.import_export.imported.connect(self._on_imported)
        self.edits.edited.connect(self._on_edited)
        self.suspects.suspects_found.connect(self._offer_doubtful)
        self.learning.learning_suggested.connect(self._offer_learning)
        self.promotion.notice_given.connect(self._on_promoted)
        self.promotion.verdict_ready.connect(self._offer_verdict)
        session.ink_changed.connect(self._on_ink_changed)
        session.trial_judged.connect(self.messages.dismiss_problem)
        session.selection_changed.connect(self._show_selection)
        session.run_wanted.connect(self._show_run)
        session.problem_met.connect(self.messages.show_problem)
        session.notice_given.connect(self.messages.show_notice)
        self.closing.is_over.connect(self._leave, Qt.ConnectionType.QueuedConnection)
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
        self._pages["Learning"].release()

    def _load_heavy_things(self) -> None:
        """List of models, curves, engine: one a time and never while somebody draws, as each holds up the window a moment.

        The library of the plots is loaded in a thread, and that of studies where there are any.
        """
        if self.canvas.is_drawing:
            self._quiet.start()
        elif not self.top_bar.are_models_listed:
            self.top_bar.list_models()
            self._quiet.start()
        elif not self.curves.are_made and not self._plots.isFinished():
            self._plots.start()
        elif not self._has_plots:
            self._make_part_of_plots()
            QTimer.singleShot(0, self, self._on_plots_loaded)
        else:
            self.trainer.start_engine()
            self.trainer.reload_queue()
            self.training_panel.offer_interrupted()
            if studies_dir(self.session.data_dir).is_dir():
                self._optuna.start()

    @Slot()
    def _on_plots_loaded(self) -> None:
        if not self.isVisible():
            return
        if self._has_plots:
            self._quiet.start()
        else:
            self._load_heavy_things()

    @property
    def _has_plots(self) -> bool:
        learning = self.learning_panel
        return self.curves.are_made and (learning is None or learning.has_charts)

    def _make_part_of_plots(self) -> None:
        """What is in sight first."""
        learning = self.learning_panel
        if learning is not None and not learning.has_charts:
            learning.prepare_charts()
        else:
            self.curves.make_part()

    @Slot()
    def _on_stroke_started(self) -> None:
        if self._quiet.isActive():
            self._quiet.start()

    @Slot(object)
    def _on_ink_changed(self, ink: Ink) -> None:
        self.messages.hold(not ink.is_blank)

    @Slot()
    def _enable_steering(self) -> None:
        trainer, actions = self.trainer, self._actions
        actions["Stop, keep the best"].setEnabled(trainer.can_stop)
        actions["Pause or resume"].setEnabled(trainer.can_pause)
        actions["Cancel"].setEnabled(trainer.can_cancel)

    @Slot()
    def _name_undo(self) -> None:
        """Say in the menu what would be undone or redone. An offer to undo is for what was done before."""
        self.messages.withdraw(self.session.undo)
        stack = self.session.undo_stack
        for text, action in (("Undo", stack.next_undone), ("Redo", stack.next_redone)):
            name = f" {action.name}".replace("&", "&&") if action else ""
            self._actions[text].setText(f"&{text}{name}")
            self._actions[text].setEnabled(action is not None)

    @Slot()
    def _manage_writers(self) -> None:
        from qtdigits.gui.panels.writers_dialog import WritersDialog

        WritersDialog(session=self.session, upkeep=self.upkeep, ask=self.ask, parent=self).open()

    @Slot()
    def manage_backups(self) -> None:
        from qtdigits.gui.panels.backups_dialog import BackupsDialog

        BackupsDialog(session=self.session, upkeep=self.upkeep, parent=self).open()

    @Slot()
    def manage_classes(self) -> None:
        from qtdigits.gui.panels.classes_dialog import ClassesDialog

        ClassesDialog(session=self.session, ask=self.ask, parent=self).open()

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
        """Show it, in one of the two tabs that do."""
        if job.recipe.is_personal:
            self.messages.withdraw(self.trainer.learn_hand)
        if self.tabs.currentIndex() not in (TABS.index("Learning"), TABS.index("Training")):
            self.tabs.setCurrentIndex(TABS.index("Learning" if job.recipe.is_personal else "Training"))
            self.drawing.setFocus()

    def _show_training(self) -> None:
        if self.tabs.currentWidget() is not self.training_panel:
            self.tabs.setCurrentWidget(self.training_panel)
            self.drawing.setFocus()

    @Slot()
    def _offer_learning(self) -> None:
        text = "Some of your drawings were misread. The program can learn your hand from what you have drawn."
        self.messages.offer(text, "Learn my hand", self.trainer.learn_hand)

    @Slot(str)
    def _on_promoted(self, text: str) -> None:
        self.messages.show_notice(text, can_wait=True)

    @Slot(str)
    def _offer_verdict(self, text: str) -> None:
        """To a person who looks at neither of the tabs that say it."""
        is_said = self.tabs.currentIndex() in (TABS.index("Learning"), TABS.index("Training"))
        if not is_said and self.preferences.promotion != "never":
            self.messages.offer(text, "Look at it", self._show_learning, can_wait=True)

    def _show_learning(self) -> None:
        self.tabs.setCurrentIndex(TABS.index("Learning"))
        self.drawing.setFocus()

    @Slot(str, object)
    def _on_imported(self, text: str, ids: tuple[int, ...]) -> None:
        self.edits.add_import(ids)
        self.messages.offer(text, "Undo", self.session.undo)

    @Slot(str)
    def _on_edited(self, text: str) -> None:
        if self.tabs.currentWidget() is not self._pages["Drawings"]:  # it tells that itself
            self.session.tell(text)

    @Slot(int)
    def _offer_doubtful(self, n: int) -> None:
        if self.tabs.currentWidget() is not self._pages["Drawings"]:  # it tells that itself
            self.messages.offer(awaiting_review(n), "Review them", self._show_doubtful)

    def _show_doubtful(self) -> None:
        self._shown_samples().show_doubtful()

    @Slot(object)
    def _show_selection(self, selection: SampleSelection) -> None:
        self._shown_samples().show_among(selection.title, selection.ids)

    @Slot(str)
    def _show_run(self, run: str) -> None:
        page = self._pages["Runs"]
        self.tabs.setCurrentWidget(page)
        cast("RunsPanel", page.content).show_run(run)

    def _shown_samples(self) -> SamplesPanel:
        """Turn to the tab of the drawings, which makes its panel the first time."""
        page = self._pages["Drawings"]
        self.tabs.setCurrentWidget(page)
        return cast("SamplesPanel", page.content)

    def _on_tab_changed(self, _index: int) -> None:
        if not self._is_painted:
            return
        QTimer.singleShot(0, self, self.session.tell_damaged)
        if self.tabs.currentWidget() is self.training_panel:
            self.curves.make()
        elif self.learning_panel is not None and self.learning_panel.isVisible():
            self.learning_panel.prepare_charts()

    # Looks and help.

    def set_theme(self, choice: str) -> None:
        """Use `light`, `dark` or the `system`'s colours, and remember it."""
        self.preferences.theme = choice
        self._actions[choice_text(choice)].setChecked(True)
        dress_application(theme_for(choice))

    @Slot()
    def _on_system_colours(self) -> None:
        dress_application(theme_for(self.preferences.theme))

    def show_keys(self) -> None:
        QMessageBox.information(self, "Keys", KEYS)

    def save_problem_report(self) -> None:
        path = self.ask.file_to_save("Save a problem report", "qtdigits-problem.txt", "Text (*.txt)")
        if path is None:
            return
        session = self.session
        text = problem_report(
            log=self.error_log, store=session.store, preferences=self.preferences, data_dir=session.data_dir
        )
        try:
            write_file(path, text.encode())
        except QtDigitsError as error:
            session.report(error)
        else:
            session.notify(
                f"The report is in {path}. It holds no drawings, names or labels, and nothing was sent."
            )

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
        if not self.closing.is_all_saved():
            event.ignore()
            return
        self.preferences.geometry = self.saveGeometry()
        self._quiet.stop()
        self.hide()  # what is still at work, such as an import, ends out of sight
        self._plots.wait()
        self._optuna.wait()
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


def first_size(screen: QSize) -> QSize:
    """Return the size of a window that was given none yet, where so much of the screen is free."""
    return FIRST_SIZE.boundedTo(screen - FRAME)


def _laid_out(drawing: QWidget, tabs: QWidget) -> QWidget:
    """What fills the window between its two bars."""
    splitter = QSplitter()
    splitter.setHandleWidth(14)
    for place, (side, part) in enumerate(((drawing, LEFT), (tabs, RIGHT))):
        splitter.addWidget(side)
        splitter.setStretchFactor(place, part)
    splitter.setSizes([LEFT * FIRST_SIZE.width(), RIGHT * FIRST_SIZE.width()])
    splitter.setChildrenCollapsible(False)
    central = QWidget()
    layout = QVBoxLayout(central)
    layout.setContentsMargins(20, 8, 20, 4)
    layout.addWidget(splitter)
    return central


def _card_of(content: QWidget) -> QFrame:
    card = QFrame()
    card.setProperty("card", True)
    layout = QVBoxLayout(card)
    layout.setContentsMargins(1, 1, 1, 1)
    layout.addWidget(content)
    return card
