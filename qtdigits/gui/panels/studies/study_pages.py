"""The charts of a study and the table of its trials, one page each; a trial chosen in one is chosen in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from qtdigits.gui.panels.studies.trials_table import NOT_YET, TrialsTable, trial_text
from qtdigits.gui.plots.study_charts import (
    Picture,
    StudyChart,
    curves_picture,
    front_picture,
    history_picture,
    importances_picture,
    parallel_picture,
    slice_picture,
)
from qtdigits.gui.widgets.pages import LazyPage
from qtdigits.gui.widgets.parts import ChoiceBox, label
from qtdigits.training.study_overview import LEAST_FOR_IMPORTANCES, StudyOverview, TrialOverview
from qtdigits.training.study_storage import ENDED

HISTORY, SLICES, PARALLEL, IMPORTANCES, CURVES, FRONT = (
    *("History", "One field", "All fields", "Importance", "Curves", "Trade-off"),
)
CHARTS = {
    HISTORY: ("accuracy of each trial, by its number", NOT_YET),
    SLICES: ("accuracy by the value of one field", NOT_YET),
    PARALLEL: ("each trial's values and accuracy", NOT_YET),
    IMPORTANCES: (
        "what matters to be among the best tenth (PED-ANOVA)",
        f"Importances need {LEAST_FOR_IMPORTANCES} complete trials.",
    ),
    CURVES: ("accuracy after each epoch", "No trial has reported an epoch yet."),
    FRONT: ("accuracy by the second objective", NOT_YET),
}
"""Of each chart the caption, and what is said where there is nothing to show. Bars and bands are 95 % intervals."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A study and the pictures of it; made in the background. `slices` by the name of the field."""

    study: StudyOverview
    pictures: Mapping[str, Picture | None] = field(default_factory=dict)
    slices: Mapping[str, Picture | None] = field(default_factory=dict)

    @classmethod
    def of(cls, study: StudyOverview, before: Shown | None = None) -> Shown:
        """Return the study with its pictures. `before`: as it was seen last; while no trial ends only the curves are new."""
        if before is not None and before.study.count(*ENDED) == study.count(*ENDED):
            return cls(study, {**before.pictures, CURVES: curves_picture(study)}, before.slices)
        pictures = {
            HISTORY: history_picture(study),
            PARALLEL: parallel_picture(study),
            CURVES: curves_picture(study),
            FRONT: front_picture(study),
        }
        return cls(study, pictures, {name: slice_picture(study, name) for name in study.spec.titles})


class StudyPages(QTabWidget):
    """`trial_chosen` carries the number of the trial that a person has chosen."""

    trial_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("studyTabs")
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._shown: Shown | None = None
        self._chosen: TrialOverview | None = None
        self._importances: Picture | None = None
        self._fields = ChoiceBox(name="sliceFieldBox")
        self._fields.setAccessibleName("Field")
        self._charts: dict[str, StudyChart] = {}
        self._trials = TrialsTable()
        for name in CHARTS:
            self.addTab(LazyPage(partial(self._page, name)), name)
        self.addTab(self._trials, "Trials")
        self._trials.trial_chosen.connect(self.trial_chosen)
        self._fields.activated.connect(self._show_slice)

    def show_study(self, shown: Shown | None, chosen: TrialOverview | None) -> None:
        """Show a study, or nothing yet."""
        before = self._shown
        self._shown, self._chosen = shown, chosen
        search = shown.study.spec.search if shown else ()
        if before is None or shown is None or before.study.name != shown.study.name:
            self._importances = None
            self._fields.clear()
            for one in search:
                self._fields.addItem(one.title, one.name)
            has_front = bool(shown and shown.study.spec.second)
            self.setTabVisible(list(CHARTS).index(FRONT), has_front)
        self._trials.show_study(shown.study if shown else None, chosen)
        self._show_pictures()

    def show_importances(self, found: Mapping[str, tuple[float, float, float]]) -> None:
        if self._shown is not None:
            self._importances = importances_picture(found, self._shown.study.spec.titles)
            self._show_picture(IMPORTANCES)

    def choose(self, chosen: TrialOverview | None) -> None:
        self._chosen = chosen
        self._trials.choose(chosen)
        self._show_pictures()

    def _show_pictures(self) -> None:
        """Of the pages that have been looked at."""
        for name in self._charts:
            self._show_picture(name)

    def _show_picture(self, name: str) -> None:
        pictures, slices = (self._shown.pictures, self._shown.slices) if self._shown else ({}, {})
        found = {
            IMPORTANCES: self._importances,
            SLICES: slices.get(str(self._fields.currentData())),
        }
        if name in self._charts:
            self._charts[name].show_picture(found.get(name) or pictures.get(name), self._chosen)

    @Slot()
    def _show_slice(self) -> None:
        self._show_picture(SLICES)

    def _page(self, name: str) -> QWidget:
        caption, empty = CHARTS[name]
        chart = self._charts[name] = StudyChart(name, caption, empty, tip_of=self._tip_of)
        chart.setObjectName(f"study {name}")
        chart.trial_chosen.connect(self.trial_chosen)
        self._show_picture(name)
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 8, 0, 0)
        if name == SLICES:
            row = QHBoxLayout()
            row.addWidget(label("Field", role="muted"))
            row.addWidget(self._fields)
            row.addStretch()
            box.addLayout(row)
        box.addWidget(chart, 1)
        return page

    def _tip_of(self, number: int) -> str:
        trial = self._shown.study.trial(number) if self._shown else None
        return trial_text(self._shown.study, trial) if self._shown and trial else ""
