"""The owner of everything that is trained: the queue, the job at work, its history, and the state of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from qtdigits.core.recipe import Recipe
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run import events as ev
from qtdigits.core.run.history import History
from qtdigits.engine.protocol import ControlCommand, RunJob
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.gui.engine_process import Asked, Current, EngineProcess, EngineState, JobEnding, Outcome
from qtdigits.gui.session import Session
from qtdigits.store.locks import ProcessLock
from qtdigits.store.tables.runs import QueuedRun, RunRecord
from qtdigits.training.jobs import (
    Job,
    LabelReviewJob,
    ModelUpgradeJob,
    StudyJob,
    TrainingJob,
    WriterMatrixJob,
)
from qtdigits.training.runs import extended, interrupted_run, is_any_running, resumed

CLOSE_TIMEOUT_S = 2.5
"""Enough to write a checkpoint. A run that is killed loses no more than what came after its last one."""
NEXT_MS = 300
"""Between two trainings of the queue: a person who cancels one may want to do something else first."""
AGAIN_MS = 5_000
"""How often to look whether another window still trains, or processes the queue."""
ELSEWHERE = "Another window or terminal is training. This training is queued until that has ended."
NOTHING_TO_LEARN = "Draw some digits first: there is nothing to learn from yet."


class Trainer(QObject):
    """Every job that is begun ends with exactly one `job_ended`, whatever becomes of the engine, unless the window is closed.

    One job is at work at a time. From its beginning to its end a training holds `training.lock`: of several windows on a data
    folder one trains. The queue is kept in the store; one window processes it, which holds `queue.lock` until it is closed. A run
    leaves the queue when its first batch follows, so that one whose window is killed before stays in it.

    Studies come last: one is worked on while the queue is empty, and a training that is asked for has it interrupted and goes
    first. They are not queued in the store, as a study that is not worked on can be resumed at any time.

    While the engine has nothing else to do it upgrades the champion's file, if memory needs that. Nobody is told, and what
    is asked for meanwhile has it cancelled.
    """

    job_started = Signal(object)  # Current
    job_progressed = Signal(object)  # JobProgress, also of trainings while they prepare and score
    job_ended = Signal(object)  # JobEnding
    run_started = Signal(object)  # RunStarted
    run_resumed = Signal(object)  # RunResumed
    history_changed = Signal()
    queue_changed = Signal()
    state_changed = Signal(object)  # EngineState
    training_requested = Signal(object)  # TrainingJob that a person asked for; it begins now, or is queued
    notice_given = Signal(str)

    def __init__(self, *, session: Session, process: EngineProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._process = session, process
        process.setParent(self)
        self._lock = ProcessLock(session.data_dir / "training.lock")
        self._queue_lock = ProcessLock(session.data_dir / "queue.lock")
        self._state = EngineState.OFF
        self._current: Current | None = None
        self._upgrade: ModelUpgradeJob | None = None
        self._tried_upgrades: set[str] = set()
        self._studies: list[StudyJob] = []
        self._is_sent = self._is_stalled = self._is_held = self._is_closed = False
        self._entries: tuple[QueuedRun, ...] = ()
        self._n_queue_changes = 0
        self._history = History()
        self._batch: ev.BatchEnded | None = None
        self._last_ending: JobEnding | None = None
        self._next = QTimer(self, singleShot=True)
        self._next.timeout.connect(self.start_next)
        session.champion_changed.connect(self._upgrade_model)
        process.event_received.connect(self._on_event)
        process.ended.connect(self._on_engine_ended)

    # What is known.

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def process(self) -> EngineProcess:
        return self._process

    @property
    def current(self) -> Current | None:
        return self._current

    @property
    def history(self) -> History:
        """Of the current training, or the last one."""
        return self._history

    @property
    def batch(self) -> ev.BatchEnded | None:
        """The last batches of the current training; None while it does something else than train."""
        return self._batch

    @property
    def queue(self) -> tuple[QueuedRun, ...]:
        """The trainings that wait."""
        sent = self._current.id if self._current else ""
        return tuple(entry for entry in self._entries if entry.run_id != sent)

    @property
    def last_ending(self) -> JobEnding | None:
        """None once another job has begun."""
        return self._last_ending

    @property
    def is_busy(self) -> bool:
        return self._current is not None

    @property
    def is_training(self) -> bool:
        return self._current is not None and self._current.is_training

    @property
    def is_preparing(self) -> bool:
        current = self._current
        return self.is_training and current is not None and not (current.started or current.asked)

    @property
    def is_paused(self) -> bool:
        return self._state is EngineState.PAUSED

    @property
    def can_stop(self) -> bool:
        """Nobody has ended the job yet; a training can be ended between its first batch and its last."""
        if self._current is None or self._current.asked:
            return False
        return not self._current.is_training or self._batch is not None

    @property
    def can_pause(self) -> bool:
        return self.can_stop and (self.is_training or self.study is not None)

    @property
    def study(self) -> StudyJob | None:
        """The study that is worked on now."""
        return self._current.study if self._current is not None else None

    @property
    def waiting_studies(self) -> tuple[str, ...]:
        """The names of the studies that wait until nothing else is to be trained."""
        return tuple(job.name for job in self._studies)

    @property
    def can_cancel(self) -> bool:
        return self._current is not None and self._current.asked is not Asked.CANCEL

    @property
    def is_stalled(self) -> bool:
        """The engine was lost before the first of the queue had begun: `restart_queue` has to be called."""
        return self._is_stalled

    @property
    def is_processed_elsewhere(self) -> bool:
        """Another window processes the queue."""
        return self._queue_lock.is_taken()

    @property
    def must_wait(self) -> bool:
        """Another window or a terminal trains, or nothing is to begin here: whatever is asked for has to be queued."""
        data_dir, runs = self._session.data_dir, self._session.store.runs
        is_held = self._is_held or self._lock.is_taken()
        return is_held or self._tried(lambda: is_any_running(runs, data_dir))

    @property
    def has_something_to_learn(self) -> bool:
        """There are drawings by this writer that may be learned from."""
        return self._session.store.count(writer=self._session.writer, held_out=False, is_suspect=False) > 0

    @property
    def interrupted_run(self) -> RunRecord | None:
        """The newest run, if it was interrupted and nothing else is at work or waits. Raises `StoreError`."""
        if self.is_busy or self._entries:
            return None
        return interrupted_run(self._session.store, self._session.data_dir)

    @property
    def data_text(self) -> str:
        """What a training by anything but one hand would learn from, such as: 12 drawings + MNIST; 3 doubtful."""
        store = self._session.store
        n = store.count(held_out=False, is_suspect=False)
        doubtful = store.count(held_out=False, is_suspect=True)
        text = f"{n:,} drawing{'s' if n != 1 else ''} + MNIST" if n else "MNIST"
        return text + (f"; {doubtful:,} doubtful" if doubtful else "")

    # What can be asked for.

    def job_for(self, recipe: Recipe) -> TrainingJob:
        """A personal recipe begins with the model in use, which the new model is compared with in any case."""
        return TrainingJob.new(
            recipe,
            data_dir=self._session.data_dir,
            base=self._in_use if recipe.is_personal else "",
            writer=self._session.writer,
            champion=self._in_use,
            class_set=self._session.class_set,
        )

    @property
    def _in_use(self) -> str:
        return str(self._session.model_path or "")

    def train(self, recipe: Recipe) -> None:
        """Train now, or when it is its turn."""
        self._request(self.job_for(recipe))

    def learn_hand(self) -> None:
        if self.has_something_to_learn:
            self.train(load_recipe("my-hand"))
        else:
            self._session.notify(NOTHING_TO_LEARN)

    def learn_hand_unasked(self) -> bool:
        """Learn the writer's hand now; False, and nothing is done, while something else is at work here or elsewhere."""
        if self.study is not None:
            job = self.job_for(load_recipe("my-hand"))
            self._change_queue(partial(self._session.store.queue.add, job.id, job.to_json()))
            return True
        if self.is_busy or self.must_wait:
            return False
        return self._begin(self.job_for(load_recipe("my-hand")), by_itself=True)

    def resume_run(self, run: RunRecord) -> None:
        """Resume an unfinished run from its checkpoint."""
        self._continue(partial(resumed, self._session.data_dir, run))

    def extend_run(self, run: RunRecord, epochs: int) -> None:
        """Train a run that has ended for more epochs."""
        self._continue(partial(extended, self._session.data_dir, run, epochs))

    def retry(self) -> None:
        """Resume the training whose engine was lost, or begin the one that failed again."""
        ending = self._last_ending
        if ending is None or not isinstance(ending.job, TrainingJob):
            return
        if ending.can_resume:
            self._request(replace(ending.job, resumes=True))
        elif ending.can_retry:
            self.train(ending.job.recipe)

    def review_labels(self) -> bool:
        """Look through the labels of all drawings. False, and nothing is done, while something else is at work."""
        return self._begin(LabelReviewJob.new(data_dir=self._session.data_dir))

    def measure_writers(self, model: Path) -> bool:
        """Measure the writer matrix with models that begin as `model`. False, and nothing is done, while something is at work."""
        return self._begin(WriterMatrixJob.new(data_dir=self._session.data_dir, model=str(model)))

    def work_on_study(self, name: str, spec: Mapping[str, Any] | None = None) -> None:
        """Create a study by its `StudySpec.to_json()`, or resume it, as soon as nothing else is to be trained."""
        if name not in self.waiting_studies and (self.study is None or self.study.name != name):
            self._studies.append(StudyJob.new(name, dict(spec or {}), data_dir=self._session.data_dir))
        self.start_next()
        self.queue_changed.emit()

    def stop_study(self, name: str) -> None:
        """Interrupt the study, or do not begin it."""
        self._studies = [job for job in self._studies if job.name != name]
        if self.study is not None and self.study.name == name:
            self.stop()
        self.queue_changed.emit()

    @Slot()
    def stop(self) -> None:
        """End the training after this batch and keep its best weights; end another job and keep what there is."""
        if self._current is None or self._current.asked:
            return
        if not self._is_sent:
            self.cancel()
            return
        self._current = replace(self._current, asked=Asked.STOP)
        self._set_state(EngineState.STOPPING)
        self._process.send(ControlCommand.STOP)

    @Slot()
    def pause(self) -> None:
        """Let the training wait after this batch; the state is PAUSED when it does."""
        if self._state is EngineState.TRAINING or (self._state is EngineState.WORKING and self.study):
            self._process.send(ControlCommand.PAUSE)

    @Slot()
    def resume(self) -> None:
        if self._is_sent and self._state is not EngineState.STOPPING:
            self._process.send(ControlCommand.RESUME)

    @Slot()
    def cancel(self) -> None:
        """Discard the job. An engine that does not answer in time is killed; the job counts as cancelled all the same."""
        if self._current is None or not self.can_cancel:
            return
        if not self._is_sent:
            self._end("cancelled", self._state)
            return
        self._current = replace(self._current, asked=Asked.CANCEL)
        self._set_state(EngineState.STOPPING)
        self._process.send(ControlCommand.CANCEL)

    @Slot()
    def start_engine(self) -> None:
        """Start the engine unless there is one. Does not wait; `READY` follows some seconds later."""
        if not (self._process.is_started or self._is_closed):
            self._process.start()
            self._set_state(EngineState.STARTING)

    def hold(self, is_held: bool) -> None:
        """While held, nothing begins here that is queued or unasked, and another window may process the queue."""
        self._is_held = is_held
        if is_held:
            self._next.stop()
            self._queue_lock.release()
        else:
            self._schedule()

    @Slot()
    def close(self) -> None:
        """End the engine for good and join its thread. Blocks for as long as the engine takes, some seconds at most.

        A running training is interrupted, and its checkpoint written; one that the engine has not been sent yet is queued.
        """
        if self._current is not None and isinstance(self._current.job, TrainingJob) and not self._is_sent:
            self._change_queue(
                partial(self._session.store.queue.add, self._current.id, self._current.job.to_json())
            )
        self._is_closed = True
        self._next.stop()
        self._process.close(CLOSE_TIMEOUT_S)
        self._current = None
        self._queue_lock.release()
        self._lock.release()
        self._set_state(EngineState.OFF)

    # The queue.

    def move_in_queue(self, run_id: str, by: int) -> None:
        self._change_queue(partial(self._session.store.queue.move, run_id, by))

    def remove_from_queue(self, run_id: str) -> None:
        self._change_queue(partial(self._session.store.queue.remove, run_id))

    @Slot()
    def restart_queue(self) -> None:
        """Process the queue again after an engine was lost."""
        self._is_stalled = False
        self.queue_changed.emit()
        self._schedule()

    @Slot()
    def reload_queue(self) -> None:
        """Read the queue again: another window may have changed it."""
        if not self._is_closed:
            self._read_queue()
            self._schedule()

    @Slot()
    def start_next(self) -> None:
        """Begin the first training of the queue, if nothing is at work and nobody else processes the queue."""
        if not (self._is_free and self._read_queue() and (self._entries or self._studies)):
            return
        if self.must_wait or (self._entries and not self._tried(self._queue_lock.acquire)):
            self._next.start(AGAIN_MS)
            return
        if not self._entries:
            study = self._studies.pop(0)
            if not self._begin(study, by_itself=True):
                self._studies.insert(0, study)
                self._next.start(AGAIN_MS)
            return
        entry = self._entries[0]
        try:
            job = TrainingJob.from_json(entry.request)
        except QtDigitsError as error:
            self._session.report(error)
            self.remove_from_queue(entry.run_id)
            return
        if not self._begin(replace(job, resumes=job.resumes or entry.is_known), by_itself=True):
            self._next.start(AGAIN_MS)  # another window was quicker
        self.queue_changed.emit()

    @property
    def _is_free(self) -> bool:
        is_kept = self._is_closed or self._is_held or self._is_stalled or self._n_queue_changes > 0
        return not (is_kept or self.is_busy)

    def _schedule(self) -> None:
        """A study gives way to what is queued, and is resumed afterwards."""
        if self._entries and self.study is not None and self.can_stop and not self._is_held:
            self._studies.insert(0, self.study)
            self.stop()
        elif (self._entries or self._studies) and self._is_free:
            self._next.start(NEXT_MS)

    def _read_queue(self) -> bool:
        before = [entry.run_id for entry in self._entries]

        def read() -> bool:
            self._entries = tuple(self._session.store.queue.entries())
            return True

        is_read = self._tried(read)
        if before != [entry.run_id for entry in self._entries]:
            self.queue_changed.emit()
        return is_read

    def _change_queue(self, change: Callable[[], object]) -> None:
        """While a change waits for another process, nothing of the queue begins."""

        def end(error: object = None) -> None:
            self._n_queue_changes -= 1
            if isinstance(error, QtDigitsError):
                self._session.report(error)
            self.reload_queue()

        self._n_queue_changes += 1
        self._session.saving.do(change, end, failed=end)

    def _is_queued(self, run_id: str) -> bool:
        return any(entry.run_id == run_id for entry in self._entries)

    # From a request to the engine.

    def _continue(self, make_job: Callable[..., TrainingJob]) -> None:
        try:
            job = make_job(champion=self._in_use)
        except QtDigitsError as error:
            self._session.report(error)
        else:
            self._request(job)

    def _request(self, job: TrainingJob) -> None:
        is_busy = self.is_busy
        if is_busy or self.must_wait or not self._begin(job):
            self._change_queue(partial(self._session.store.queue.add, job.id, job.to_json()))
            if not is_busy:
                self.notice_given.emit(ELSEWHERE)
        self.training_requested.emit(job)

    def _begin(self, job: Job, *, by_itself: bool = False) -> bool:
        if self.is_busy or self._is_closed:
            return False
        if isinstance(job, TrainingJob | StudyJob) and not self._has_lock():
            return False
        if isinstance(job, TrainingJob):
            self._history, self._batch = History(), None
        self._current, self._is_sent = Current(job, by_itself), False
        self._last_ending = None
        self.job_started.emit(self._current)
        if self._state is EngineState.READY:
            self._send_pending()
        else:
            self.start_engine()
        return True

    def _send_pending(self) -> None:
        if self._current is None or self._is_sent:
            return
        if self._upgrade is not None:
            self._process.send(ControlCommand.CANCEL)
        else:
            self._is_sent = True
            self._set_state(EngineState.TRAINING if self._current.is_training else EngineState.WORKING)
            self._process.send(RunJob(self._current.job))

    @Slot()
    def _upgrade_model(self) -> None:
        """Have the champion's file upgraded, once for each file, if the engine has nothing else to do."""
        path = self._session.upgradable_model
        is_idle = self._state is EngineState.READY and self._is_free and not (self._entries or self._upgrade)
        if path is not None and is_idle and str(path) not in self._tried_upgrades:
            self._tried_upgrades.add(str(path))
            self._upgrade = ModelUpgradeJob.new(str(path), data_dir=self._session.data_dir)
            self._process.send(RunJob(self._upgrade))

    def _on_upgrade_ending(self, job: ModelUpgradeJob, event: ev.Ending) -> None:
        self._upgrade = None
        self._send_pending()
        match event:
            case ev.JobFinished():
                self._session.look_for_changes()
            case ev.JobCancelled():
                self._tried_upgrades.discard(job.model)
        self._upgrade_model()  # another model may be in use by now

    def _has_lock(self) -> bool:
        """Where no lock can be made the training itself says what is wrong with the folder."""
        try:
            return self._lock.acquire()
        except QtDigitsError:
            return True

    # From the engine.

    @Slot(object)
    def _on_event(self, event: ev.Event) -> None:
        match event:
            case ev.EngineReady():
                self._set_state(EngineState.READY)
                self._send_pending()
                self._upgrade_model()
            case ev.EngineLost():
                self._on_lost(event.message)
            case ev.Notice():
                self.notice_given.emit(event.message)
            case ev.JobFinished() | ev.JobCancelled() | ev.JobFailed() if self._upgrade is not None:
                self._on_upgrade_ending(self._upgrade, event)
            case _ if self._current is not None and self._is_sent:
                if isinstance(event, ev.Ending):
                    self._on_ending(event)
                else:
                    self._on_job_event(self._current, event)

    def _on_job_event(self, current: Current, event: ev.Event) -> None:
        match event:
            case ev.Progress():
                self._batch = None
                self.job_progressed.emit(
                    ev.JobProgress(current.id, current.kind, event.what, event.done, event.total)
                )
            case ev.JobProgress():
                self.job_progressed.emit(event)
            case ev.RunStarted():
                self._on_run_started(current, event)
            case ev.RunResumed():
                self._history.apply(event)
                self.run_resumed.emit(event)
                self.history_changed.emit()
            case ev.BatchEnded() | ev.EpochEnded():
                self._history.apply(event)
                self._batch = event if isinstance(event, ev.BatchEnded) else self._batch
                self.history_changed.emit()
            case ev.RunPaused() if self._state in (EngineState.TRAINING, EngineState.WORKING):
                self._set_state(EngineState.PAUSED)
            case ev.RunContinued() if self._state is EngineState.PAUSED:
                self._set_state(EngineState.TRAINING if current.is_training else EngineState.WORKING)

    def _on_ending(self, event: ev.Ending) -> None:
        match event:
            case ev.RunFinished():
                self._end("finished", EngineState.READY, result=event)
            case ev.JobFinished():
                self._end("finished", EngineState.READY, result=event.result)
            case ev.RunCancelled(is_interrupted=True):
                self._end("interrupted", EngineState.READY)
            case ev.RunCancelled() | ev.JobCancelled():
                self._end("cancelled", EngineState.READY)
            case ev.RunFailed():
                self._process.kill()  # what made it fail may last in its engine, such as a lack of memory
                self._end("failed", EngineState.STARTING, message=event.message, remedy=event.remedy)
            case ev.JobFailed():
                self._end("failed", EngineState.READY, message=event.message, remedy=event.remedy)

    def _on_run_started(self, current: Current, event: ev.RunStarted) -> None:
        self._history, self._batch = History(), None
        self._current = replace(current, started=event)
        if self._is_queued(current.id):
            self.remove_from_queue(current.id)
        self.run_started.emit(event)

    def _on_lost(self, message: str) -> None:
        self._upgrade = None
        if self._current is None:
            self._set_state(EngineState.LOST)
            self.notice_given.emit(f"{message} The next training starts a new one.")
            return
        # One that had begun is among the runs. One that had not would have the next engine lost, and the next.
        self._is_stalled = self._is_queued(self._current.id)
        self._end("lost", EngineState.LOST, message=message, remedy="Try again.")

    @Slot(bool)
    def _on_engine_ended(self, was_killed: bool) -> None:
        is_pending = self._current is not None and not self._is_sent
        self._upgrade = None
        if not was_killed:
            if self._state is not EngineState.LOST:
                self._on_lost("The training engine ended without saying why.")
            elif is_pending:
                self.start_engine()
        elif self._current is None or is_pending:
            self._set_state(EngineState.OFF)
            self.start_engine()
        else:
            self._end("cancelled", EngineState.OFF)
            self.start_engine()

    def _end(
        self,
        outcome: Outcome,
        state: EngineState,
        *,
        result: ev.RunFinished | Mapping[str, Any] | None = None,
        message: str = "",
        remedy: str = "",
    ) -> None:
        if self._current is None:
            return
        job, self._current, self._batch = self._current.job, None, None
        ending = self._last_ending = JobEnding(job, outcome, result, message, remedy)
        self._lock.release()
        self._set_state(state)
        if isinstance(job, TrainingJob):
            if self._is_queued(job.id) and not self._is_stalled:
                self.remove_from_queue(job.id)
            self._session.model_trained()
        elif message:
            self._session.report(EngineError(message, remedy))
        self.job_ended.emit(ending)
        self.queue_changed.emit()
        self.reload_queue()
        self._upgrade_model()

    # Helpers.

    def _tried(self, work: Callable[[], object]) -> bool:
        """Return whether `work` gave something true; report the error that it raised."""
        try:
            return bool(work())
        except QtDigitsError as error:
            self._session.report(error)
            return False

    def _set_state(self, state: EngineState) -> None:
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)
