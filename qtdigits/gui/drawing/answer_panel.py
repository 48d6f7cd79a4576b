"""The answer under the canvas: label, probability, a bar for every class, what the network sees, and the label entry."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from qtdigits.core.drawing.labels import with_article
from qtdigits.gui.drawing.class_bars import ClassBars
from qtdigits.gui.drawing.label_entry import LabelEntry
from qtdigits.gui.drawing.preview import Preview
from qtdigits.gui.session import Reading
from qtdigits.gui.texts import percent
from qtdigits.gui.widgets.naming import named
from qtdigits.gui.widgets.parts import button, give_role
from qtdigits.gui.widgets.theme import Theme


class AnswerPanel(QFrame):
    """Shows a `Reading` and takes the person's word.

    `judged` carries the label that was typed, "" to confirm the answer.
    """

    judged = Signal(str)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.key_alone_corrects = False
        self._classes: tuple[str, ...] = ()
        self._has_drawing = False
        self._asked = ""
        self._reading: Reading | None = None

        self._answer = named(QLabel(), "answerLabel")
        self._answer.setAccessibleName("Answer")
        self._answer.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._probability = named(QLabel(), "probabilityLabel")
        self._probability.setAccessibleName("Probability of the answer")
        self._probability.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._probability.setProperty("role", "good")
        self._probability.setWordWrap(True)
        self._bars = ClassBars(theme=theme)
        self._preview = Preview(theme=theme)
        caption = QLabel("what it sees")
        caption.setProperty("role", "muted")
        caption.setAlignment(Qt.AlignmentFlag.AlignCenter)

        self.entry = LabelEntry()
        self._hint = QLabel()
        self._hint.setTextFormat(Qt.TextFormat.RichText)
        self._hint.setMinimumWidth(96)
        self._fix = button(
            "Fix", "fixButton", "The answer is wrong: store the drawing with the label that was typed"
        )
        self._right = button("Right", "rightButton", "The answer is right (Enter)")

        self._lay_out(caption)
        self._set_big_font()
        self.set_theme(theme)

        self.entry.submitted.connect(self._submit)
        self.entry.textEdited.connect(self._on_typed)
        self._bars.class_chosen.connect(self._choose)
        self._fix.clicked.connect(self._submit_correction)
        self._right.clicked.connect(self._confirm)
        self.show_reading(None, has_drawing=False)

    @property
    def hint(self) -> str:
        """What Enter would do now, as rich text."""
        return self._hint.text()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._bars.set_theme(theme)
        self._preview.set_theme(theme)
        self._update_hint()

    def show_reading(self, reading: Reading | None, *, has_drawing: bool) -> None:
        self._has_drawing = has_drawing
        self._reading = reading
        is_sure = reading is None or reading.is_sure
        self._answer.setText(_answer_text(reading))
        self._probability.setText(_probability_text(reading))
        for shown, role in ((self._answer, ""), (self._probability, "good")):
            give_role(shown, role if is_sure else "warning")
        self._bars.show_reading(reading)
        self._preview.show_raster(reading.raster if reading else None)
        self._classes = reading.classes if reading else self._classes
        self._right.setEnabled(reading is not None)
        self._name_right()
        self._fix.setEnabled(has_drawing)
        self._update_hint()

    def set_classes(self, classes: tuple[str, ...]) -> None:
        self._classes = classes
        self._bars.set_classes(classes)

    def set_asked(self, label: str) -> None:
        """In a guided session the label is known: Enter stores the drawing under it. "" without one."""
        self._asked = label
        self._name_right()
        self._update_hint()

    def drop_entry(self) -> None:
        self.entry.clear()
        self._update_hint()

    def _lay_out(self, caption: QLabel) -> None:
        preview = QVBoxLayout()
        preview.addWidget(self._preview, 0, Qt.AlignmentFlag.AlignHCenter)
        preview.addWidget(caption)
        preview.addStretch(1)
        answer = QVBoxLayout()
        answer.addStretch(1)
        answer.addWidget(self._answer)
        answer.addWidget(self._probability)
        answer.addStretch(1)
        reading = QGridLayout()
        reading.setHorizontalSpacing(16)
        reading.addLayout(answer, 0, 0)
        reading.addWidget(self._bars, 0, 1)
        reading.addLayout(preview, 0, 2)
        reading.setColumnMinimumWidth(0, 96)
        reading.setColumnStretch(1, 1)
        rule = QFrame()
        rule.setFixedHeight(1)
        rule.setProperty("rule", True)
        correcting = QHBoxLayout()
        correcting.setSpacing(8)
        correcting.addWidget(self.entry)
        correcting.addWidget(self._hint, 1)
        for choice in (self._right, self._fix):
            correcting.addWidget(choice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addLayout(reading, 1)
        layout.addWidget(rule)
        layout.addLayout(correcting)

    def _set_big_font(self) -> None:
        big = QFont(self.font())
        big.setPointSizeF(self.font().pointSizeF() * 5)
        big.setWeight(QFont.Weight.DemiBold)
        self._answer.setFont(big)
        self._answer.setMinimumHeight(self._answer.fontMetrics().capHeight() + 24)
        figure = QFont(self.font())
        figure.setPointSizeF(self.font().pointSizeF() * 1.25)
        figure.setWeight(QFont.Weight.DemiBold)
        self._probability.setFont(figure)
        # wide enough for a model that is not sure, so that the bars stay where they are
        self._probability.setFixedWidth(QFontMetrics(figure).horizontalAdvance("perhaps 0, 00 %") + 4)

    def _name_right(self) -> None:
        """What the button says: there is no answer to be right where the model only guesses, or where the label was asked for."""
        guess = self._reading.answer if self._reading and not self._reading.is_sure else ""
        if self._asked:
            text, tip = (
                f"It is {with_article(self._asked)}",
                "Store the drawing as what was asked for (Enter)",
            )
        elif guess:
            text, tip = f"It is {guess}", "Store the drawing as what it was guessed to be (Enter)"
        else:
            text, tip = "Right", "The answer is right (Enter)"
        self._right.setText(text.replace("&", "&&"))
        self._right.setToolTip(tip)
        self._right.setAccessibleDescription(tip)

    @property
    def _best_guess(self) -> str:
        return self._reading.answer if self._reading else ""

    def _submit(self) -> None:
        self.judged.emit(self.entry.text())

    def _submit_correction(self) -> None:
        if self.entry.text().strip():
            self._submit()
        else:
            self._hint.setText(
                f'<span style="color:{self._theme.warning}">Type the right<br>label first.</span>'
            )
            self.entry.setFocus()

    def _confirm(self) -> None:
        self.entry.clear()
        self.judged.emit("")

    def _choose(self, label: str) -> None:
        """A click on a class's bar is the same as typing its label: correcting works without a keyboard too."""
        if not self._has_drawing:
            return
        self.entry.setText(label)
        self._on_typed(label)

    def _on_typed(self, text: str) -> None:
        self._update_hint()
        if self.key_alone_corrects and self._has_drawing and text.strip() in self._classes:
            self._submit()

    def _update_hint(self) -> None:
        typed = self.entry.text().strip()
        muted = self._theme.text_muted
        if not self._has_drawing:
            what = _escaped(with_article(self._asked)) if self._asked else "a digit"
            text = f'<span style="color:{muted}">Draw {what}</span>'
        elif typed and typed != (self._asked or self._best_guess):
            text = f"Enter: it is<br><b>{_escaped(typed)}</b>"
        elif self._asked:
            text = f'Enter: it is {_escaped(with_article(self._asked))}<br><span style="color:{muted}">as asked for</span>'
        else:
            second = "a key puts it right" if self.key_alone_corrects else "key + Enter: put right"
            guess = self._reading if self._reading and not self._reading.is_sure else None
            first = f"it is {_escaped(guess.answer)}" if guess else "it is right"
            text = f'Enter: {first}<br><span style="color:{muted}">{second}</span>'
        self._hint.setText(text)


def _answer_text(reading: Reading | None) -> str:
    if reading is None:
        return ""
    return reading.answer if reading.is_sure else "?"


def _probability_text(reading: Reading | None) -> str:
    if reading is None:
        return ""
    if reading.is_sure:
        return percent(reading.probability)
    return f"not sure: perhaps {reading.answer}, {percent(reading.probability, 0)}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
