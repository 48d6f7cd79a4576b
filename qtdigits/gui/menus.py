"""Menus out of a table of commands; the window's is `gui/window_commands.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenuBar, QWidget


@dataclass(frozen=True)
class Command:
    """One entry of a menu.

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


def fill_menus(bar: QMenuBar, commands: tuple[Command, ...], *, window: QWidget) -> dict[str, QAction]:
    """Make the menus. The actions belong to `window`, so their keys work wherever the focus is.

    Gives the actions by their text without the ampersands.
    """
    menus = {name: bar.addMenu(name) for name in dict.fromkeys(command.menu for command in commands)}
    groups = {name: QActionGroup(window) for name in {command.group for command in commands} - {""}}
    actions = {}
    for command in commands:
        action = QAction(command.text, window)
        action.setShortcut(QKeySequence(command.keys))
        # Partials are safe here: the signals come from the GUI thread.
        if command.checked is None or not command.takes_state:
            action.triggered.connect(partial(_run, command.run))
        else:
            action.triggered.connect(command.run)
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


def _run(command: Callable[[], object], _checked: bool = False) -> None:
    command()
