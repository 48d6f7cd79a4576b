from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from qtdigits.core.score.calibration import NO_CONFIDENCES
from qtdigits.gui.plots.charts import ReliabilityChart
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.results.score_details import NOT_KEPT, ClassTable, DrawingStrip, ScoreDetails
from qtdigits.gui.widgets.colours import DARK, LIGHT
from qtdigits.training.evaluate import Answers


def answers():
    """0 is read rightly three times; of 1, two are read as 0, one surely and one not, and one rightly."""
    return Answers(
        ("0", "1"),
        np.array([0, 0, 0, 1, 1, 1]),
        np.array([0, 0, 0, 0, 0, 1]),
        np.array([0.99, 0.99, 0.6, 0.55, 0.95, 0.99], np.float32),
    )


@pytest.fixture
def details(qtbot):
    widget = ScoreDetails()
    qtbot.addWidget(widget)
    widget.resize(900, 700)
    images = np.zeros((6, 28, 28), np.uint8)
    images[:, 5:20, 10:14] = 255
    widget.show_score(answers().score.to_json(), answers().readings(images))
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def click(qtbot, details, cell):
    matrix = details.findChild(ConfusionMatrix)
    place = matrix.cell_rect(*cell).center().toPoint()
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=place)


def heading(details):
    return details.findChild(QLabel, "cellHeading").text()


def test_that_a_click_on_a_cell_shows_its_drawings_the_surest_mistake_first(qtbot, details):
    assert heading(details) == "Most often misread"
    click(qtbot, details, (1, 0))
    assert heading(details).startswith("1 read as 0: 2 of 3 (66.7 %). The surest mistake first")
    drawings = details.findChild(DrawingStrip)
    assert drawings.isVisible()
    assert drawings.accessibleDescription() == "95 %, 55 %"
    assert not details.findChild(QLabel, "worstConfusions").isVisible()


def test_that_the_same_cell_once_more_closes_it(qtbot, details):
    click(qtbot, details, (1, 0))
    click(qtbot, details, (1, 0))
    assert heading(details) == "Most often misread"
    assert not details.findChild(DrawingStrip).isVisible()
    assert details.findChild(QLabel, "worstConfusions").isVisible()


def test_that_enter_opens_the_cell_that_the_arrow_keys_have_reached(qtbot, details):
    matrix = details.findChild(ConfusionMatrix)
    qtbot.keyClick(matrix, Qt.Key.Key_Right)
    qtbot.keyClick(matrix, Qt.Key.Key_Down)
    qtbot.keyClick(matrix, Qt.Key.Key_Return)
    assert heading(details).startswith("1 read rightly: 1 of 3 (33.3 %). The least sure first")


def test_that_drawings_that_were_not_kept_are_said_to_be_missing(qtbot, details):
    details.show_score(answers().score.to_json(), None)
    click(qtbot, details, (1, 0))
    assert heading(details) == NOT_KEPT


def test_that_calibration_is_told_in_words_and_painted_on_both_grounds(details, dress):
    dress(LIGHT)
    plot, text = details.findChild(ReliabilityChart), details.findChild(QLabel, "calibrationText").text()
    # six answers, 5.07 sure in all, of which four are right
    assert text.startswith("Expected calibration error")
    assert "over 6 answers" in text
    assert "surer than it is right" in text
    assert "93 to 100 % sure (98.0 % on average): 75.0 % of 4 right" in plot.accessibleDescription()
    light = plot.grab().toImage()
    dress(DARK)
    assert plot.grab().toImage() != light


def test_that_a_score_of_an_older_model_file_has_no_calibration_plot(details):
    values = answers().score.to_json()
    del values["reliability"]
    details.show_score(values, None)
    assert details.findChild(QLabel, "calibrationText").text() == NO_CONFIDENCES
    assert details.findChild(ReliabilityChart).accessibleDescription() == NO_CONFIDENCES


def test_that_each_class_has_its_figures_with_intervals(details):
    table = details.findChild(ClassTable)
    cells = [[table.item(row, column).text() for column in range(4)] for row in range(2)]
    assert cells == [
        ["0", "3", "100.0 % (43.9 to 100.0)", "60.0 % (23.1 to 88.2)"],
        ["1", "3", "33.3 % (6.1 to 79.2)", "100.0 % (20.7 to 100.0)"],
    ]


@pytest.mark.parametrize("width", [480, 734, 1000])
def test_that_no_interval_is_cut_off(qtbot, details, width):
    details.resize(width, 1400)
    table = details.findChild(ClassTable)
    qtbot.waitUntil(lambda: details.width() == width)
    for row in range(table.rowCount()):
        for column in range(table.columnCount()):
            needed = table.fontMetrics().horizontalAdvance(table.item(row, column).text())
            assert needed + 16 <= table.columnWidth(column)


def test_that_the_table_of_classes_has_its_width_on_a_narrow_page(qtbot, details):
    """Beside one another where there is room, below one another where not."""
    table, plot = details.findChild(ClassTable), details.findChild(ReliabilityChart)

    def top(part):
        return part.mapTo(details, part.rect().topLeft()).y()

    details.resize(1200, 1400)
    qtbot.waitUntil(lambda: top(table) < top(plot) + plot.height())
    details.resize(480, 1400)
    qtbot.waitUntil(lambda: top(table) > top(plot) + plot.height())
    assert table.width() == 480
