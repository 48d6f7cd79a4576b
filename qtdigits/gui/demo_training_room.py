"""The demo's visit to the training room: the run that has just ended, reopened in Runs with its curves and its whole result."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QTableView, QTabWidget

from qtdigits.core.drawing.samples import MNIST_TEST
from qtdigits.core.run.events import RunFinished
from qtdigits.gui.background import wait_until
from qtdigits.gui.main_window import MainWindow
from qtdigits.gui.panels.runs.run_details import RESULT_TAB, RunResultPage
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.window_pages import TABS

LISTED_WITHIN_S = 30.0


def picture_training_room(
    window: MainWindow, finished: RunFinished, picture: Callable[[str, str], None]
) -> None:
    """`picture` takes a name and a caption. Afterwards the colours are light again, and Training is in front."""

    window.tabs.setCurrentIndex(TABS.index("Runs"))
    table, pages = window.findChild(QTableView, "runsTable"), window.findChild(QTabWidget, "runTabs")
    assert isinstance(table, QTableView)
    assert isinstance(pages, QTabWidget)
    wait_until(lambda: table.model().rowCount() > 0, LISTED_WITHIN_S)
    table.selectRow(0)
    picture("run-curves", "An earlier run reopened: batches, training, validation and the hold-out.")
    pages.setCurrentIndex(RESULT_TAB)
    _open_worst_cell(window, finished)
    picture("run-result", "Its whole result, with the drawings behind a cell of the confusion matrix.")
    window.set_theme("dark")
    picture("run-result-dark", "The same in dark colours.")
    pages.setCurrentIndex(0)
    picture("run-curves-dark", "The curves in dark colours.")
    window.set_theme("light")
    window.tabs.setCurrentWidget(window.training_panel)


def _open_worst_cell(window: MainWindow, finished: RunFinished) -> None:
    """Choose the set, and click the cell with the most mistakes."""

    page = window.findChild(RunResultPage)
    assert isinstance(page, RunResultPage)
    box, matrix = page.findChild(QComboBox, "runs.confusionSet"), page.findChild(ConfusionMatrix)
    assert isinstance(box, QComboBox)
    assert isinstance(matrix, ConfusionMatrix)
    if box.findText(MNIST_TEST) >= 0:
        box.setCurrentText(MNIST_TEST)
    QTest.qWait(300)  # the page is laid out
    counts = np.array(finished.scores[box.currentText()]["confusion"])
    np.fill_diagonal(counts, 0)
    row, column = np.unravel_index(counts.argmax(), counts.shape)
    QTest.mouseClick(
        matrix,
        Qt.MouseButton.LeftButton,
        pos=matrix.cell_rect(int(row), int(column)).center().toPoint(),
    )
