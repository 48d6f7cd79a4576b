from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from qtdigits.gui.widgets.wrapping_row import SPACING_PX, WrappingRow

WISH = QSize(100, 20)


class Part(QFrame):
    def sizeHint(self):
        return WISH


@pytest.fixture
def page(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    return page


def shown(page, width):
    page.resize(width, page.layout().heightForWidth(width))
    page.show()
    return [part.geometry().getRect() for part in page.findChildren(QWidget) if part.isVisible()]


def test_that_widgets_stand_beside_one_another_where_there_is_room_and_below_where_not(page):
    row = WrappingRow(page)
    row.add(Part(), Part(), Part())
    further = WISH.width() + SPACING_PX
    below = WISH.height() + SPACING_PX
    assert shown(page, 400) == [(0, 0, 100, 20), (further, 0, 100, 20), (2 * further, 0, 100, 20)]
    assert shown(page, 250) == [(0, 0, 100, 20), (further, 0, 100, 20), (0, below, 100, 20)]
    assert page.minimumSizeHint().width() == WISH.width()


def test_that_one_that_stretches_takes_the_rest_of_its_line(page):
    row = WrappingRow(page)
    row.add_stretching(Part(), least_px=50)
    row.add(Part())
    rest = 300 - WISH.width() - SPACING_PX
    assert shown(page, 300) == [(0, 0, rest, 20), (rest + SPACING_PX, 0, 100, 20)]
    assert [rect[2] for rect in shown(page, 120)] == [120, 100]


def test_that_what_is_hidden_takes_no_room(page):
    row = WrappingRow(page)
    away, there = Part(), Part()
    row.add(away, there)
    away.hide()
    assert shown(page, 100) == [(0, 0, 100, 20)]
    assert row.heightForWidth(100) == WISH.height()


def test_that_a_text_that_wraps_is_given_its_height(page):
    row = WrappingRow(page)
    text = QLabel("a text that is long enough to need some lines where there is little room for it")
    text.setWordWrap(True)
    row.add_stretching(text, least_px=100)
    assert shown(page, 120) == [(0, 0, 120, text.heightForWidth(120))]
    assert text.heightForWidth(120) > 2 * text.fontMetrics().height()


def test_that_a_widget_can_be_put_between_others_and_taken_away(page):
    row = WrappingRow(page)
    first, last, between = Part(), Part(), Part()
    row.add(first, last)
    row.insert(1, between)
    assert [row.itemAt(place).widget() for place in range(row.count())] == [first, between, last]
    row.removeWidget(first)
    assert row.itemAt(0).widget() is between
    assert row.itemAt(2) is None
