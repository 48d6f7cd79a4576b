"""The coach: which class is worth drawing next, and why, in one sentence.

Each class is judged by the upper end of the Wilson interval of its errors among its latest drawings: how badly it may
be read, as far as anybody can know. A class that has hardly been drawn may be read as badly as one that is often misread;
both are worth a drawing more than one that was read right a dozen times (optimism in the face of uncertainty: Lai and
Robbins 1985).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from qtdigits.core.score.metrics import wilson_interval

LATEST = 12
"""So many drawings of each class count: what was misread long ago has been learned meanwhile, or comes again."""
FEW = 5
"""With fewer drawings of a class than this, their number is the reason to draw it."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Reading:
    """A judged drawing as the coach sees it: what was drawn, what was read, by which model."""

    truth: str
    answer: str
    model: str = ""

    @property
    def is_right(self) -> bool:
        return self.truth == self.answer


@dataclass(frozen=True)
class Advice:
    """`labels` are the classes worth drawing, the most worthwhile first; `sentence` says so, and why."""

    labels: tuple[str, ...]
    sentence: str


def advise(readings: Sequence[Reading], labels: Sequence[str], *, model: str = "") -> Advice:
    """What one writer should draw next. `readings` are his, oldest first; `labels` the classes to choose from.

    `model` is the one in use: errors that others made are called theirs.
    """
    if not labels:
        return Advice((), "")
    latest = {label: [r for r in readings if r.truth == label][-LATEST:] for label in labels}
    last_at = {reading.truth: i for i, reading in enumerate(readings)}
    worth = {label: _worst_case(latest[label]) for label in labels}
    # Among equals the one that was drawn longest ago.
    order = sorted(labels, key=lambda label: (-worth[label], last_at.get(label, -1)))
    first = order[0]
    if len(latest[first]) < FEW:
        return _draw_more(order, latest)
    wrong = [r for r in latest[first] if not r.is_right]
    if wrong:
        return Advice((first,), _misread(first, wrong, latest[first], model))
    if len(latest[first]) < LATEST:
        return Advice(
            (first,), f"Draw some {plural(first)}: all {len(latest[first])} so far were read right."
        )
    return Advice(
        (first,),
        f"Every class was read right the last {LATEST} times; {_quoted(first)} was drawn longest ago.",
    )


def plural(label: str) -> str:
    """7s; other labels in quotes, as "As" would be another word."""
    return f"{label}s" if label.isdigit() else f"more “{label}”"


def _worst_case(latest: Sequence[Reading]) -> float:
    wrong = sum(not r.is_right for r in latest)
    return wilson_interval(wrong, len(latest))[1]


def _draw_more(order: Sequence[str], latest: dict[str, list[Reading]]) -> Advice:
    """The classes with as few drawings as the first, in their order."""
    few = len(latest[order[0]])
    alike = [label for label in order if len(latest[label]) == few]
    named = tuple(alike[:MOST_NAMED])
    if not few and len(alike) == len(order):
        return Advice(named, "Draw each class a few times: nothing of yours has been judged yet.")
    drawn = "none" if not few else f"only {few}"
    each = " of each" if len(named) > 1 else ""
    return Advice(
        named, f"Draw some {listed([plural(label) for label in named])}: {drawn}{each} judged so far."
    )


def _misread(label: str, wrong: Sequence[Reading], latest: Sequence[Reading], model: str) -> str:
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


def listed(words: Sequence[str]) -> str:
    """4s; 4s and 9s; 0s, 4s and 9s."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _quoted(label: str) -> str:
    return f"the {label}" if label.isdigit() else f"“{label}”"
