"""What the style sheet of the program does to parts that Qt makes itself."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QProxyStyle,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot
from typing_extensions import override

from qtdigits.gui.theme import style_sheet_of
from qtdigits.gui.widgets.colours import DARK, LIGHT, Theme
from qtdigits.gui.widgets.parts import ChoiceBox

LEAST_ICON_PX = 60
PICTURES = QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons
LEAST_CHOICE_PX = 22


def n_different(a: QImage, b: QImage) -> int:
    return sum(a.pixel(x, y) != b.pixel(x, y) for x in range(a.width()) for y in range(a.height()))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_that_the_buttons_of_the_file_dialog_have_room_for_their_pictures(qtbot: QtBot, theme: Theme) -> None:
    dialog = QFileDialog(options=QFileDialog.Option.DontUseNativeDialog)
    dialog.setStyleSheet(style_sheet_of(theme))
    qtbot.addWidget(dialog)
    dialog.show()
    pictured = [found for found in dialog.findChildren(QToolButton) if not found.icon().isNull()]
    assert len(pictured) >= 4
    for found in pictured:
        found.setEnabled(True)
        with_picture = found.grab().toImage()
        found.setIcon(QIcon())
        assert n_different(with_picture, found.grab().toImage()) > LEAST_ICON_PX, found.objectName()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_that_the_arrows_of_a_tab_bar_without_room_are_seen(qtbot: QtBot, theme: Theme) -> None:
    bar = QTabBar()
    bar.setStyleSheet(style_sheet_of(theme))
    qtbot.addWidget(bar)
    for i in range(9):
        bar.addTab(f"tab number {i}")
    bar.resize(200, 40)
    bar.show()
    arrows = [found for found in bar.findChildren(QToolButton) if found.isVisible()]
    assert len(arrows) == 2
    for arrow in arrows:
        shown = arrow.grab().toImage()
        middle = shown.copy(shown.width() // 4, shown.height() // 4, shown.width() // 2, shown.height() // 2)
        assert len({middle.pixel(x, y) for x in range(middle.width()) for y in range(middle.height())}) > 1


def test_that_a_short_list_of_choices_is_seen_as_a_whole(qtbot: QtBot, qapp: QApplication) -> None:
    """Under the style sheet of the program Qt's own list leaves room for an arrow that is not needed."""
    qapp.setStyleSheet(style_sheet_of(LIGHT))
    try:
        place = QWidget()
        box = ChoiceBox()
        box.addItems(["me", "Rename, merge…", "Add a writer…"])
        layout = QVBoxLayout(place)
        layout.addSpacing(150)
        layout.addWidget(box)
        qtbot.addWidget(place)
        place.resize(400, 400)
        with qtbot.waitExposed(place):
            place.show()
        box.showPopup()
        view = box.view()
        last = view.model().index(box.count() - 1, 0)
        qtbot.waitUntil(view.isVisible)
        assert 0 < view.visualRect(last).bottom() <= view.viewport().height()
        assert view.visualRect(last).height() >= LEAST_CHOICE_PX
        box.hidePopup()
    finally:
        qapp.setStyleSheet("")


class Pictures(QProxyStyle):
    """As on a desktop whose dialogs have pictures on their buttons."""

    @override
    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returned: QStyleHintReturn | None = None,
    ) -> int:
        return 1 if hint is PICTURES else super().styleHint(hint, option, widget, returned)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_that_the_buttons_of_a_dialog_are_words_without_pictures(qtbot: QtBot, theme: Theme) -> None:
    style, buttons = Pictures("fusion"), QDialogButtonBox()
    qtbot.addWidget(buttons)
    buttons.setStyle(style)
    assert buttons.style().styleHint(PICTURES, None, buttons) == 1
    buttons.setStyleSheet(style_sheet_of(theme))
    assert buttons.style().styleHint(PICTURES, None, buttons) == 0
