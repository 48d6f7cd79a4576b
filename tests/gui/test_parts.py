"""Labels of several lines: where they may break."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from qtdigits.gui.widgets.parts import label


@pytest.mark.parametrize(
    "pieces",
    [
        ["MNIST", "99.90 → 99.60 %"],
        ["(likely", "0.1 to 2.9 %)"],
        ["(95 % interval", "-5.3 to +13.4):", "draw", "on"],
        ["lost:", "0.3 points", "of", "1,000"],
        ["a", "95 % interval", "to", "the", "letter"],
    ],
)
def test_that_a_line_ends_neither_before_a_unit_nor_within_a_range(qtbot: QtBot, pieces: list[str]) -> None:
    shown = label(wraps=True)
    qtbot.addWidget(shown)
    shown.setText(" ".join(pieces))
    painted = QLabel.text(shown)
    assert [piece.replace("\N{NO-BREAK SPACE}", " ") for piece in painted.split(" ")] == pieces
    assert shown.text() == " ".join(pieces)
