from __future__ import annotations

import math

import numpy as np

from qtdigits.core.score.metrics import Score, class_figures, wilson_interval


def test_that_recall_goes_by_what_was_drawn_and_precision_by_what_was_answered():
    score = Score(("A", "B"), np.array([[8, 2], [1, 9]]))
    a, b = class_figures(score)
    assert (a.label, a.drawn, a.answered, a.correct) == ("A", 10, 9, 8)
    assert (a.recall, a.precision) == (0.8, 8 / 9)
    assert (b.recall, b.precision) == (0.9, 9 / 11)
    assert a.recall_interval == wilson_interval(8, 10)
    assert b.precision_interval == wilson_interval(9, 11)


def test_that_a_class_that_was_never_drawn_or_never_answered_has_no_figure():
    score = Score(("A", "B"), np.array([[3, 0], [0, 0]]))
    _, unseen = class_figures(score)
    assert math.isnan(unseen.recall)
    assert math.isnan(unseen.precision)
