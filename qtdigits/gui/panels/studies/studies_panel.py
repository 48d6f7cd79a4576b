"""The *Studies* tab: the studies of the data folder, the chosen one in charts, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import UNKNOWN
from qtdigits.core.run.events import JobProgress
from qtdigits.gui.engine_process import EngineState
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.panels.studies.new_study import NewStudyDialog
from qtdigits.gui.panels.studies.study_pages import StudyPages
from qtdigits.gui.panels.studies.study_watch import StudyWatch
from qtdigits.gui.panels.studies.trials_table import (
    accuracy_text,
    best_text,
    model_of_trial,
    state_text,
    time_left_text,
    trial_text,
)
from qtdigits.gui.plots.study_charts import ranked_on
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import (
    LEFT,
    RIGHT,
    ThinBar,
    button,
    choice_table,
    elided_label,
    label,
    table_cell,
)
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.training.jobs import StudyJob
from qtdigits.training.study_overview import StudyOverview, TrialOverview
from qtdigits.training.study_storage import ENDED

COLUMNS = ("Study", "Trials", "Best so far", "State")
MOST_ROWS = 4
"""More are scrolled to: the charts need the room."""
WHAT_IT_IS = (
    "A study trains one recipe many times with different settings, and shows which of them read best."
)
CHOSEN_TIP = "The best of many looks a little better than it is: it was chosen by these very drawings"
LEAST_STATUS_PX = 260


class StudiesPanel(RefreshingPanel):
    """Reads only while it is visible."""

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        import_export: ImportExport,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._trainer, self._import_export = session, trainer, import_export
        self._watch = StudyWatch(data_dir=session.data_dir, parent=self)
        self._names: list[str] = []
        self._name = ""
        self._number: int | None = None
        self._progress = ""
        self._new = button(
            "New study…", "newStudyButton", "Choose what to search, and start", is_primary=True
        )
        self._resume = button(
            "Resume", "resumeStudyButton", "Work on this study until all of its trials have ended"
        )
        self._pause = button(
            "Pause", "pauseStudyButton", "Pause after this batch; the processor is free meanwhile"
        )
        self._stop = button(
            "Stop", "stopStudyButton", "Stop; what was trained is kept, and the study can be resumed"
        )
        self._save = button(
            "Save a report…",
            "saveStudyReportButton",
            "Write this study into one page, with its charts and tables",
        )
        self._table = choice_table(COLUMNS, name="studiesTable", title="Studies", numbers=(1,))
        self._table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._hint = label(WHAT_IT_IS, role="muted", name="studiesHint", wraps=True)
        self._best = label(name="bestTrial", wraps=True)
        self._best.setToolTip(CHOSEN_TIP)
        self._bar = ThinBar(name="studyProgress", title="Progress of the study")
        self._status = elided_label(role="muted", name="studyStatus")
        self._pages = StudyPages()
        self._chosen = elided_label(name="chosenTrial")
        self._open = button(
            "Open run", "openTrialButton", "Show this trial among the runs, beside the model in use"
        )
        self._use = button(
            "Use this model", "useTrialButton", "Read with the model of this trial from now on"
        )
        self._lay_out()
        self._connect()
        self._show_chosen_study()

    @override
    def reload(self) -> None:
        self._watch.look()

    # The list.

    @Slot()
    def _list(self) -> None:
        """List the studies, the newest first, if there are others than before; the chosen one stays chosen."""
        names = list(dict.fromkeys([*self._asked, *self._watch.names]))
        if set(names) == set(self._names):
            return
        self._names = names
        if self._name not in names:
            self._name = names[0] if names else ""
            self._watch.prefer(self._name)
        with QSignalBlocker(self._table):
            self._table.setRowCount(len(names))
            for row, name in enumerate(names):
                self._table.setItem(row, 0, table_cell(name, tip=name))
                self._show_row(name)
            if self._name:
                self._table.selectRow(names.index(self._name))
        header, rows = self._table.horizontalHeader(), self._table.verticalHeader()
        height = min(len(names), MOST_ROWS) * rows.defaultSectionSize()
        self._table.setFixedHeight(height + header.sizeHint().height() + 4)
        self._show_chosen_study()

    def _show_row(self, name: str) -> None:
        if name not in self._names:
            return
        row = self._names.index(name)
        shown, problem = self._watch.study(name), self._watch.problem(name)
        texts = ("…", "", "starting" if name in self._asked else "")
        if problem:
            texts = (UNKNOWN, UNKNOWN, "cannot be read")
        elif shown is not None:
            study, best = shown.study, shown.study.best
            done = f"{study.count(*ENDED):,} of {study.n_trials:,}"
            texts = (done, accuracy_text(best) if best else UNKNOWN, self._state_of(study))
        for column, text in enumerate(texts, 1):
            side = RIGHT if column == 1 else LEFT
            self._table.setItem(row, column, table_cell(text, side, tip=problem))

    def _state_of(self, study: StudyOverview) -> str:
        current, trainer = self._trainer.study, self._trainer
        return state_text(
            study,
            is_here=current is not None and current.name == study.name,
            is_paused=trainer.is_paused,
            is_waiting=study.name in trainer.waiting_studies,
        )

    @Slot(str)
    def _on_study_read(self, name: str) -> None:
        self._show_row(name)
        if name == self._name:
            self._show_chosen_study()

    @Slot(str, object)
    def _on_importances(self, name: str, found: Mapping[str, tuple[float, float, float]]) -> None:
        if name == self._name:
            self._pages.show_importances(found)

    @property
    def _asked(self) -> tuple[str, ...]:
        """The studies that this window works on, or will; they may not be on disk yet."""
        current, waiting = self._trainer.study, self._trainer.waiting_studies
        return (current.name, *waiting) if current is not None else waiting

    @Slot()
    def _on_chosen(self) -> None:
        rows = self._table.selectionModel().selectedRows()
        if rows and self._names[rows[0].row()] != self._name:
            self._name, self._number = self._names[rows[0].row()], None
            self._watch.prefer(self._name)
            self._show_chosen_study()

    # The chosen study, and a trial of it.

    @property
    def _study(self) -> StudyOverview | None:
        shown = self._watch.study(self._name)
        return shown.study if shown else None

    @property
    def _trial(self) -> TrialOverview | None:
        """The chosen trial: the best until a person chooses another."""
        study = self._study
        return None if study is None else study.trial(self._number) or study.best

    def _show_chosen_study(self) -> None:
        study, has_any = self._study, bool(self._names)
        problem = self._watch.problem(self._name)
        self._hint.setText(problem or WHAT_IT_IS)
        self._hint.setVisible(bool(problem) or not has_any)
        self._table.setVisible(has_any)
        for part in (self._best, self._bar, self._status, self._pages, self._chosen, self._open, self._use):
            part.setVisible(study is not None)
        self._save.setVisible(study is not None and study.best is not None)
        self._pages.show_study(self._watch.study(self._name), self._trial)
        if study is not None:
            self._best.setText(best_text(study, ranked_on(study)))
            self._bar.setRange(0, max(1, study.n_trials))
            self._bar.setValue(study.count(*ENDED))
        self._show_state()
        self._show_trial()

    @Slot()
    def _show_state(self) -> None:
        """Say how it stands, and offer what can be done."""
        study, trainer = self._study, self._trainer
        starting = "waiting" if self._name in self._asked else ""
        state = self._state_of(study) if study else starting
        is_here = state in ("running", "paused")
        self._resume.setVisible(state in ("interrupted", "paused"))
        self._pause.setVisible(state == "running")
        self._pause.setEnabled(trainer.can_pause)
        self._stop.setVisible(is_here or state == "waiting")
        self._stop.setEnabled(not is_here or trainer.can_stop)
        if study is None:
            return
        if is_here and trainer.state is EngineState.STARTING:
            state = "starting"
        if is_here and not trainer.can_stop:
            state = "stopping"
        counts = [
            f"{study.count(what):,} {what}" for what in ENDED if study.count(what) or what == "complete"
        ]
        doing = self._progress if is_here else ""
        parts = [state, doing, ", ".join(counts) + f" of {study.n_trials:,}", time_left_text(study)]
        self._status.setText(" · ".join(part for part in parts if part))
        self._show_row(self._name)

    @Slot(int)
    def _on_trial_chosen(self, number: int) -> None:
        self._number = number
        self._pages.choose(self._trial)
        self._show_trial()

    def _show_trial(self) -> None:
        study, trial = self._study, self._trial
        self._chosen.setText(trial_text(study, trial) if study and trial else "")
        model = model_of_trial(trial) if trial else None
        is_used = model is not None and self._session.model_path == model
        self._open.setEnabled(bool(trial and trial.run))
        self._use.setText("In use" if is_used else "Use this model")
        self._use.setEnabled(model is not None and not is_used)

    # What is done.

    @Slot()
    def _on_new(self) -> None:
        dialog = NewStudyDialog(session=self._session, names=self._names, parent=self)
        dialog.study_wanted.connect(self._start)
        dialog.open()

    @Slot(str, object)
    def _start(self, name: str, spec: Mapping[str, Any]) -> None:
        self._name, self._number = name, None
        self._watch.prefer(name)
        self._trainer.work_on_study(name, spec)

    @Slot()
    def _on_resume(self) -> None:
        current = self._trainer.study
        if current is not None and current.name == self._name:
            self._trainer.resume()
        else:
            self._trainer.work_on_study(self._name)

    @Slot()
    def _on_save(self) -> None:
        self._import_export.save_study_report(self._name)

    @Slot()
    def _on_stop(self) -> None:
        self._trainer.stop_study(self._name)

    @Slot()
    def _on_open(self) -> None:
        if self._trial is not None:
            self._session.show_run(self._trial.run)

    @Slot()
    def _on_use(self) -> None:
        trial = self._trial
        model: Path | None = model_of_trial(trial) if trial else None
        if model is not None:
            self._session.use_model(model)

    @Slot(object)
    def _on_progress(self, progress: JobProgress) -> None:
        if progress.kind == StudyJob.kind:
            self._progress = progress.what
            self._show_state()

    @Slot()
    def _on_job(self) -> None:
        self._progress = ""
        self._list()
        self._show_state()
        if self.isVisible():
            self._watch.look()

    # Construction.

    def _lay_out(self) -> None:
        top = WrappingRow()
        top.add_stretching(label("Studies", role="heading"))
        top.add(self._save, self._stop, self._pause, self._resume, self._new)
        below = WrappingRow()
        below.add_stretching(self._chosen, least_px=LEAST_STATUS_PX)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._open)
        row.addWidget(self._use)
        below.add(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._hint)
        layout.addWidget(self._table)
        layout.addWidget(self._best)
        layout.addWidget(self._bar)
        layout.addWidget(self._status)
        layout.addWidget(self._pages, 1)
        layout.addLayout(below)
        layout.addStretch()

    def _connect(self) -> None:
        trainer, session = self._trainer, self._session
        self._watch.listed.connect(self._list)
        self._watch.study_read.connect(self._on_study_read)
        self._watch.importances_read.connect(self._on_importances)
        self._table.itemSelectionChanged.connect(self._on_chosen)
        self._pages.trial_chosen.connect(self._on_trial_chosen)
        self._new.clicked.connect(self._on_new)
        self._resume.clicked.connect(self._on_resume)
        self._pause.clicked.connect(trainer.pause)
        self._stop.clicked.connect(self._on_stop)
        self._save.clicked.connect(self._on_save)
        self._open.clicked.connect(self._on_open)
        self._use.clicked.connect(self._on_use)
        trainer.job_progressed.connect(self._on_progress)
        for signal in (trainer.job_started, trainer.job_ended, trainer.queue_changed):
            signal.connect(self._on_job)
        trainer.state_changed.connect(self._show_state)
        session.champion_changed.connect(self._show_trial)
        session.closing.connect(self._watch.shutdown)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._watch.start()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._watch.stop()
