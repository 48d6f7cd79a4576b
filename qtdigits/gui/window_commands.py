"""Every command of the window: in which menu it stands, with which key, and what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeVar

from PySide6.QtWidgets import QMessageBox

from qtdigits.gui.guided import guided_text
from qtdigits.gui.import_export import Exchange
from qtdigits.gui.main_window import MainWindow
from qtdigits.gui.menus import Command
from qtdigits.gui.preferences import HALF_WIDTHS, PROMOTIONS, THEMES, Preferences
from qtdigits.gui.widgets.theme import choice_text
from qtdigits.gui.window_pages import TABS

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
<tr><td><b>Ctrl+Z</b></td><td>take back a stroke, or, on an empty canvas, the last judgement</td></tr>
<tr><td><b>Ctrl+R</b></td><td>read again</td></tr>
<tr><td><b>Ctrl+G</b></td><td>begin or end a guided session</td></tr>
<tr><td><b>Ctrl+L</b></td><td>learn my hand</td></tr>
<tr><td><b>Ctrl+T</b></td><td>train</td></tr>
<tr><td><b>Ctrl+P</b></td><td>let the training wait, or go on with it</td></tr>
<tr><td><b>Alt+1 … Alt+7</b></td><td>Training, Accuracy, Drawings, Models, Runs, Writers, Network</td></tr>
<tr><td><b>Tab, Shift+Tab</b></td><td>lead to everything else, <b>Space</b> presses it; typing goes to the label again</td></tr>
<tr><td colspan="2"><b>On the curves</b>, where Tab leads</td></tr>
<tr><td><b>← →, Home, End</b></td><td>walk along and read; with <b>Ctrl</b> from epoch to epoch</td></tr>
<tr><td><b>↑ ↓</b></td><td>zoom in and out, with <b>Ctrl</b> the heights</td></tr>
<tr><td><b>Shift+← → ↑ ↓</b></td><td>move what is seen</td></tr>
<tr><td><b>Backspace</b></td><td>show the whole run</td></tr>
<tr><td><b>Ctrl+Shift+S</b></td><td>save the curves</td></tr>
<tr><td colspan="2"><b>In matrices, tables and the heat map</b> the arrow keys walk, <b>Enter</b> opens</td></tr>
</table>"""


def commands_of(window: MainWindow) -> tuple[Command, ...]:
    """In the order of the menus."""
    return (
        *_files(window, window.exchange),
        *_editing(window, window.preferences),
        *_training(window, window.preferences),
        *_view(window, window.preferences),
        Command("&Help", "&Keys", partial(_show_keys, window), "F1"),
        Command("&Help", "&About QtDigits", window.show_about),
    )


def _show_keys(window: MainWindow) -> None:
    QMessageBox.information(window, "Keys", KEYS)


def _files(window: MainWindow, exchange: Exchange) -> Iterator[Command]:
    yield Command("&File", "&Import drawings…", exchange.import_drawings, "Ctrl+O")
    yield Command("&File", "Import the 2022 report's &CSV pair…", exchange.import_csv_pair)
    yield Command("&File", "&Export drawings as ink…", exchange.export_ink, "Ctrl+S", has_rule=True)
    yield Command("&File", "Export as C&SV pair…", exchange.export_csv_pair)
    curves = window.training_panel.save_curves
    yield Command("&File", "Save c&urves…", curves, "Ctrl+Shift+S", has_rule=True)
    yield Command("&File", "&Quit", window.close, "Ctrl+Q", has_rule=True)


def _editing(window: MainWindow, preferences: Preferences) -> Iterator[Command]:
    yield Command("&Edit", "&Undo stroke or judgement", window.undo, "Ctrl+Z")
    yield Command("&Edit", "&Clear the canvas", window.clear, "Esc")
    yield Command("&Edit", "&Guided session", window.toggle_guided, "Ctrl+G")
    texts = {half_width: guided_text(half_width) for half_width in HALF_WIDTHS}
    yield from _choices("&Edit", "guided_half_width", texts, preferences)
    yield Command("&Edit", "&Recognise again", window.session.recognise, "Ctrl+R")
    alone = preferences.key_alone_corrects
    yield Command(
        "&Edit",
        "A &key alone puts it right",
        window.set_key_alone,
        checked=alone,
        takes_state=True,
        has_rule=True,
    )


def _training(window: MainWindow, preferences: Preferences) -> Iterator[Command]:
    panel = window.training_panel
    yield Command("&Training", "&Learn my hand", window.training.learn_hand, "Ctrl+L")
    yield Command("&Training", "&Train", window.training.start, "Ctrl+T")
    yield Command("&Training", "&Stop, keep the best", panel.stop_training)
    yield Command("&Training", "&Pause or go on", panel.pause_or_go_on, "Ctrl+P")
    yield Command("&Training", "&Cancel", panel.cancel_training)
    yield Command("&Training", "&Roll back to the model before", window.session.roll_back, has_rule=True)
    texts = {name: f"New models: {text}" for name, text in PROMOTION_TEXTS.items()}
    yield from _choices("&Training", "promotion", texts, preferences, has_rule=True)
    yield from _choices("&Training", "retrain_after", RETRAIN_TEXTS, preferences, has_rule=True)


def _view(window: MainWindow, preferences: Preferences) -> Iterator[Command]:
    for i, name in enumerate(TABS):
        yield Command("&View", f"&{name}", partial(window.tabs.setCurrentIndex, i), f"Alt+{i + 1}")
    for name in THEMES:
        yield Command(
            "&View",
            choice_text(name),
            partial(window.set_theme, name),
            checked=name == preferences.theme,
            group="theme",
            has_rule=name == THEMES[0],
        )


def _choices(
    menu: str, preference: str, texts: Mapping[T, str], preferences: Preferences, *, has_rule: bool = False
) -> Iterator[Command]:
    """One entry for each value that the preference of this name can have."""
    for i, (value, text) in enumerate(texts.items()):
        yield Command(
            menu,
            text,
            partial(setattr, preferences, preference, value),
            checked=value == getattr(preferences, preference),
            group=preference,
            has_rule=has_rule and not i,
        )
