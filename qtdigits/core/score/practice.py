"""Practice: which class is worth drawing next, and guided sessions that ask for digits until their figure is precise enough.

Each class is judged by the upper end of the Wilson interval of its errors among its latest drawings. A class that has hardly
been drawn may be read as badly as one that is often misread; both are worth a drawing more than one that was read right a
dozen times (optimism in the face of uncertainty: Lai and Robbins 1985).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.formatting import listed
from qtdigits.core.score.metrics import wilson_band, wilson_interval

LATEST = 12
"""So many of the latest drawings of each class count."""
FEW = 5
"""With fewer drawings of a class than this, their number is the reason to draw it."""
MOST_NAMED = 3
FIRST_DRAWINGS, KNOWS_IT = 10, 50
"""Drawings of the first step, and with how many nobody needs the steps any more."""


@dataclass(frozen=True)
class JudgedReading:
    """A judged drawing: what was drawn, what was read, by which model."""

    truth: str
    answer: str
    model: str = ""

    @property
    def is_right(self) -> bool:
        return self.truth == self.answer


@dataclass(frozen=True)
class PracticeAdvice:
    """`labels` are the classes worth drawing, the most worthwhile first; `sentence` says so, and why."""

    labels: tuple[str, ...]
    sentence: str


def advise(readings: Sequence[JudgedReading], labels: Sequence[str], *, model: str = "") -> PracticeAdvice:
    """Advise one writer what to draw next. `readings` are his, oldest first; `labels` the classes to choose from.

    `model` is the one in use: errors of other models are named as theirs.
    """
    if not labels:
        return PracticeAdvice((), "")
    latest = _latest(readings, labels)
    last_at = {reading.truth: i for i, reading in enumerate(readings)}
    worth = {label: _worst_case(latest[label]) for label in labels}
    # Among equals the one that was drawn longest ago.
    order = sorted(labels, key=lambda label: (-worth[label], last_at.get(label, -1)))
    first = order[0]
    if len(latest[first]) < FEW:
        return _draw_more(order, latest)
    wrong = [r for r in latest[first] if not r.is_right]
    if wrong:
        return PracticeAdvice((first,), _misread(first, wrong, latest[first], model))
    if len(latest[first]) < LATEST:
        return PracticeAdvice(
            (first,), f"Draw some {plural(first)}: all {len(latest[first])} so far were read right."
        )
    return PracticeAdvice(
        (first,),
        f"Every class was read right the last {LATEST} times; {_quoted(first)} was drawn longest ago.",
    )


@dataclass(frozen=True)
class ClassAdvice:
    """What one class needs, in a few words. `is_wanted`: more drawings of it would help."""

    text: str
    is_wanted: bool = False
    is_misread: bool = False


def advise_classes(readings: Sequence[JudgedReading], labels: Iterable[str]) -> dict[str, ClassAdvice]:
    """Say of each class what `advise` would say if it came first: too few drawings, some misread, or all read right.

    Nothing while nothing at all was judged.
    """
    if not readings:
        return dict.fromkeys(labels, ClassAdvice(""))
    return {label: _advice_of(latest) for label, latest in _latest(readings, labels).items()}


def _latest(readings: Sequence[JudgedReading], labels: Iterable[str]) -> dict[str, list[JudgedReading]]:
    """Return the latest readings of each class, oldest first."""
    found: dict[str, list[JudgedReading]] = {label: [] for label in labels}
    for reading in reversed(readings):
        of_class = found.get(reading.truth)
        if of_class is not None and len(of_class) < LATEST:
            of_class.append(reading)
    return {label: of_class[::-1] for label, of_class in found.items()}


def _advice_of(latest: Sequence[JudgedReading]) -> ClassAdvice:
    n, wrong = len(latest), sum(not r.is_right for r in latest)
    if n < FEW:
        return ClassAdvice(
            f"draw {FEW - n} more" if n else f"draw {FEW}", is_wanted=True, is_misread=wrong > 0
        )
    if wrong:
        return ClassAdvice(f"{wrong} of {n} misread", is_wanted=True, is_misread=True)
    return ClassAdvice("all read right" if n < LATEST else f"last {n} right")


@dataclass(frozen=True)
class FirstStep:
    """One of the steps by which somebody new sees the program learn."""

    text: str
    is_done: bool


def first_steps(readings: Sequence[JudgedReading], *, has_learned: bool = False) -> tuple[FirstStep, ...]:
    """Return the steps of one writer, () once all are done or he has drawn enough to know the program.

    The last is done when a class that was misread is read right later, or when `has_learned`: a network learned this hand.
    """
    n = len(readings)
    misread: set[str] = set()
    is_seen = has_learned
    for reading in readings:
        if not reading.is_right:
            misread.add(reading.truth)
        elif reading.truth in misread:
            is_seen = True
    are_digits = all(reading.truth in DIGITS for reading in readings)
    draw = f"Draw {FIRST_DRAWINGS} digits" if are_digits else f"Draw {FIRST_DRAWINGS} times"
    steps = (
        FirstStep(draw + (f": {n} so far" if 0 < n < FIRST_DRAWINGS else ""), n >= FIRST_DRAWINGS),
        FirstStep("Correct one that it misreads", bool(misread)),
        FirstStep("Draw it again, see it learn", bool(misread) and is_seen),
    )
    is_over = n >= KNOWS_IT or all(step.is_done for step in steps)
    return () if is_over else steps


def plural(label: str) -> str:
    """Such as "7s"; other labels in quotes, as "As" would be another word."""
    return f"{label}s" if label.isdigit() else f"more “{label}”"


def _worst_case(latest: Sequence[JudgedReading]) -> float:
    wrong = sum(not r.is_right for r in latest)
    return wilson_interval(wrong, len(latest))[1]


def _draw_more(order: Sequence[str], latest: dict[str, list[JudgedReading]]) -> PracticeAdvice:
    """Advise the classes with as few drawings as the first, in their order."""
    few = len(latest[order[0]])
    alike = [label for label in order if len(latest[label]) == few]
    named = tuple(alike[:MOST_NAMED])
    if not few and len(alike) == len(order):
        return PracticeAdvice(named, "Draw each class a few times: nothing of yours has been judged yet.")
    drawn = "none" if not few else f"only {few}"
    each = " of each" if len(named) > 1 else ""
    return PracticeAdvice(
        named, f"Draw some {listed([plural(label) for label in named])}: {drawn}{each} judged so far."
    )


def _misread(label: str, wrong: Sequence[JudgedReading], latest: Sequence[JudgedReading], model: str) -> str:
    (answer, count), *others = Counter(r.answer for r in wrong).most_common()
    were = "was" if len(wrong) == 1 else "were"
    if others:
        what = f"{were} misread, {count} of them as {answer}" if count > 1 else f"{were} misread"
    else:
        what = f"{were} read as {answer}"
    said = f"Draw some {plural(label)}: {len(wrong)} of your last {len(latest)} {what}"
    if not model or any(r.model == model for r in wrong):
        return f"{said}."
    last = max(i for i, reading in enumerate(latest) if not reading.is_right)
    n = sum(reading.model == model for reading in latest[last + 1 :])
    since = f"; the model in use has read {n} of {n} right since" if n else ""
    return f"{said}, by earlier models{since}."


def _quoted(label: str) -> str:
    return f"the {label}" if label.isdigit() else f"“{label}”"


LEAST_DRAWINGS = 30
MOST_DRAWINGS = 300
EXPECTED_RIGHT, EXPECTED_WEIGHT = 0.99, 20
"""Prior for the expected number of drawings: this share is read right, with the weight of so many drawings."""


def prompt_order(labels: Sequence[str], seed: int) -> Iterator[str]:
    """Yield labels without end, in shuffled blocks of every label once; no label comes twice in a row.

    So no label is ever asked for more than once more than another, and the next cannot be foreseen (permuted blocks, as in
    clinical trials).
    """
    rng = np.random.default_rng(seed)
    last = ""
    while labels:
        block = [labels[i] for i in rng.permutation(len(labels))]
        if len(block) > 1 and block[0] == last:
            place = int(rng.integers(1, len(block)))
            block[0], block[place] = block[place], block[0]
        yield from block
        last = block[-1]


@dataclass(frozen=True)
class Goal:
    """A guided session ends when the 95 % interval reaches no farther than `half_width` to either side, on average.

    Not before `least` drawings, and with `most` in any case: a model that reads badly would need far more.
    """

    half_width: float
    least: int = LEAST_DRAWINGS
    most: int = MOST_DRAWINGS

    def is_reached(self, correct: int, n: int) -> bool:
        """After `n` drawings, `correct` of them read right."""
        low, high = wilson_interval(correct, n)
        return n >= self.most or (n >= self.least and (high - low) / 2 <= self.half_width)

    def expected_drawings(self, correct: int, n: int) -> int:
        """Estimate how many drawings it will take in all, if as many are right from now on as so far."""
        share = (correct + EXPECTED_RIGHT * EXPECTED_WEIGHT) / (n + EXPECTED_WEIGHT)
        totals = np.arange(max(n, self.least), max(n, self.least, self.most) + 1)
        low, high = wilson_band(np.rint(correct + share * (totals - n)), totals)
        is_enough = (totals >= self.most) | ((high - low) / 2 <= self.half_width)
        total = int(totals[is_enough.argmax()])
        return min(self.most, 10 * math.ceil(total / 10)) if total > n else n


@dataclass(frozen=True)
class GuidedDrawing:
    """A judged drawing of a guided session. `was_asked`: the truth is the digit that was asked for."""

    was_asked: bool
    is_right: bool


@dataclass(frozen=True)
class GuidedProgress:
    """The progress of a guided session. A label that was asked for and drawn as something else counts, and is asked for again."""

    labels: tuple[str, ...]
    seed: int
    goal: Goal
    judged: tuple[GuidedDrawing, ...] = ()
    skipped: int = 0

    @property
    def asked(self) -> str:
        """The label to draw next."""
        done = sum(j.was_asked for j in self.judged)
        return next(islice(prompt_order(self.labels, self.seed), done, None), "")

    @property
    def n(self) -> int:
        return len(self.judged)

    @property
    def correct(self) -> int:
        return sum(j.is_right for j in self.judged)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %, of the accuracy so far."""
        return wilson_interval(self.correct, self.n)

    @property
    def expected_drawings(self) -> int:
        return self.goal.expected_drawings(self.correct, self.n)

    @property
    def is_done(self) -> bool:
        return self.goal.is_reached(self.correct, self.n)

    def with_drawing(self, truth: str, *, is_right: bool) -> GuidedProgress:
        """`truth` is the label that was judged, which need not be the one that was asked for."""
        return replace(self, judged=(*self.judged, GuidedDrawing(truth == self.asked, is_right)))

    def with_skipped(self, change: int = 1) -> GuidedProgress:
        return replace(self, skipped=max(0, self.skipped + change))

    def without_last(self) -> GuidedProgress:
        return replace(self, judged=self.judged[:-1])
