"""The running training: how far it is, in words, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from qtdigits.core.formatting import duration
from qtdigits.core.run import events as ev
from qtdigits.gui.engine_process import Asked
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.parts import button

PAUSE_TIP = "Pause the training after this batch; the processor is free meanwhile (Ctrl+P)"
RESUME_PAUSED_TIP = "Resume the training (Ctrl+P)"
ASKED = {Asked.NOTHING: "", Asked.STOP: "stopping, the best is kept", Asked.CANCEL: "cancelling"}


class SteeringControls(QWidget):
    """Stop, pause and cancel the running training. Takes no room without one.

    `object_prefix` goes before the buttons' object names where a window has several of these.
    """

    def __init__(self, *, trainer: Trainer, object_prefix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainer = trainer
        names = [f"{object_prefix}{what}Button" for what in ("stop", "pause", "cancel")]
        self._stop = button("Stop, keep best", names[0], "End the training and keep the best epoch")
        self._pause = button("Pause", names[1], PAUSE_TIP)
        self._cancel = button("Cancel", names[2], "Cancel the training: no model is kept")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for one in (self._stop, self._pause, self._cancel):
            row.addWidget(one)
        self._stop.clicked.connect(trainer.stop)
        self._pause.clicked.connect(self.pause_or_resume)
        self._cancel.clicked.connect(trainer.cancel)
        self.hide()

    @Slot()
    def pause_or_resume(self) -> None:
        if self._trainer.is_paused:
            self._trainer.resume()
        elif self._trainer.can_pause:
            self._trainer.pause()

    @Slot()
    def refresh(self) -> None:
        """A training can be paused as soon as it can be stopped."""
        trainer = self._trainer
        self._stop.setEnabled(trainer.can_stop)
        self._pause.setText("Resume" if trainer.is_paused else "Pause")
        self._pause.setToolTip(RESUME_PAUSED_TIP if trainer.is_paused else PAUSE_TIP)
        self._pause.setEnabled(trainer.can_stop)
        self._cancel.setEnabled(trainer.can_cancel)
        self.setVisible(trainer.is_training)


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
