"""Every command of the window: in which menu it stands, with which key, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenuBar, QTabWidget, QWidget

from qtdigits.gui.guided import GuidedSession, guided_text
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.preferences import HALF_WIDTHS, PROMOTIONS, THEMES, Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.theme import choice_text
from qtdigits.gui.trainer import Trainer

T = TypeVar("T")
PROMOTION_TEXTS = dict(
    zip(PROMOTIONS, ("ask me", "use what is safe by itself", "never use by themselves"), strict=True)
)
RETRAIN_TEXTS = {0: "Learn my hand only when asked"} | {
    n: f"Learn my hand after {n} corrections" for n in (5, 10, 20)
}

KEYS = """<table cellpadding="2" width="560">
<tr><td><b>Enter</b></td><td>the answer is right</td></tr>
<tr><td><b>a key, Enter</b></td><td>it is what the key says</td></tr>
<tr><td><b>Esc</b></td><td>clear without counting</td></tr>
<tr><td><b>Ctrl+Z</b></td><td>undo the last action, whatever it was; <b>Ctrl+Shift+Z</b> redoes it</td></tr>
<tr><td><b>Ctrl+R</b></td><td>read again</td></tr>
<tr><td><b>Ctrl+G</b></td><td>start or end a guided session</td></tr>
<tr><td><b>Ctrl+L</b></td><td>learn my hand</td></tr>
<tr><td><b>Ctrl+T</b></td><td>train</td></tr>
<tr><td><b>Ctrl+P</b></td><td>pause or resume the training</td></tr>
<tr><td><b>Alt+1 … Alt+8</b></td><td>Learning, Training, Drawings, Models, Runs, Studies, Writers, Network</td></tr>
<tr><td><b>Tab, Shift+Tab</b></td><td>lead to everything else, <b>Space</b> presses it; typing goes to the label again</td></tr>
<tr><td colspan="2"><b>On the curves</b>, where Tab leads</td></tr>
<tr><td><b>← →, Home, End</b></td><td>move the cursor; with <b>Ctrl</b> from epoch to epoch</td></tr>
<tr><td><b>↑ ↓</b></td><td>zoom in and out, with <b>Ctrl</b> the heights</td></tr>
<tr><td><b>Shift+← → ↑ ↓</b></td><td>pan</td></tr>
<tr><td><b>Backspace</b></td><td>show the whole run</td></tr>
<tr><td><b>Mouse</b></td><td>drag to pan, turn the wheel to zoom, double-click to show the whole run</td></tr>
<tr><td><b>Ctrl+Shift+S</b></td><td>save the curves</td></tr>
<tr><td colspan="2"><b>In matrices, tables and the heat map</b> the arrow keys move, <b>Enter</b> opens</td></tr>
</table>"""


@dataclass(frozen=True)
class Command:
    """One entry of a menu. `keys` are separated by semicolons.

    `checked` is None for a plain command. `takes_state`: `run` is told whether the entry is checked now. Of the entries of one
    `group` exactly one is checked. `has_rule` draws a line above it.
    """

    menu: str
    text: str
    run: Callable[..., object]
    keys: str = ""
    checked: bool | None = None
    takes_state: bool = False
    group: str = ""
    has_rule: bool = False


class DrawingPanel(Protocol):
    def clear(self) -> None: ...
    def undo(self) -> None: ...
    def redo(self) -> None: ...


class TrainingPanel(Protocol):
    def pause_or_resume(self) -> None: ...


class LiveCurves(Protocol):
    def save(self) -> None: ...


class Window(Protocol):
    """What commands act on."""

    session: Session
    trainer: Trainer
    guided: GuidedSession
    import_export: ImportExport
    preferences: Preferences
    tabs: QTabWidget

    @property
    def drawing(self) -> DrawingPanel: ...
    @property
    def training_panel(self) -> TrainingPanel: ...
    @property
    def curves(self) -> LiveCurves: ...
    def start_training(self) -> None: ...
    def set_theme(self, choice: str) -> None: ...
    def manage_backups(self) -> None: ...
    def manage_classes(self) -> None: ...
    def show_keys(self) -> None: ...
    def save_problem_report(self) -> None: ...
    def show_about(self) -> None: ...
    def close(self) -> bool: ...


def commands_of(window: Window) -> tuple[Command, ...]:
    """In the order of the menus."""
    return (
        *_files(window),
        *_editing(window),
        *_training(window),
        *_view(window),
        Command("&Help", "&Keys", window.show_keys, "F1"),
        Command("&Help", "Save a &problem report…", window.save_problem_report),
        Command("&Help", "&About QtDigits", window.show_about, has_rule=True),
    )


def fill_menus(bar: QMenuBar, commands: tuple[Command, ...], *, window: QWidget) -> dict[str, QAction]:
    """Make the menus. The actions belong to `window`, so their keys work wherever the focus is.

    Return the actions by their text without the ampersands.
    """
    menus = {name: bar.addMenu(name) for name in dict.fromkeys(command.menu for command in commands)}
    groups = {name: QActionGroup(window) for name in {command.group for command in commands} - {""}}
    actions = {}
    for command in commands:
        action = QAction(command.text, window)
        action.setShortcuts(QKeySequence.listFromString(command.keys))
        # Partials are safe here: the signals come from the GUI thread.
        action.triggered.connect(partial(_run, command, action))
        if command.checked is not None:
            action.setCheckable(True)
            if command.group:
                groups[command.group].addAction(action)
            action.setChecked(command.checked)
        if command.has_rule:
            menus[command.menu].addSeparator()
        menus[command.menu].addAction(action)
        actions[command.text.replace("&", "")] = action
    return actions


def _run(command: Command, action: QAction) -> None:
    if command.takes_state:
        command.run(action.isChecked())
    else:
        command.run()


def _files(window: Window) -> Iterator[Command]:
    files = window.import_export
    yield Command("&File", "&Import drawings…", files.import_drawings, "Ctrl+O")
    yield Command("&File", "Import the 2022 report's &CSV pair…", files.import_csv_pair)
    yield Command("&File", "&Export drawings as ink…", files.export_ink, "Ctrl+S", has_rule=True)
    yield Command("&File", "Export as C&SV pair…", files.export_csv_pair)
    yield Command("&File", "&Backups…", window.manage_backups, has_rule=True)
    yield Command("&File", "Save a &report…", files.save_report, has_rule=True)
    yield Command("&File", "Save c&urves…", window.curves.save, "Ctrl+Shift+S")
    yield Command("&File", "&Quit", window.close, "Ctrl+Q", has_rule=True)


def _editing(window: Window) -> Iterator[Command]:
    preferences = window.preferences
    yield Command("&Edit", "&Undo", window.drawing.undo, "Ctrl+Z")
    yield Command("&Edit", "&Redo", window.drawing.redo, "Ctrl+Shift+Z; Ctrl+Y")
    yield Command("&Edit", "&Clear the canvas", window.drawing.clear, "Esc")
    yield Command("&Edit", "Cl&asses and sets…", window.manage_classes)
    yield Command("&Edit", "&Guided session", window.guided.toggle, "Ctrl+G")
    texts = {half_width: guided_text(half_width) for half_width in HALF_WIDTHS}
    yield from _choices("&Edit", "guided_half_width", texts, preferences)
    yield Command("&Edit", "&Recognise again", window.session.recognise, "Ctrl+R")
    yield Command(
        "&Edit",
        "A &key alone corrects",
        partial(_prefer, preferences, "key_alone_corrects"),
        checked=preferences.key_alone_corrects,
        takes_state=True,
        has_rule=True,
    )


def _training(window: Window) -> Iterator[Command]:
    trainer, preferences = window.trainer, window.preferences
    yield Command("&Training", "&Learn my hand", trainer.learn_hand, "Ctrl+L")
    yield Command("&Training", "&Train", window.start_training, "Ctrl+T")
    yield Command("&Training", "&Stop, keep the best", trainer.stop)
    yield Command("&Training", "&Pause or resume", window.training_panel.pause_or_resume, "Ctrl+P")
    yield Command("&Training", "&Cancel", trainer.cancel)
    yield Command("&Training", "&Roll back to the model before", window.session.roll_back, has_rule=True)
    texts = {name: f"New models: {text}" for name, text in PROMOTION_TEXTS.items()}
    yield from _choices("&Training", "promotion", texts, preferences, has_rule=True)
    yield from _choices("&Training", "retrain_after", RETRAIN_TEXTS, preferences, has_rule=True)


def _view(window: Window) -> Iterator[Command]:
    for i in range(window.tabs.count()):
        name = window.tabs.tabText(i)
        yield Command("&View", f"&{name}", partial(window.tabs.setCurrentIndex, i), f"Alt+{i + 1}")
    for name in THEMES:
        yield Command(
            "&View",
            choice_text(name),
            partial(window.set_theme, name),
            checked=name == window.preferences.theme,
            group="theme",
            has_rule=name == THEMES[0],
        )


def _prefer(preferences: Preferences, name: str, value: object) -> None:
    setattr(preferences, name, value)


def _choices(
    menu: str, preference: str, texts: Mapping[T, str], preferences: Preferences, *, has_rule: bool = False
) -> Iterator[Command]:
    """One entry for each value that the preference of this name can have."""
    for i, (value, text) in enumerate(texts.items()):
        yield Command(
            menu,
            text,
            partial(_prefer, preferences, preference, value),
            checked=value == getattr(preferences, preference),
            group=preference,
            has_rule=has_rule and not i,
        )
