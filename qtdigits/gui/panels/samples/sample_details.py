"""The chosen drawings in detail, and what can be done with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import MAX_LABEL_LENGTH
from qtdigits.core.drawing.samples import Sample, Trial, Verdict
from qtdigits.core.formatting import percent
from qtdigits.gui.sample_edits import SampleEdits
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import draw_smooth_stroke, raster_image
from qtdigits.gui.widgets.parts import button, frame, label, named

MARGIN = 0.14
"""Share of the side that stays free around the ink."""
PEN_WIDTH = 0.045


class LargeDrawing(QWidget):
    """One drawing in a square as wide as its place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("largeDrawing")
        self.setAccessibleName("The chosen drawing")
        self._sample: Sample | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_sample(self, sample: Sample | None) -> None:
        self._sample = sample
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(200, 200)

    @override
    def heightForWidth(self, width: int) -> int:
        return min(width, 260)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        theme = theme_of(self)
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.setBrush(QColor(theme.canvas))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        if self._sample is None:
            return
        side = float(min(self.width(), self.height()))
        square = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        if self._sample.ink is None or self._sample.ink.is_blank:
            inset = side * MARGIN / 2
            image = raster_image(self._sample.raster, ink=theme.ink, paper=theme.canvas)
            painter.drawImage(square.adjusted(inset, inset, -inset, -inset), image)
        else:
            self._draw_ink(painter, self._sample.ink, square, QColor(theme.ink))

    def _draw_ink(self, painter: QPainter, ink: Ink, square: QRectF, colour: QColor) -> None:
        """Draw ink of any unit, fitted into the square."""
        left, top, right, bottom = ink.bounds
        side = square.width()
        scale = side * (1 - 2 * MARGIN) / max(right - left, bottom - top, 1e-6)
        middle = QPointF((left + right) / 2, (top + bottom) / 2)
        width = PEN_WIDTH * side
        for stroke in ink.strokes:
            positions = [
                square.center() + (QPointF(float(x), float(y)) - middle) * scale for x, y in stroke[:, :2]
            ]
            pressure = float(np.mean(stroke[:, 3]))
            draw_smooth_stroke(painter, positions, width * (0.45 + 0.55 * pressure), colour)


WIDTH_PX = 236
HEAVY = 5
MOST_LOOKED_AT = 300
"""The labels of more chosen drawings are not counted."""
WEIGHT_TIP = "How often it counts in a training"
NO_WEIGHT_TIP = "Held out: never trained on, so it cannot count for more"
HINT = "Choose a drawing to see it large. Several: Shift or Ctrl and click, or Ctrl+A."


class RelabelEntry(QLineEdit):
    """Keeps Enter to itself: the focus has moved on by then, and what has it would judge the canvas."""

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class SampleDetails(QWidget):
    """Shows the chosen drawings and changes them. Afterwards the keyboard goes to the widget's focus proxy."""

    def __init__(
        self, *, session: Session, edits: SampleEdits, ask: Ask, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFixedWidth(WIDTH_PX)
        self._session, self._edits, self._ask = session, edits, ask
        self._ids: list[int] = []
        self._weight = 1
        self._suggestion = ""
        self._drawing = LargeDrawing()
        self._heading = label(role="heading", name="drawingHeading", wraps=True)
        self._facts = label(role="muted", name="drawingFacts", wraps=True)
        self._doubt = frame("doubtBox")
        self._doubt_text = label(role="warning", name="doubtText", wraps=True)
        self._follow = button("", "followSuggestionButton", "Give it the label that it looks like")
        self._accept = button("", "acceptLabelButton", "The label is right: never doubt it again (Enter)")
        self._entry = named(RelabelEntry(), "relabelEntry")
        self._entry.setPlaceholderText("New label, Enter")
        self._entry.setAccessibleName("New label")
        self._entry.setMaxLength(MAX_LABEL_LENGTH)
        self._weigh = button("", "weightButton")
        self._delete = button("Delete", "deleteButton", "Can be undone, for 30 days (Del)")
        self._put_back = button("Put back", "putBackButton", "Out of the trash")
        self._lay_out()
        self._entry.returnPressed.connect(self._on_entered)
        self._follow.clicked.connect(self._on_follow)
        self._accept.clicked.connect(self._on_accept)
        self._weigh.clicked.connect(self._on_weigh)
        self._delete.clicked.connect(self.delete)
        self._put_back.clicked.connect(self._on_put_back)
        self.show_samples([])

    def show_samples(self, ids: Sequence[int], *, in_trash: bool = False) -> None:
        """Read the drawings of these ids from the store and show them."""
        self._ids = list(ids)
        if not ids:
            self._show_nothing(HINT)
        elif len(ids) > 1:
            self._show_many(in_trash=in_trash)
        else:
            sample = self._session.store.sample(ids[0])
            if sample is None:
                why = self._session.store.damaged.get(f"drawing {ids[0]}")
                self._show_nothing(
                    f"This drawing is damaged: {why}. To set it aside: qtdigits samples check --repair"
                    if why
                    else "This drawing has been removed."
                )
            else:
                self._show_one(sample, self._session.store.trial_of(ids[0]), in_trash=in_trash)

    def type_label(self, text: str) -> None:
        """Continue here what was begun to be typed elsewhere."""
        if self._entry.isVisible():
            self._entry.setText(text)
            self._entry.setFocus()

    def confirm(self) -> None:
        """Accept the label of a doubtful drawing, as Enter does on the canvas."""
        if not self._doubt.isHidden():
            self._on_accept()

    @Slot()
    def delete(self) -> None:
        """Delete the drawings shown, unless they are deleted already."""
        if not self._delete.isHidden():
            self._edits.delete(self._ids)

    def _lay_out(self) -> None:
        answers = QHBoxLayout(self._doubt)
        answers.setContentsMargins(0, 0, 0, 0)
        for choice in (self._follow, self._accept):
            choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # as wide as the other
            answers.addWidget(choice, 1)
        actions = QHBoxLayout()
        actions.addWidget(self._weigh, 1)
        actions.addWidget(self._delete, 1)
        actions.addWidget(self._put_back, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self._drawing, self._heading, self._doubt, self._entry):
            layout.addWidget(part)
        layout.addLayout(actions)
        layout.addWidget(self._doubt_text)  # below the buttons, as texts are of any height
        layout.addWidget(self._facts)
        layout.addStretch(1)
        self._facts.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)

    def _show_nothing(self, hint: str) -> None:
        self._drawing.hide()
        self._heading.setText("")
        self._facts.setText(hint)
        self._show_doubt(False)
        self._show_actions(False, in_trash=False)

    def _show_one(self, sample: Sample, trial: Trial | None, *, in_trash: bool) -> None:
        self._drawing.show_sample(sample)
        self._drawing.show()
        self._heading.setText(f"{sample.label} · {sample.writer}")
        self._facts.setText("\n".join(facts_of(sample, trial, in_trash=in_trash)))
        self._show_doubt(sample.suspicion is not None and not in_trash)
        if sample.suspicion is not None:
            doubt = sample.suspicion
            reason = f": {doubt.reason}" if doubt.reason else ""
            self._doubt_text.setText(
                f"Perhaps it is {doubt.suggestion} ({percent(doubt.score, 0)} sure){reason}. "
                "It does not count until you have decided."
            )
            self._suggestion = doubt.suggestion
            self._follow.setText(f"It is {doubt.suggestion}")
            self._accept.setText(f"{sample.label} is right")
        self._set_weight(sample.weight, can_count=not sample.held_out)
        self._show_actions(True, in_trash=in_trash)

    def _show_many(self, *, in_trash: bool) -> None:
        n = len(self._ids)
        found = self._session.store.thumbnails(self._ids) if n <= MOST_LOOKED_AT else []
        self._drawing.hide()
        self._heading.setText(f"{n:,} drawings")
        counts = Counter(one.label for one in found).most_common()
        self._facts.setText("   ".join(f"{name} × {count:,}" for name, count in counts[:12]))
        self._show_doubt(False)
        self._set_weight(HEAVY if found and all(one.weight >= HEAVY for one in found) else 1)
        self._show_actions(True, in_trash=in_trash)

    def _show_doubt(self, is_shown: bool) -> None:
        self._doubt.setVisible(is_shown)
        self._doubt_text.setVisible(is_shown)

    def _show_actions(self, are_shown: bool, *, in_trash: bool) -> None:
        for part in (self._entry, self._weigh, self._delete):
            part.setVisible(are_shown and not in_trash)
        self._put_back.setVisible(are_shown and in_trash)
        self._entry.clear()

    def _set_weight(self, weight: int, *, can_count: bool = True) -> None:
        self._weight = weight
        self._weigh.setEnabled(can_count)
        self._weigh.setToolTip(WEIGHT_TIP if can_count else NO_WEIGHT_TIP)
        self._weigh.setText(f"Count × {HEAVY}" if weight == 1 else "Count once")

    def _relabel(self, text: str) -> None:
        question = f"“{text}” is not a class yet. Add it as a new class?"
        if text in self._session.store.classes() or self._ask.yes("A new class", question):
            self._edits.relabel(self._ids, text)
            self.setFocus()

    @Slot()
    def _on_entered(self) -> None:
        if text := self._entry.text().strip():
            self._relabel(text)

    @Slot()
    def _on_follow(self) -> None:
        self._relabel(self._suggestion)

    @Slot()
    def _on_accept(self) -> None:
        self._edits.accept_labels(self._ids)
        self.setFocus()

    @Slot()
    def _on_weigh(self) -> None:
        self._edits.set_weight(self._ids, HEAVY if self._weight == 1 else 1)

    @Slot()
    def _on_put_back(self) -> None:
        self._edits.put_back(self._ids)


def facts_of(sample: Sample, trial: Trial | None, *, in_trash: bool = False) -> list[str]:
    """Return lines about when and how it was drawn, what the model read, and what the drawing is used for."""
    when = sample.drawn_at.astimezone().strftime("%d %b %Y, %H:%M")
    how = sample.device if sample.ink is not None and sample.device else sample.origin.value
    lines = [f"{when} · {how}", _reading_of(trial)]
    if in_trash:
        lines.append("Deleted: neither trained on nor scored.")
    elif sample.held_out:
        lines.append("Held out: measured with, never trained on.")
    elif sample.weight != 1:
        lines.append(f"Counts {sample.weight} times in a training.")
    if sample.is_reviewed:
        lines.append("Reviewed: the label is right.")
    return lines


def _reading_of(trial: Trial | None) -> str:
    if trial is None:
        return "Not judged yet."
    ranked = sorted(zip(trial.probabilities, trial.classes, strict=True), reverse=True)[:2]
    surest = " or ".join(f"{name} ({percent(p, 0)})" for p, name in ranked if p >= 0.005)
    verb = "read" if trial.verdict is Verdict.CONFIRMED else "misread"
    return f"{trial.model} {verb} it: {surest}."
