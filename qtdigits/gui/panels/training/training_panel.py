"""The training panel: choose a recipe, train, watch the curves, judge and use what came out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.drawing.samples import MY_HOLD_OUT
from qtdigits.core.recipe import Recipe
from qtdigits.core.run import events as ev
from qtdigits.core.run.history import History
from qtdigits.core.score.comparison import Comparison
from qtdigits.errors import QtDigitsError
from qtdigits.gui.engine.engine_controller import EngineController, EngineState
from qtdigits.gui.panels.training.recipe_form import RecipeForm
from qtdigits.gui.panels.training.recipe_page import RecipeChoice
from qtdigits.gui.panels.training.training_controls import (
    QueueStrip,
    SteeringControls,
    TrainingControls,
)
from qtdigits.gui.panels.training.training_messages import TrainingMessages
from qtdigits.gui.panels.training.training_pages import TrainingPages
from qtdigits.gui.panels.training.verdict_card import VerdictCard
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Champion, Session
from qtdigits.gui.texts import (
    data_text,
    finished_text,
    headline_text,
    progress_text,
)
from qtdigits.gui.training.followed_run import CANCELLING, STOPPING, FollowedRun
from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import ThinBar, button, elided_label, frame
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.training.jobs import TrainingJob

REFRESH_MS = 100
LEAST_STATUS_PX = 340
"""Where the buttons leave it less, they have a line of their own."""
FIRST_RECIPE = "quick"
"""What is chosen at first ends while somebody watches; `best`, the first by name, takes hours."""
REHEARSAL = "MNIST was not found: this is a rehearsal on synthetic ink."
ELSEWHERE = "Another window or terminal is training. This one waits in line until that has ended."


class TrainingPanel(QWidget):
    """`run_ended` carries the ending of a run."""

    run_ended = Signal(object)

    def __init__(
        self,
        *,
        session: Session,
        controller: EngineController,
        make_request: Callable[[Recipe], TrainingJob],
        preferences: Preferences | None = None,
        ask: Ask | None = None,
        queue: TrainingQueue | None = None,
    ) -> None:
        super().__init__()
        self._session = session
        self._controller = controller
        self._make_request = make_request
        self._queue = queue
        self._run = FollowedRun()
        self._idle_data = ""
        self._verdict = VerdictCard(session=session)
        self._make_widgets()
        box = self._controls.recipe_box
        self._choice = RecipeChoice(box=box, form=self._form, ask=ask or Ask(self))
        self._pages = TrainingPages(
            form=self._form,
            choice=self._choice,
            session=session,
            preferences=preferences,
            ask=ask or Ask(self),
        )
        self._lay_out()
        self._connect()
        self.choose_recipe(FIRST_RECIPE)

    @property
    def history(self) -> History:
        """What the curves show: the run that goes on, or the last one."""
        return self._run.history

    @property
    def has_curves(self) -> bool:
        return self._pages.has_curves

    @property
    def can_stop(self) -> bool:
        """A run goes on, nobody has ended it yet, and it has something to keep."""
        return self._run.can_stop

    def recipe(self) -> Recipe:
        """The recipe as it stands. Raises `InputError`."""
        return self._form.recipe()

    def choose_recipe(self, name: str) -> None:
        """Take up a named recipe, one that was opened before under that name, or one from a file."""
        self._choice.choose(name)

    def set_data_description(self, text: str) -> None:
        """What a run would be trained on, as far as it is known, such as "212 drawings + MNIST"."""
        self._idle_data = text
        if not self._run.is_running:
            self._controls.data_label.setText(text)

    def set_n_classes(self, n_classes: int) -> None:
        self._form.set_n_classes(n_classes)

    @Slot()
    def prepare_curves(self) -> None:
        """Make the curves now, rather than at the first training."""
        self._pages.prepare_curves()

    @Slot()
    def save_curves(self) -> None:
        """Ask for a file, and keep the curves there."""
        self._pages.save_curves("")

    @Slot()
    def start_training(self) -> None:
        """Train by the recipe as it stands, or put it into the line while something else goes on."""
        self._train_by(self._form.recipe)

    def _train_by(self, recipe: Callable[[], Recipe]) -> None:
        try:
            request = self._make_request(recipe())
        except QtDigitsError as error:
            self._messages.show_error(str(error), can_retry=False)
            return
        self.train(request)

    @Slot()
    def _on_retry(self) -> None:
        if self._run.to_go_on is not None:
            self.train(self._run.to_go_on)
        elif (failed := self._run.to_repeat) is not None:
            self._train_by(lambda: failed)
        else:
            self.start_training()

    def train(self, request: TrainingJob) -> None:
        """Train what is asked for, now or when it is its turn."""
        is_busy = self._controller.is_busy
        must_wait = is_busy or (self._queue is not None and self._queue.must_wait)
        if not must_wait and self._controller.train(request):
            self._messages.clear()
            self._begin()
        elif self._queue is not None:
            self._queue.add(request)
            if not is_busy:
                self._messages.show_notice(ELSEWHERE)
        else:
            self._messages.show_notice("The engine is at work on something else; train when it is done.")

    @Slot()
    def stop_training(self) -> None:
        """End the run and keep its best epoch."""
        if self._run.is_running and not self._run.asked:
            self._run.asked = STOPPING
            self._controller.stop()
            self._refresh()

    @Slot()
    def cancel_training(self) -> None:
        if self._run.can_cancel:
            self._run.asked = CANCELLING
            self._controller.cancel()
            self._refresh()

    @Slot()
    def pause_or_go_on(self) -> None:
        """Let the run wait, or go on with it."""
        if self._run.can_stop:
            if self._is_paused:
                self._controller.go_on()
            else:
                self._controller.pause()

    @Slot(object)
    def _on_event(self, event: ev.Event) -> None:
        match event:
            case ev.RunResumed():
                self._on_resumed(event)
            case ev.RunPaused() | ev.RunContinued():
                self._refresh()
            case ev.BatchEnded():
                self._on_batch(event)
            case ev.EpochEnded():
                self._run.epoch_ended(event)
                self._history_grew()
            case ev.Progress():
                self._run.batch = None
                self._status.setText(progress_text(event))
            case ev.Notice():
                self._messages.show_notice(event.message)
            case ev.RunStarted():
                self._on_started(event)
            case ev.RunFinished() | ev.RunCancelled() | ev.RunFailed() | ev.EngineLost():
                self._on_ended(event)
            case _:
                pass

    @Slot(object)
    def _on_queued_began(self, _request: TrainingJob) -> None:
        self._messages.begin_next()
        self._begin()

    def _begin(self) -> None:
        """From the click until the engine reports: no figures yet."""
        self._run.begin()
        self._forget_last()
        self._bar.setValue(0)
        is_ready = self._controller.state is EngineState.TRAINING
        self._status.setText("Preparing the data …" if is_ready else "Starting the training engine …")
        self._controls.adjust_button.setChecked(False)
        self._pages.mark_old()
        self._pages.show_curves()
        self._refresh_controls()

    def _forget_last(self) -> None:
        """What the last training was worth is kept with its run."""
        self._verdict.clear()
        self._pages.forget_result()

    def _on_started(self, event: ev.RunStarted) -> None:
        self._run.start(event)
        self._forget_last()
        self._controls.data_label.setText(data_text(event.data))
        self._bar.setRange(0, max(1, event.steps_per_epoch * event.epochs))
        self._bar.setValue(0)
        self._status.setText(f"epoch 1 of {event.epochs} · first batches")
        if event.is_rehearsal and not self._messages.notice:
            self._messages.show_notice(REHEARSAL)
        self._pages.begin(
            self._run.history,
            steps_per_epoch=event.steps_per_epoch,
            epochs=event.epochs,
            title=self._run.recipe_name,
        )
        self._refresh_controls()

    def _on_resumed(self, event: ev.RunResumed) -> None:
        """The curves go on where they ended."""
        self._run.resume(event)
        self._bar.setValue(event.step)
        self._status.setText(f"going on after epoch {event.epochs} · first batches")
        self._history_grew()

    def _on_batch(self, event: ev.BatchEnded) -> None:
        had_figures = self._run.has_figures
        self._run.batch_ended(event)
        if not had_figures:
            self._refresh_controls()
        self._history_grew()

    def _history_grew(self) -> None:
        self._pages.history_grew()
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _on_ended(self, event: ev.Terminal | ev.EngineLost) -> None:
        was_running = self._run.end(event, last=self._controller.last_request)
        self._refresh_timer.stop()
        self._bar.setValue(0)
        if self._idle_data:
            self._controls.data_label.setText(self._idle_data)
        self._pages.finish()
        self._show_ending(event, was_running=was_running)
        self._refresh_controls()
        if was_running:
            self.run_ended.emit(event)

    def _show_ending(self, event: ev.Terminal | ev.EngineLost, *, was_running: bool) -> None:
        match event:
            case ev.RunFinished():
                self._status.setText(finished_text(event))
                self._result.setText(headline_text(event.scores) or finished_text(event))
                self._show_result(event)
                self._controls.adjust_button.setChecked(False)
                self._pages.show_summary()
            case ev.RunCancelled(is_interrupted=True):
                self._status.setText("The training was interrupted. It can go on from the Runs tab")
            case ev.RunCancelled():
                self._status.setText("Cancelled: no model was kept. The run is in the trash of the Runs tab")
            case ev.RunFailed():
                self._status.setText("The training failed")
                self._messages.show_error(f"{event.message} {event.remedy}".strip(), can_retry=True)
            case ev.EngineLost() if was_running:
                self._status.setText("The training was interrupted")
                text = f"{event.message} The model in use is unchanged."
                self._messages.show_error(text, can_retry=True, goes_on=self._run.to_go_on is not None)
            case ev.EngineLost():
                self._messages.show_notice(f"{event.message} The next training starts a new one.")

    def _show_result(self, event: ev.RunFinished) -> None:
        """The card has the button that uses the new model; without a comparison there is no card, and the result has one."""
        champion = self._session.champion
        if event.comparison:
            found = Comparison.from_json(event.comparison)
            last = self._controller.last_request
            writer, beside = (last.writer, last.champion) if last else ("", "")
            self._verdict.show_comparison(found, model=event.model, writer=writer, beside=beside)
            if beside and (champion is None or beside != str(champion.path)):  # another one is in use by now
                champion = Champion(found.champion, Path(beside))
            if champion is not None and (hand := found.hold_out.n):
                champion = champion.with_score(MY_HOLD_OUT, correct=found.hold_out.before, n=hand)
        self._pages.take_result(event, champion=champion, offers_use=not event.comparison)

    @Slot()
    def _refresh(self) -> None:
        """Status and bar, some ten times a second at most: batches come faster than anybody reads."""
        if text := self._run.text(is_paused=self._is_paused, other_recipe=self._other_recipe):
            self._status.setText(text)
        if self._run.batch is not None:
            self._bar.setValue(self._run.batch.step)
        self._refresh_controls()

    @Slot()
    def _refresh_controls(self) -> None:
        run = self._run
        if run.is_running:
            self._steering.show_running(
                can_stop=run.can_stop, can_cancel=run.can_cancel, is_paused=self._is_paused
            )
            # Not before the first batch: a double click on Train is no second training.
            self._controls.show_running(
                can_queue=run.has_figures and self._queue is not None and self._form.is_valid
            )
        else:
            self._steering.hide()
            self._controls.show_idle(can_train=self._form.is_valid)
        has_result = self._pages.has_result and not run.is_running
        self._footer.setVisible(has_result and not self._pages.shows_summary)

    @Slot(object)
    def _on_engine_state(self, state: EngineState) -> None:
        if self._run.is_preparing and state is EngineState.TRAINING:
            self._status.setText("Preparing the data …")

    @Slot()
    def _on_form_changed(self) -> None:
        if self._run.is_running:
            self._refresh()
        else:
            self._refresh_controls()
            self._status.setText(self._idle_text())

    @property
    def _other_recipe(self) -> str:
        """The name of the recipe that is trained, where the settings above are those of another one."""
        name = self._run.recipe_name
        return name if name != self._controls.recipe_box.currentText() else ""

    @property
    def _is_paused(self) -> bool:
        return self._controller.state is EngineState.PAUSED

    def _idle_text(self) -> str:
        if not self._form.is_valid:
            return "This recipe cannot be used: see Adjust"
        adjusted = " · adjusted" if self._choice.is_adjusted else ""
        return f"{self._form.summary_text} · {self._form.recipe().optimizer}{adjusted}"

    @Slot(str)
    def _on_recipe_problem(self, text: str) -> None:
        self._messages.show_error(text, can_retry=False)

    @Slot(bool)
    def _on_adjust(self, is_open: bool) -> None:
        self._controls.adjust_button.setText("Done" if is_open else "Adjust…")
        if is_open:
            self._pages.show_form()
        else:
            self._pages.show_curves()

    @Slot()
    def _on_results(self) -> None:
        self._controls.adjust_button.setChecked(False)
        self._pages.show_summary()

    def _make_widgets(self) -> None:
        self._form = RecipeForm(apart=("epochs",))
        self._controls = TrainingControls(epochs_editor=self._form.editor("epochs"))
        self._bar = ThinBar(name="trainingProgress", title="Progress of the training")
        self._status = elided_label(role="muted", name="trainingStatus")
        self._steering = SteeringControls()
        self._messages = TrainingMessages()
        self._footer = frame("trainingFooter")
        self._result = elided_label(name="trainingResult")
        self._results_button = button("Results", "resultsButton", "Show the figures of the last training")
        self._refresh_timer = QTimer(self, singleShot=True, interval=REFRESH_MS)

    def _lay_out(self) -> None:
        footer_row = QHBoxLayout(self._footer)
        footer_row.setContentsMargins(0, 0, 0, 0)
        footer_row.addWidget(self._result, 1)
        footer_row.addWidget(self._results_button)
        self._footer.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        status_row = WrappingRow()
        status_row.add_stretching(self._status, least_px=LEAST_STATUS_PX)
        status_row.add(self._steering)
        box.addWidget(self._controls)
        box.addWidget(self._bar)
        box.addLayout(status_row)
        if self._queue is not None:
            box.addWidget(QueueStrip(queue=self._queue))
        box.addWidget(self._messages)
        box.addWidget(self._verdict)
        box.addWidget(self._pages, 1)
        box.addWidget(self._footer)

    def _connect(self) -> None:
        self._controller.event_received.connect(self._on_event)
        self._controller.state_changed.connect(self._on_engine_state)
        self._choice.chosen.connect(self._messages.clear)
        self._choice.problem_found.connect(self._on_recipe_problem)
        self._controls.train_button.clicked.connect(self.start_training)
        self._steering.stop_button.clicked.connect(self.stop_training)
        self._steering.pause_button.clicked.connect(self.pause_or_go_on)
        self._steering.cancel_button.clicked.connect(self.cancel_training)
        if self._queue is not None:
            self._queue.run_began.connect(self._on_queued_began)
        self._controls.adjust_button.toggled.connect(self._on_adjust)
        self._messages.retry_requested.connect(self._on_retry)
        self._form.changed.connect(self._on_form_changed)
        self._pages.page_changed.connect(self._refresh_controls)
        self._pages.problem_found.connect(self._on_recipe_problem)
        self._pages.notice_given.connect(self._messages.show_notice)
        self._results_button.clicked.connect(self._on_results)
        self._refresh_timer.timeout.connect(self._refresh)
