"""The running training: how far it is, in words, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from qtdigits.core.formatting import duration
from qtdigits.core.run import events as ev
from qtdigits.gui.engine_process import Asked, Current, EngineState, JobEnding
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.parts import ThinBar, button, elided_label
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.training.jobs import TrainingJob

PAUSE_TIP = "Pause the training after this batch; the processor is free meanwhile (Ctrl+P)"
RESUME_PAUSED_TIP = "Resume the training (Ctrl+P)"
REFRESH_MS = 100
LEAST_STATUS_PX = 340
"""Where the buttons leave it less, they have a line of their own."""
ASKED = {Asked.NOTHING: "", Asked.STOP: "stopping, the best is kept", Asked.CANCEL: "cancelling"}


class RunProgress(QWidget):
    """How far the running training is, as a bar and in words, and the buttons that steer it. Follows the trainer.

    `refreshed` follows some ten times a second at most: batches come faster than anybody reads. `names_run`: the words begin
    with the recipe of the run. `object_prefix` goes before the object names where a window has several of these.
    """

    refreshed = Signal()

    def __init__(
        self,
        *,
        trainer: Trainer,
        object_prefix: str = "",
        names_run: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._trainer, self._names_run = trainer, names_run
        self._bar = ThinBar(name=f"{object_prefix}trainingProgress", title="Progress of the training")
        self._status = elided_label(role="muted", name=f"{object_prefix}trainingStatus")
        names = [f"{object_prefix}{what}Button" for what in ("stop", "pause", "cancel")]
        self._stop = button("Stop, keep best", names[0], "End the training and keep the best epoch")
        self._pause = button("Pause", names[1], PAUSE_TIP)
        self._cancel = button("Cancel", names[2], "Cancel the training: no model is kept")
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        row = WrappingRow()
        row.add_stretching(self._status, least_px=LEAST_STATUS_PX)
        self._buttons = QWidget()  # they wrap together
        beside = QHBoxLayout(self._buttons)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(8)
        for one in (self._stop, self._pause, self._cancel):
            beside.addWidget(one)
        row.add(self._buttons)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self._bar)
        box.addLayout(row)
        self._stop.clicked.connect(trainer.stop)
        self._pause.clicked.connect(self.pause_or_resume)
        self._cancel.clicked.connect(trainer.cancel)
        trainer.job_started.connect(self._on_job_started)
        trainer.job_progressed.connect(self._on_progress)
        trainer.job_ended.connect(self._on_job_ended)
        trainer.run_started.connect(self._on_run_started)
        trainer.run_resumed.connect(self._on_run_resumed)
        trainer.history_changed.connect(self._on_history_changed)
        trainer.state_changed.connect(self._on_state)
        self._timer.timeout.connect(self._refresh)
        self._refresh_buttons()

    def say(self, text: str) -> None:
        """Say something else than how far a training is."""
        self._status.setText(text)

    @Slot()
    def pause_or_resume(self) -> None:
        if self._trainer.is_paused:
            self._trainer.resume()
        elif self._trainer.can_pause:
            self._trainer.pause()

    def _refresh_buttons(self) -> None:
        """A training can be paused as soon as it can be stopped. Without one they take no room."""
        trainer = self._trainer
        self._stop.setEnabled(trainer.can_stop)
        self._pause.setText("Resume" if trainer.is_paused else "Pause")
        self._pause.setToolTip(RESUME_PAUSED_TIP if trainer.is_paused else PAUSE_TIP)
        self._pause.setEnabled(trainer.can_stop)
        self._cancel.setEnabled(trainer.can_cancel)
        self._buttons.setVisible(trainer.is_training)

    def _say_of_run(self, text: str) -> None:
        current = self._trainer.current
        job = current.job if current and self._names_run else None
        name = job.recipe.name if isinstance(job, TrainingJob) else ""
        self.say(f"{name} · {text}" if name else text)

    @Slot(object)
    def _on_job_started(self, current: Current) -> None:
        if current.is_training:
            self._bar.setValue(0)
            self._say_of_run("Starting the training engine …")
            self._refresh_buttons()

    @Slot(object)
    def _on_state(self, state: EngineState) -> None:
        if self._trainer.is_preparing and state is EngineState.TRAINING:
            self._say_of_run("Preparing the data …")
        elif self._trainer.is_training:
            self._refresh()

    @Slot(object)
    def _on_progress(self, progress: ev.JobProgress) -> None:
        if self._trainer.is_training:
            self._say_of_run(progress_text(progress))
            self._refresh_buttons()
            self.refreshed.emit()

    @Slot(object)
    def _on_run_started(self, event: ev.RunStarted) -> None:
        self._bar.setRange(0, max(1, event.steps_per_epoch * event.epochs))
        self._bar.setValue(0)
        self._say_of_run(f"epoch 1 of {event.epochs} · first batches")
        self._refresh_buttons()

    @Slot(object)
    def _on_run_resumed(self, event: ev.RunResumed) -> None:
        self._bar.setValue(event.step)
        self._say_of_run(f"resuming after epoch {event.epochs} · first batches")

    @Slot()
    def _on_history_changed(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if isinstance(ending.job, TrainingJob):
            self._timer.stop()
            self._bar.setValue(0)
            self._refresh_buttons()

    @Slot()
    def _refresh(self) -> None:
        if text := status_text(self._trainer):
            self._say_of_run(text)
        if (batch := self._trainer.batch) is not None:
            self._bar.setValue(batch.step)
        self._refresh_buttons()
        self.refreshed.emit()


def status_text(trainer: Trainer) -> str:
    """How far the current training is, in a line; "" while it has no figures."""
    current, batch, history = trainer.current, trainer.batch, trainer.history
    if current is None:
        return ""
    what = ASKED[current.asked] or ("paused" if trainer.is_paused else "")
    if current.started is None or batch is None:
        return f"{what} …" if current.asked else what
    figures = running_text(
        batch,
        epochs=current.started.epochs,
        best_epoch=history.best_epoch,
        waited=history.epochs_since_best,
        patience=int(current.started.recipe.get("patience") or 0),
    )
    return " · ".join(part for part in (what, figures) if part)


def running_text(
    batch: ev.BatchEnded, *, epochs: int, best_epoch: int, waited: int = 0, patience: int = 0
) -> str:
    """epoch 6 of 12 · 1:02 left · best 2 · patience 3 of 10 · 0:14 elapsed · 12,340 images/s: what is wanted most stands first.

    `waited`: epochs that have ended since the best one; the run ends when they are as many as the `patience` (0: never).
    """
    parts = [f"epoch {batch.epoch} of {epochs}", f"{duration(batch.remaining_s)} left"]
    if best_epoch:
        parts.append(f"best {best_epoch}")
    if patience and best_epoch:
        parts.append(f"patience {waited} of {patience}")
    parts.append(f"{duration(batch.elapsed_s)} elapsed")
    parts.append(f"{batch.images_per_s:,.0f} images/s")
    return " · ".join(parts)


def progress_text(event: ev.JobProgress) -> str:
    return f"{event.what} · {event.done:,} of {event.total:,}" if event.total else f"{event.what} …"
