"""An exception in a method that Qt calls is reported, and neither reaches Qt nor harms what comes after it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import FunctionType

import pytest
from PySide6.QtCore import QAbstractTableModel, QObject, QSortFilterProxyModel, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QGraphicsItem,
    QGraphicsRectItem,
    QGraphicsScene,
    QGraphicsView,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

import qtdigits.gui

TIMES = 60


def ours(method: FunctionType) -> FunctionType:
    """Mark a method as one of the program's, whose overrides are all guarded."""
    method.__module__ = f"qtdigits.gui.{method.__module__}"
    return method


class OddModel(QAbstractTableModel):
    @ours
    def rowCount(self, parent: object = None) -> int:
        return 5

    @ours
    def columnCount(self, parent: object = None) -> int:
        return 3

    @ours
    def data(self, index: object, role: int = 0) -> object:
        raise TypeError("an odd value")


class OddFilter(QSortFilterProxyModel):
    @ours
    def filterAcceptsRow(self, row: int, parent: object) -> bool:
        raise ValueError("an odd row")


class OddWidget(QWidget):
    odd = Signal()

    def __init__(self, model: OddModel) -> None:
        super().__init__()
        self.model = model
        self.odd.connect(self.fail)

    @ours
    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        self.model.data(self.model.index(0, 0))
        painter.drawLine(None)  # type: ignore[call-overload] # with the painter at work

    @ours
    def sizeHint(self) -> object:
        raise KeyError("size")

    def fail(self) -> None:
        raise ZeroDivisionError


class OddItem(QGraphicsRectItem):
    def paint(self, painter: object, option: object, widget: object = None) -> None:
        raise OverflowError("too far")


def test_that_no_exception_in_what_qt_calls_ends_the_program(qapp: object, qtbot: QtBot) -> None:
    with qtbot.captureExceptions() as met:
        model, rows, table, scene = OddModel(), OddFilter(), QTableView(), QGraphicsScene()
        rows.setSourceModel(model)
        table.setModel(rows)
        table.setSortingEnabled(True)
        widget = OddWidget(model)
        scene.addItem(OddItem(0, 0, 9, 9))
        graphics = QGraphicsView(scene)
        for shown in (table, widget, graphics):
            shown.show()
        for number in range(TIMES):
            table.sortByColumn(number % 3, table.horizontalHeader().sortIndicatorOrder())
            rows.data(rows.index(0, 0))
            model.data(model.index(number % 5, 0))
            widget.odd.emit()
            widget.adjustSize()
            for shown in (table.viewport(), widget, graphics.viewport()):
                shown.repaint()
            graphics.grab()
        for shown in (table, widget, graphics):
            shown.close()
            shown.deleteLater()
        kinds = {kind.__name__ for kind, _, _ in met}
    assert kinds == {"TypeError", "ValueError", "KeyError", "ZeroDivisionError", "OverflowError"}
    assert model.rowCount() == 5


def _subclasses(cls: type) -> Iterator[type]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _is_of_qt(cls: type, name: str) -> Callable[..., object] | bool:
    found = (vars(base)[name] for base in cls.__mro__[1:] if name in vars(base))
    return any(not isinstance(one, FunctionType) and callable(one) for one in found)


@pytest.mark.parametrize("base", [QObject, QGraphicsItem])
def test_that_every_override_in_the_window_is_guarded(base: type) -> None:
    for module in pkgutil.walk_packages(qtdigits.gui.__path__, "qtdigits.gui."):
        importlib.import_module(module.name)
    open_ones = [
        f"{cls.__module__}.{cls.__name__}.{name}"
        for cls in set(_subclasses(base))
        if cls.__module__.startswith("qtdigits.")
        for name, method in vars(cls).items()
        if isinstance(method, FunctionType) and not name.startswith("_") and _is_of_qt(cls, name)
        if not hasattr(method, "__wrapped__")
    ]
    assert open_ones == []
