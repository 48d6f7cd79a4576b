"""What the style sheet of the program does to dialogs that Qt makes itself."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QFileDialog, QToolButton
from pytestqt.qtbot import QtBot

from qtdigits.gui.widgets.theme import DARK, LIGHT, Theme, style_sheet_of

LEAST_ICON_PX = 60


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
