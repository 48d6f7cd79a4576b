"""Filters of the samples shown: a line of boxes, and a second line for the rarer ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from qtdigits.core.drawing.samples import Origin, Verdict
from qtdigits.gui.widgets.parts import ChoiceBox, button
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.store.tables.rows import EVERYTHING, SampleFilter

DOUBTFUL = "Doubtful"
TRASH = "Deleted"

Narrowing = dict[str, object]
"""Fields of a `SampleFilter`."""


@dataclass(frozen=True)
class FilterOption:
    """One entry of a box: its text, and how it narrows the filter when it is chosen."""

    text: str
    narrow: Callable[[datetime], Narrowing]


def _fixed(text: str, **fields: object) -> FilterOption:
    return FilterOption(text, lambda _today: dict(fields))


def _days(text: str, first: int, last: int | None) -> FilterOption:
    """An option for the time from `first` days ago (0: today) until before `last` days ago; None: until now."""

    def narrow(today: datetime) -> Narrowing:
        fields: Narrowing = {"after": today - timedelta(days=first)} if first >= 0 else {}
        if last is not None:
            fields["before"] = today - timedelta(days=last)
        return fields

    return FilterOption(text, narrow)


STATES = (
    _fixed("All drawings"),
    _fixed(DOUBTFUL, is_suspect=True),
    _fixed("Held out", held_out=True),
    _fixed("Trained on", held_out=False, is_suspect=False),
    _fixed(TRASH, is_deleted=True),
)
VERDICTS = (
    _fixed("Right or misread"),
    _fixed("Read right", verdict=Verdict.CONFIRMED),
    _fixed("Misread", verdict=Verdict.CORRECTED),
)
DATES = (
    _fixed("Any time"),
    _days("Today", 0, None),
    _days("Yesterday", 1, 0),
    _days("Last 7 days", 6, None),
    _days("Last 30 days", 29, None),
    _days("Before that", -1, 29),
)
ORIGINS = (
    _fixed("From anywhere"),
    _fixed("Drawn here", origin=Origin.DRAWN),
    _fixed("Ink files", origin=Origin.INK_FILE),
    _fixed("Images", origin=Origin.IMAGE),
    _fixed("CSV pairs", origin=Origin.CSV_PAIR),
)


class SampleFilters(QWidget):
    """`filter_changed` carries the `SampleFilter`. The first entry of each box narrows nothing."""

    filter_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices: dict[ChoiceBox, tuple[FilterOption, ...]] = {}
        self._state = self._box("stateFilter", "Which drawings", STATES)
        self._label = self._box("labelFilter", "Class", (_fixed("All classes"),))
        self._writer = self._box("writerFilter", "Writer", (_fixed("All writers"),))
        self._verdict = self._box("verdictFilter", "Verdict", VERDICTS)
        self._model = self._box("modelFilter", "Model", (_fixed("Any model"),))
        self._date = self._box("dateFilter", "Date", DATES)
        self._origin = self._box("originFilter", "Origin", ORIGINS)
        self._more = button("More", "moreFiltersButton", "Filter by verdict, model, date and origin")
        self._more.setCheckable(True)
        self._clear = button("Show all", "clearFiltersButton", "Remove all filters")
        first = WrappingRow()
        for box in (self._state, self._label, self._writer):
            first.add_stretching(box)
        first.add(self._more, self._clear)
        self._second = QWidget()
        second = QGridLayout(self._second)
        second.setContentsMargins(0, 0, 0, 0)
        for column, box in enumerate((self._verdict, self._model, self._date, self._origin)):
            second.addWidget(box, 0, column)
            second.setColumnStretch(column, 1)
        self._second.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(first)
        layout.addWidget(self._second)
        self._more.toggled.connect(self._second.setVisible)
        self._clear.clicked.connect(self.clear)
        self._clear.setVisible(False)

    def set_names(self, *, labels: Sequence[str], writers: Sequence[str], models: Sequence[str]) -> None:
        """Set the names to choose from; one that is still there stays chosen."""
        self._fill(self._label, (_fixed("All classes"), *(_fixed(name, label=name) for name in labels)))
        self._fill(self._writer, (_fixed("All writers"), *(_fixed(name, writer=name) for name in writers)))
        self._fill(self._model, (_fixed("Any model"), *(_fixed(name, model=name) for name in models)))

    @property
    def chosen(self) -> SampleFilter:
        today = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        fields: Narrowing = {}
        for box, choices in self._choices.items():
            fields |= choices[max(0, box.currentIndex())].narrow(today)
        return replace(EVERYTHING, **fields)  # type: ignore[arg-type]

    @property
    def is_in_trash(self) -> bool:
        return self._state.currentText() == TRASH

    def show_doubtful(self) -> None:
        """Show the drawings to review, of all writers and classes."""
        with QSignalBlocker(self):
            self.clear()
        self._state.setCurrentText(DOUBTFUL)

    def offer_clearing(self) -> None:
        """Show the button *Show all*, because something else narrows what is shown."""
        self._clear.setVisible(True)

    def clear(self) -> None:
        for box in self._choices:
            with QSignalBlocker(box):
                box.setCurrentIndex(0)
        self._on_changed()

    def _box(self, name: str, title: str, choices: tuple[FilterOption, ...]) -> ChoiceBox:
        box = ChoiceBox(name=name)
        box.setAccessibleName(title)
        box.setToolTip(title)
        box.setMinimumContentsLength(8)
        box.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._fill(box, choices)
        box.currentIndexChanged.connect(self._on_changed)
        return box

    def _fill(self, box: ChoiceBox, choices: tuple[FilterOption, ...]) -> None:
        texts = [choice.text for choice in choices]
        if box in self._choices and [choice.text for choice in self._choices[box]] == texts:
            return
        self._choices[box] = choices
        chosen = box.currentText()
        with QSignalBlocker(box):
            box.clear()
            box.addItems(texts)
            box.setCurrentIndex(max(0, texts.index(chosen) if chosen in texts else 0))
        if chosen and chosen not in texts:
            self._on_changed()

    def _on_changed(self) -> None:
        rare = (self._verdict, self._model, self._date, self._origin)
        if any(box.currentIndex() > 0 for box in rare):
            self._more.setChecked(True)
        self._clear.setVisible(any(box.currentIndex() > 0 for box in self._choices))
        self.filter_changed.emit(self.chosen)
