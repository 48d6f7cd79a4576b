"""The row above the curves, and the settings that it changes: how a person likes to see curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from qtdigits.core.run.curves import XAxis
from qtdigits.gui.widgets.parts import ChoiceBox, label

SMOOTHINGS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Weights that a slider can be set to: what matters happens near 1."""
KINDS = ("batches", "smoothed", "training", "validation", "hold-out")
"""Kinds of curves, any of which can be hidden."""
LATEST = (0, 200, 1_000, 5_000)
"""How many of the newest points can be followed; 0: the whole run is shown."""
AXES = {XAxis.EPOCH: "Epochs", XAxis.STEP: "Steps", XAxis.TIME: "Time", XAxis.CLOCK: "Clock"}
SWITCHES = (
    ("is_log", "Lo&garithmic", "Small differences near the end become visible"),
    ("ignores_outliers", "&Ignore outliers", "The first fall and single bad batches do not set the range"),
    ("shows_loss", "&Loss", "Leave a plot out to give the others its room"),
    ("shows_accuracy", "&Accuracy", "Leave a plot out to give the others its room"),
    (
        *("shows_auc", "A&UC"),
        "Area under the ROC curve: how surely a drawing of a class is put above the others, on the validation part",
    ),
    ("shows_learning_rate", "Learning &rate", "A plot of its own"),
    ("shows_throughput", "Images per &second", "A plot of its own"),
    (
        *("shows_figures", "&Figures of what is in view"),
        "A table below the curves: start, end, change, least, most and mean of each, over the stretch that is seen",
    ),
)
LEAST_SLIDER_PX, SLIDER_PX = 60, 110
SAVE_KINDS = {"png": "As picture (&PNG)…", "svg": "As drawing (&SVG)…", "csv": "Figures (&CSV)…"}


@dataclass(frozen=True)
class CurveSettings:
    """`latest`: one of `LATEST`. `hidden`: kinds that are not drawn. `shows_figures`: with a table of what is in view."""

    axis: str = XAxis.EPOCH.value
    smoothing: float = 0.8
    is_log: bool = False
    ignores_outliers: bool = True
    latest: int = 0
    shows_loss: bool = True
    shows_accuracy: bool = True
    shows_auc: bool = False
    shows_learning_rate: bool = False
    shows_throughput: bool = False
    shows_figures: bool = False
    hidden: tuple[str, ...] = ()

    @property
    def x_axis(self) -> XAxis:
        return XAxis(self.axis)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CurveSettings:
        """What cannot be used, of a later or damaged file, is left at its default."""
        choices = {"axis": tuple(XAxis), "smoothing": SMOOTHINGS, "latest": LATEST, "hidden": ()}
        kept: dict[str, Any] = {}
        for name in (field.name for field in fields(cls)):
            value = values.get(name)
            if value in choices[name] if name in choices else isinstance(value, bool):
                kept[name] = value
        if isinstance(hidden := values.get("hidden"), list | tuple):
            kept["hidden"] = tuple(kind for kind in KINDS if kind in hidden)
        return cls(**kept)


class CurveControls(QWidget):
    """`settings_changed` carries the new `CurveSettings`, `export_wanted` "png", "svg", "csv" or "copy".

    `all_wanted` asks for the whole run.
    """

    settings_changed = Signal(object)
    export_wanted = Signal(str)
    all_wanted = Signal()

    def __init__(self, settings: CurveSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("smoothingSlider")
        self._slider.setAccessibleName("Smoothing")
        self._slider.setToolTip(
            "How much of the curve before goes into each point; the curve as it is stays visible"
        )
        self._slider.setRange(0, len(SMOOTHINGS) - 1)
        self._slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._slider.setMinimumWidth(LEAST_SLIDER_PX)
        self._slider.setMaximumWidth(SLIDER_PX)
        self._weight = QLabel()
        self._weight.setMinimumWidth(self.fontMetrics().horizontalAdvance("0.995"))
        self._axis_box = ChoiceBox(name="axisBox")
        self._axis_box.setAccessibleName("Curves are drawn over")
        for axis, text in AXES.items():
            self._axis_box.addItem(text, axis.value)
        self._view, self._switches = self._view_menu()
        self._save = self._save_menu()
        self._lay_out()
        self.show_settings(settings)
        self._slider.valueChanged.connect(self._on_smoothing)
        self._axis_box.currentIndexChanged.connect(self._on_axis)

    def show_settings(self, settings: CurveSettings) -> None:
        self._settings = settings
        with QSignalBlocker(self._slider), QSignalBlocker(self._axis_box):
            self._slider.setValue(SMOOTHINGS.index(settings.smoothing))
            self._axis_box.setCurrentIndex(self._axis_box.findData(settings.axis))
        self._weight.setText(f"{settings.smoothing:g}" if settings.smoothing else "off")
        for choice in self._latest.actions():
            choice.setChecked(choice.data() == settings.latest)
        for name, action in self._switches.items():
            with QSignalBlocker(action):
                action.setChecked(bool(getattr(settings, name)))

    def _change(self, settings: CurveSettings) -> None:
        self.show_settings(settings)
        self.settings_changed.emit(settings)

    @Slot(int)
    def _on_smoothing(self, place: int) -> None:
        self._change(replace(self._settings, smoothing=SMOOTHINGS[place]))

    @Slot()
    def _on_axis(self) -> None:
        self._change(replace(self._settings, axis=str(self._axis_box.currentData())))

    @Slot()
    def _on_switched(self) -> None:
        chosen = {name: action.isChecked() for name, action in self._switches.items()}
        self._change(CurveSettings(**{**asdict(self._settings), **chosen}))

    @Slot(QAction)
    def _on_latest(self, action: QAction) -> None:
        self._change(replace(self._settings, latest=int(action.data())))

    @Slot(QAction)
    def _on_export(self, action: QAction) -> None:
        self.export_wanted.emit(str(action.data()))

    def _view_menu(self) -> tuple[QToolButton, dict[str, QAction]]:
        opener, menu = _menu_button("View", "viewButton", "What the curves show")
        actions = {}
        for name, text, tip in SWITCHES:
            action = actions[name] = menu.addAction(text)
            action.setCheckable(True)
            action.setToolTip(tip)
            action.toggled.connect(self._on_switched)
            if name == "ignores_outliers":
                menu.addMenu(self._latest_menu())
                menu.addSeparator()
        menu.addSeparator()
        menu.addAction("Show the &whole run").triggered.connect(self.all_wanted)
        return opener, actions

    def _latest_menu(self) -> QMenu:
        menu = QMenu("&Points", self)
        self._latest = QActionGroup(menu)
        for n in LATEST:
            action = menu.addAction(f"The la&test {n:,}" if n else "&All points")
            action.setCheckable(True)
            action.setData(n)
            self._latest.addAction(action)
        self._latest.triggered.connect(self._on_latest)
        return menu

    def _save_menu(self) -> QToolButton:
        opener, menu = _menu_button("Save", "saveCurvesButton", "Keep these curves as a file")
        for kind, text in SAVE_KINDS.items():
            menu.addAction(text).setData(kind)
        menu.addSeparator()
        menu.addAction("&Copy picture").setData("copy")
        menu.triggered.connect(self._on_export)
        return opener

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        smoothing = label("Smoothing", role="muted")
        smoothing.setBuddy(self._slider)
        left: tuple[QWidget, ...] = (smoothing, self._slider, self._weight)
        right: tuple[QWidget, ...] = (self._axis_box, self._view, self._save)
        for widget in left:
            row.addWidget(widget)
        row.addStretch(1)
        for widget in right:
            row.addWidget(widget)


def _menu_button(text: str, name: str, tip: str) -> tuple[QToolButton, QMenu]:
    made = QToolButton()
    made.setText(text)
    made.setObjectName(name)
    made.setProperty("role", "quiet")
    made.setToolTip(tip)
    made.setAccessibleDescription(tip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(made)
    menu.setToolTipsVisible(True)
    made.setMenu(menu)
    return made, menu
