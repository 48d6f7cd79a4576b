"""The answer under the canvas: label, probability, a bar for every class, what the network sees, and the label entry."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QRectF, Qt, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.drawing.labels import DIGITS, MAX_LABEL_LENGTH, with_article
from qtdigits.core.drawing.samples import Raster
from qtdigits.core.formatting import percent
from qtdigits.core.judging import Reading
from qtdigits.errors import QtDigitsError
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.panels.drawing.because import BecauseRow
from qtdigits.gui.panels.drawing.class_bars import ClassBars
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import raster_image
from qtdigits.gui.widgets.parts import button, give_role, heavy_font, label, named


class Preview(QWidget):
    """The 28x28 raster that the network sees, white on black as it is, every pixel a square."""

    SIDE = 84

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self.setFixedSize(self.SIDE, self.SIDE)
        self.setAccessibleName("What the network sees, 28 by 28 pixels")

    def show_raster(self, raster: Raster | None) -> None:
        self._image = None if raster is None else raster_image(raster, ink="#ffffff", paper="#000000")
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme_of(self).field))
            painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        else:
            painter.drawImage(QRectF(self.rect()), self._image)
        painter.end()


class LabelEntry(QLineEdit):
    """Where the right label is typed. Undo and redo are the window's while nothing is typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("labelEntry")
        self.setAccessibleName("Right label")
        self.setToolTip("Type the right label and press Enter; Enter alone says that the answer is right")
        self.setMaxLength(MAX_LABEL_LENGTH)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFixedWidth(84)
        self.setFont(heavy_font(self, 1.4))

    @override
    def event(self, event: QEvent) -> bool:
        keys = QKeySequence.StandardKey
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and not self.text()
            and any(event.matches(key) for key in (keys.Undo, keys.Redo))
        ):
            event.ignore()
            return False
        return super().event(event)


ANSWER_SIZES = (5, 3.4, 2.4, 1.7, 1.2)
"""Of the answer's font, the first with which a label has room: what is shown must not push the bars."""
GUESS_PX = 70
"""So much of a guessed label stands on its button, which must leave room for the hint."""


class AnswerPanel(QFrame):
    """Shows the session's reading and takes the person's judgement of it."""

    def __init__(
        self,
        *,
        session: Session,
        guided: GuidedSession,
        preferences: Preferences,
        ask: Ask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._guided = guided
        self._preferences = preferences
        self._ask = ask
        self._is_new = False
        """Whether what is typed would make a new class."""
        self.setProperty("card", True)
        self._answer = named(QLabel(), "answerLabel")
        self._answer.setAccessibleName("Answer")
        self._answer.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._probability = named(QLabel(), "probabilityLabel")
        self._probability.setAccessibleName("Probability of the answer")
        self._probability.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._probability.setProperty("role", "good")
        self._probability.setWordWrap(True)
        self._bars = ClassBars()
        self._preview = Preview()
        self._because = BecauseRow(width=Preview.SIDE)
        self._network_alone = label(role="muted", name="networkAloneLabel")
        self._network_alone.setAccessibleName("What the network alone answers")
        self._network_alone.setAlignment(Qt.AlignmentFlag.AlignCenter)
        caption = label("what it sees", role="muted")
        caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.entry = LabelEntry()
        self._hint = named(QLabel(), "judgingHint")
        self._hint.setTextFormat(Qt.TextFormat.RichText)
        self._hint.setMinimumWidth(96)
        self._fix = button(
            "Fix", "fixButton", "The answer is wrong: store the drawing with the label that was typed"
        )
        self._right = button("Right", "rightButton", "The answer is right (Enter)")
        self._lay_out(caption)
        self._set_big_font()
        self.entry.returnPressed.connect(self._submit)
        self.entry.textEdited.connect(self._on_typed)
        self._bars.class_chosen.connect(self._choose)
        self._fix.clicked.connect(self._submit_correction)
        self._right.clicked.connect(self._confirm)
        self._because.clicked.connect(self._show_drawings_behind)
        session.reading_changed.connect(self._show_reading)
        session.memory_changed.connect(self._show_bars)
        session.memory_changed.connect(self._update_hint)
        session.saving_changed.connect(self._update_hint)
        guided.changed.connect(self._on_guided_changed)
        self._show_reading()

    def judge(self, typed: str) -> None:
        """Confirm the answer ("") or correct it, after asking about a class that is new. A guess is no answer to confirm."""
        if self._session.ink.is_blank or self._session.is_saving:
            return
        meant = self._guided.label_for(typed)
        if not meant.strip() and self._guess:
            self._ask_for_label()
            return
        is_new = not self._is_known(meant)
        if is_new and not self._ask.yes("A new class", self._question(meant.strip())):
            return
        self._session.judge(meant, then=partial(self._on_stored, meant.strip() if is_new else ""))

    def _on_stored(self, new: str) -> None:
        """`new`: the label of a new class, "" if there is none."""
        self.drop_entry()
        if new:
            is_read = self._session.memory is not None
            then = (
                "It is read from the next drawing on"
                if is_read
                else "Draw some more of it, then learn your hand"
            )
            self._session.tell(f"“{new}” is a class now. {then}.")

    def _question(self, new: str) -> str:
        if new in self._session.store.classes():
            return (
                f"“{new}” is not in the set “{self._session.class_set}”. Add it and store this drawing in it?"
            )
        return f"“{new}” is not a class yet. Add it as a new class and store this drawing in it?"

    def drop_entry(self) -> None:
        self.entry.clear()
        self._update_hint()

    @Slot()
    def _show_reading(self) -> None:
        reading = self._session.reading
        is_sure = reading is None or reading.is_sure
        self._show_answer(_answer_text(reading))
        self._probability.setText(_probability_text(reading))
        for shown, role in ((self._answer, ""), (self._probability, "good")):
            give_role(shown, role if is_sure else "warning")
        self._show_bars()
        self._because.show_drawings(reading, self._session.drawings_behind(reading) if reading else ())
        alone = (
            f"the network alone: {reading.network_label}" if reading and reading.is_changed_by_memory else ""
        )
        self._network_alone.setText(alone)
        self._preview.show_raster(reading.raster if reading else None)
        self._right.setEnabled(reading is not None)
        self._fix.setEnabled(not self._session.ink.is_blank)
        self._name_right()
        self._update_hint()

    def _show_answer(self, text: str) -> None:
        """As large as it has room; only a label that is very long is elided."""
        width = self._answer.width()
        fonts = [heavy_font(self, size) for size in ANSWER_SIZES]
        font = next((f for f in fonts if QFontMetrics(f).horizontalAdvance(text) <= width), fonts[-1])
        self._answer.setFont(font)
        self._answer.setText(QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width))
        self._answer.setToolTip(text)

    @Slot()
    def _show_bars(self) -> None:
        self._bars.show_reading(self._session.reading, self._session.labels, self._session.label_set)

    @Slot()
    def _show_drawings_behind(self) -> None:
        if reading := self._session.reading:
            self._session.select_samples(
                f"behind the answer {reading.label}", [neighbour.key for neighbour in reading.because]
            )

    @Slot()
    def _on_guided_changed(self) -> None:
        self._name_right()
        self._update_hint()
        if self._guided.run is not None:
            self.entry.setFocus()

    def _lay_out(self, caption: QLabel) -> None:
        preview = QVBoxLayout()
        preview.setSpacing(3)
        preview.addWidget(self._preview, 0, Qt.AlignmentFlag.AlignHCenter)
        preview.addWidget(caption)
        preview.addStretch(1)
        preview.addWidget(self._because, 0, Qt.AlignmentFlag.AlignHCenter)
        answer = QVBoxLayout()
        answer.addStretch(1)
        answer.addWidget(self._answer)
        answer.addWidget(self._probability)
        answer.addWidget(self._network_alone)
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
        self._answer.setFont(heavy_font(self, ANSWER_SIZES[0]))
        self._answer.setMinimumHeight(self._answer.fontMetrics().capHeight() + 24)
        figure = heavy_font(self, 1.25)
        self._probability.setFont(figure)
        # wide enough for a model that is not sure, so that the bars stay where they are
        for part in (self._answer, self._probability):
            part.setFixedWidth(QFontMetrics(figure).horizontalAdvance("perhaps 0, 00 %") + 4)

    @property
    def _guess(self) -> str:
        """The label that a model which is not sure gives; "" where it is sure."""
        reading = self._session.reading
        return reading.label if reading is not None and not reading.is_sure else ""

    def _name_right(self) -> None:
        """A guess is not an answer that could be right, and in a guided session the label is known."""
        if asked := self._guided.asked:
            text, tip = f"It is {with_article(asked)}", "Store the drawing as what was asked for (Enter)"
        elif guess := self._guess:
            named = self._right.fontMetrics().elidedText(guess, Qt.TextElideMode.ElideRight, GUESS_PX)
            text, tip = f"It is {named}", f"Store the drawing as {guess}, which it was guessed to be"
        else:
            text, tip = "Right", "The answer is right (Enter)"
        self._right.setText(text.replace("&", "&&"))
        self._right.setToolTip(tip)
        self._right.setAccessibleDescription(tip)

    @Slot()
    def _submit(self) -> None:
        self.judge(self.entry.text())

    @Slot()
    def _submit_correction(self) -> None:
        if self.entry.text().strip():
            self._submit()
        else:
            self._ask_for_label()

    def _ask_for_label(self) -> None:
        colour = theme_of(self).warning
        self._hint.setText(f'<span style="color:{colour}">Type the right<br>label first.</span>')
        self.entry.setFocus()

    @Slot()
    def _confirm(self) -> None:
        self.entry.clear()
        self.judge("" if self._guided.asked else self._guess)

    @Slot(str)
    def _choose(self, label: str) -> None:
        """A click on a class's bar is the same as typing its label: correcting works without a keyboard too."""
        if not self._session.ink.is_blank:
            self.entry.setText(label)
            self._on_typed(label)

    @Slot(str)
    def _on_typed(self, text: str) -> None:
        self._is_new = not self._is_known(text)
        self._update_hint()
        reading = self._session.reading
        classes = reading.classes if reading else self._session.labels
        if (
            self._preferences.key_alone_corrects
            and not self._session.ink.is_blank
            and text.strip() in classes
        ):
            self._submit()

    def _update_hint(self) -> None:
        """Say what Enter would do now."""
        typed, asked, reading = self.entry.text().strip(), self._guided.asked, self._session.reading
        muted = theme_of(self).text_muted
        if self._session.is_saving:
            text = f'Saving …<br><span style="color:{muted}">Esc: do not store it</span>'
        elif self._session.ink.is_blank:
            are_digits = set(self._session.labels) <= set(DIGITS.labels)
            what = _escaped(with_article(asked)) if asked else "a digit" if are_digits else "something"
            text = f'<span style="color:{muted}">Draw {what}</span>'
        elif typed and typed != (asked or (reading.label if reading else "")):
            first = "Enter: a new class" if self._is_new else "Enter: it is"
            text = f"{first}<br><b>{_escaped(typed)}</b>"
        elif asked:
            text = f'Enter: it is {_escaped(with_article(asked))}<br><span style="color:{muted}">as asked for</span>'
        else:
            is_key_alone = self._preferences.key_alone_corrects
            if self._guess:
                first, second = "What is it?", "type its label" if is_key_alone else "its label + Enter"
            else:
                first, second = (
                    "Enter: it is right",
                    "a key corrects it" if is_key_alone else "key + Enter: correct it",
                )
            text = f'{first}<br><span style="color:{muted}">{second}</span>'
        self._hint.setText(text)

    def _is_known(self, typed: str) -> bool:
        try:
            return self._session.is_known(typed)
        except QtDigitsError:
            return True  # judging says what is wrong

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._update_hint()


def _answer_text(reading: Reading | None) -> str:
    if reading is None:
        return ""
    return reading.label if reading.is_sure else "?"


def _probability_text(reading: Reading | None) -> str:
    if reading is None:
        return ""
    if reading.is_sure:
        return percent(reading.probability)
    if reading.is_unlike_all:
        return f"looks new: perhaps {reading.label}"
    return f"not sure: perhaps {reading.label}, {percent(reading.probability, 0)}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
