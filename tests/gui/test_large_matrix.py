from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF

from qtdigits.core.score.metrics import Score
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix


def test_that_a_matrix_of_two_hundred_classes_shows_right_and_wrong_answers(qtbot) -> None:
    counts = np.diag(np.full(200, 9))
    counts[30, 120] = 4
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(640, 640)
    matrix.set_score(Score(tuple(f"c{i}" for i in range(200)), counts))
    picture = matrix.grab().toImage()

    def colour(row: int, column: int) -> str:
        point: QPointF = matrix.cell_rect(row, column).center()
        return picture.pixelColor(round(point.x()), round(point.y())).name()

    assert colour(5, 5) == colour(120, 120)
    assert len({colour(5, 5), colour(30, 120), colour(5, 6)}) == 3
    assert "c30 read as c120: 4 of 13" in matrix.describe(30, 120)
