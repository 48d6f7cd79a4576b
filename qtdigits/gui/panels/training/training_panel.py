"""The training panel: choose a recipe, train, watch the curves, judge and use what came out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.drawing.samples import MY_HOLD_OUT
from qtdigits.core.formatting import counted, duration, percent
from qtdigits.core.recipe import Recipe
from qtdigits.core.run import events as ev
from qtdigits.core.run.figures import data_text, ordered
from qtdigits.core.score.comparison import Comparison
from qtdigits.errors import QtDigitsError
from qtdigits.gui.champion import Champion
from qtdigits.gui.engine_process import Current, JobEnding
from qtdigits.gui.panels.training.recipe_form import RecipeForm
from qtdigits.gui.panels.training.recipe_page import RecipeChoice
from qtdigits.gui.panels.training.training_controls import (
    QueueStrip,
    TrainingControls,
    TrainingMessages,
)
from qtdigits.gui.panels.training.training_pages import TrainingPages
from qtdigits.gui.panels.training.verdict_card import VerdictCard
from qtdigits.gui.results.live_curves import LiveCurves
from qtdigits.gui.results.steering import RunProgress
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import button, elided_label, frame
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training.jobs import TrainingJob

FIRST_RECIPE = "quick"
"""What is chosen at first ends while somebody watches; `best`, the first by name, takes hours."""
REHEARSAL = "MNIST was not found: this is a rehearsal on synthetic ink."

OUTCOMES = {
    "completed": "Completed",
    "stopped": "Stopped, best kept",
    "converged": "Converged, best kept",
    "diverged": "Diverged, last good weights kept",
}


class TrainingPanel(QWidget):
    """Shows what the trainer does. It owns its widgets only: what is trained, and what becomes of it, is the trainer's."""

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        curves: LiveCurves,
        ask: Ask,
    ) -> None:
        super().__init__()
        self._session, self._trainer = session, trainer
        self._interrupted: RunRecord | None = None
        self._verdict = VerdictCard(session=session)
        self._make_widgets()
        self._choice = RecipeChoice(box=self._controls.recipe_box, form=self._form, ask=ask)
        self._pages = TrainingPages(
            form=self._form,
            choice=self._choice,
            session=session,
            curves=curves,
            ask=ask,
        )
        self._lay_out()
        self._connect()
        self.choose_recipe(FIRST_RECIPE)
        self._describe_data()

    def recipe(self) -> Recipe:
        """The recipe as it stands. Raises `InputError`."""
        return self._form.recipe()

    def choose_recipe(self, name: str) -> None:
        """Choose a named recipe, one that was opened before under that name, or one from a file."""
        self._choice.choose(name)

    @Slot()
    def start_training(self) -> None:
        """Train by the recipe as it stands, now or when it is its turn."""
        try:
            recipe = self._form.recipe()
        except QtDigitsError as error:
            self._messages.show_error(str(error), can_retry=False)
        else:
            self._trainer.train(recipe)

    @Slot()
    def pause_or_resume(self) -> None:
        self._progress.pause_or_resume()

    def offer_interrupted(self) -> None:
        """Offer to resume the run that the end of the program has interrupted, if there is one."""
        try:
            self._interrupted = self._trainer.interrupted_run
        except QtDigitsError as error:
            self._session.report(error)
            return
        if run := self._interrupted:
            n = run.figures.epochs
            after = f"after epoch {n}" if n else "in its first epoch"
            self._messages.offer_resuming(f"“{run.title}” was interrupted {after}.")

    @Slot()
    def _resume_interrupted(self) -> None:
        if self._interrupted is not None:
            self._messages.clear()
            self._trainer.resume_run(self._interrupted)

    @Slot()
    def _describe_data(self) -> None:
        """What a training would learn from, and how many classes it would tell apart."""
        if not self._trainer.is_training:
            self._controls.data_label.setText(self._trainer.data_text)
        self._form.set_n_classes(len(self._session.store.classes()))

    # What the trainer does.

    @Slot(object)
    def _on_job_started(self, current: Current) -> None:
        """Show that the training is being prepared: there are no figures yet."""
        if not current.is_training:
            return
        self._forget_last()
        if current.begun_by_itself:
            self._messages.begin_next()
        else:
            self._messages.clear()
            self._controls.adjust_button.setChecked(False)
            self._pages.show_curves()
        self._refresh_controls()

    def _forget_last(self) -> None:
        """What the last training was worth is kept with its run."""
        self._verdict.clear()
        self._pages.forget_result()

    @Slot(object)
    def _on_run_started(self, event: ev.RunStarted) -> None:
        self._controls.data_label.setText(data_text(event.data))
        if event.is_rehearsal and not self._messages.notice:
            self._messages.show_notice(REHEARSAL)
        self._refresh_controls()

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if isinstance(ending.job, TrainingJob):
            self._describe_data()
            self._show_ending(ending, ending.job)
        self._refresh_controls()

    def _show_ending(self, ending: JobEnding, job: TrainingJob) -> None:
        match ending.outcome:
            case "finished" if isinstance(ending.result, ev.RunFinished):
                event = ending.result
                self._progress.say(_finished_text(event))
                self._result.setText(_headline_text(event.scores) or _finished_text(event))
                self._show_result(event, job)
                self._controls.adjust_button.setChecked(False)
                self._pages.show_summary()
            case "interrupted":
                self._progress.say("The training was interrupted. Resume it from the Runs tab")
            case "cancelled":
                self._progress.say("Cancelled: no model was kept. The run is in the trash of the Runs tab")
            case "failed":
                self._progress.say("The training failed")
                self._messages.show_error(f"{ending.message} {ending.remedy}".strip(), can_retry=True)
            case "lost":
                self._progress.say("The training was interrupted")
                text = f"{ending.message} The model in use is unchanged."
                self._messages.show_error(text, can_retry=True, can_resume=ending.can_resume)

    def _show_result(self, event: ev.RunFinished, job: TrainingJob) -> None:
        """The card has the button that uses the new model; without a comparison there is no card, and the result has one."""
        champion = self._session.champion
        if event.comparison:
            found, beside = Comparison.from_json(event.comparison), job.champion
            self._verdict.show_comparison(found, model=event.model, writer=job.writer, beside=beside)
            if beside and (champion is None or beside != str(champion.path)):  # another one is in use by now
                champion = Champion(found.champion, Path(beside))
            if champion is not None and (hand := found.hold_out.n):
                champion = champion.with_score(MY_HOLD_OUT, correct=found.hold_out.before, n=hand)
        self._pages.take_result(event, champion=champion, offers_use=not event.comparison)

    # What is shown of it.

    @Slot()
    def _refresh_controls(self) -> None:
        trainer, is_training = self._trainer, self._trainer.is_training
        if is_training:
            # Not before the first batch: a double click on Train is no second training.
            has_figures = len(trainer.history.batches) > 0
            self._controls.show_running(can_queue=has_figures and self._form.is_valid)
        else:
            self._controls.show_idle(can_train=self._form.is_valid)
        has_result = self._pages.has_result and not is_training
        self._footer.setVisible(has_result and not self._pages.shows_summary)

    @Slot()
    def _on_form_changed(self) -> None:
        self._refresh_controls()
        if not self._trainer.is_training:
            self._progress.say(self._idle_text())

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
        self._progress = RunProgress(trainer=self._trainer, names_run=True)
        self._messages = TrainingMessages()
        self._footer = frame("trainingFooter")
        self._result = elided_label(name="trainingResult")
        self._results_button = button("Results", "resultsButton", "Show the figures of the last training")

    def _lay_out(self) -> None:
        footer_row = QHBoxLayout(self._footer)
        footer_row.setContentsMargins(0, 0, 0, 0)
        footer_row.addWidget(self._result, 1)
        footer_row.addWidget(self._results_button)
        self._footer.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        box.addWidget(self._controls)
        box.addWidget(self._progress)
        box.addWidget(QueueStrip(trainer=self._trainer))
        box.addWidget(self._messages)
        box.addWidget(self._verdict)
        box.addWidget(self._pages, 1)
        box.addWidget(self._footer)

    def _connect(self) -> None:
        trainer = self._trainer
        trainer.job_started.connect(self._on_job_started)
        trainer.job_ended.connect(self._on_job_ended)
        trainer.run_started.connect(self._on_run_started)
        self._progress.refreshed.connect(self._refresh_controls)
        trainer.notice_given.connect(self._messages.show_notice)
        self._session.samples_changed.connect(self._describe_data)
        self._choice.chosen.connect(self._messages.clear)
        self._choice.problem_found.connect(self._on_recipe_problem)
        self._controls.train_button.clicked.connect(self.start_training)
        self._messages.retry_button.clicked.connect(trainer.retry)
        self._messages.resume_button.clicked.connect(self._resume_interrupted)
        self._controls.adjust_button.toggled.connect(self._on_adjust)
        self._form.changed.connect(self._on_form_changed)
        self._pages.currentChanged.connect(self._refresh_controls)
        self._results_button.clicked.connect(self._on_results)


def _finished_text(event: ev.RunFinished) -> str:
    """Completed: 12 epochs, the best was 8; 1:16 in all."""
    outcome = OUTCOMES.get(event.outcome, event.outcome.capitalize())
    best = f", the best was {event.best_epoch}" if event.best_epoch and event.epochs > 1 else ""
    return f"{outcome}: {counted(event.epochs, 'epoch')}{best}; {duration(event.elapsed_s)} in all"


def _headline_text(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """my hold-out 97.1 % of 34 · MNIST test 99.1 % of 10,000."""
    shown = [name for name in ordered(scores) if scores[name].get("n")]
    return " · ".join(
        f"{name} {percent(scores[name]['accuracy'], 2)} of {scores[name]['n']:,}" for name in shown
    )
