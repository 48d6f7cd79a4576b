"""Where things stand in the window: messages above all, canvas and answer at the left, the tabs at the right."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QSplitter, QTabWidget, QVBoxLayout, QWidget

from qtdigits.gui.widgets.parts import named

FIRST_SIZE = QSize(1360, 840)
FRAME = QSize(16, 48)
"""About what a window's title bar and borders take of the screen."""

LEFT, RIGHT = 4, 7
"""Their parts of the width, at first and when the window grows."""


def first_size(screen: QSize) -> QSize:
    """Of a window that nobody has given a size yet, where so much of the screen is free."""
    return FIRST_SIZE.boundedTo(screen - FRAME)


def empty_tabs() -> QTabWidget:
    tabs = named(QTabWidget(), "tabs")
    tabs.setDocumentMode(True)
    tabs.tabBar().setDrawBase(False)
    tabs.tabBar().setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return tabs


def laid_out(*, drawing: QWidget, tabs: QWidget) -> QWidget:
    """What fills the window between its top bar and its status line."""
    splitter = QSplitter()
    splitter.setHandleWidth(14)
    for place, (side, part) in enumerate(((drawing, LEFT), (tabs, RIGHT))):
        splitter.addWidget(side)
        splitter.setStretchFactor(place, part)
    splitter.setSizes([LEFT * FIRST_SIZE.width(), RIGHT * FIRST_SIZE.width()])
    splitter.setChildrenCollapsible(False)
    central = QWidget()
    layout = QVBoxLayout(central)
    layout.setContentsMargins(20, 8, 20, 4)
    layout.addWidget(splitter)
    return central


def card_of(content: QWidget) -> QFrame:
    card = QFrame()
    card.setProperty("card", True)
    layout = QVBoxLayout(card)
    layout.setContentsMargins(1, 1, 1, 1)
    layout.addWidget(content)
    return card
