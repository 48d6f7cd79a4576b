"""Numbers as text, the same in the window and on the command line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from unicodedata import category

UNKNOWN = "–"


_UNSAFE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and separators of lines and paragraphs."""
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates change the direction of what stands around them."""


def printable(text: str) -> str:
    """Return a text of a file or person in one line that does nothing to the terminal or log that it is printed on.

    Letters of every script and direction, and emoji, stay as they are; what commands a terminal is escaped.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if category(c) in _UNSAFE or c in _TURNING else c for c in text
    )


def printable_lines(text: str) -> str:
    """As `printable`, for a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def duration(seconds: float) -> str:
    """Such as 0:07, 12:30 or 1:02:03; "?" for NaN."""
    if math.isnan(seconds):
        return "?"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share from 0 to 1 such as "98.4 %"; "–" for None and NaN. Less than everything is never shown as 100 %."""
    if share is None or math.isnan(share):
        return UNKNOWN
    return f"{percent_digits(share, decimals)} %"


def percent_range(low: float, high: float, decimals: int = 1) -> str:
    """An interval of shares, such as "91.1 to 99.7 %"."""
    return f"{percent_digits(low, decimals)} to {percent(high, decimals)}"


def percent_within(share: float, interval: tuple[float, float], decimals: int = 1) -> str:
    """A share and its interval, such as "97.8 % (97.1 to 98.4 %)"."""
    return f"{percent(share, decimals)} ({percent_range(*interval, decimals)})"


def percent_digits(share: float, decimals: int = 1) -> str:
    """As `percent`, without the sign."""
    shown = f"{100 * share:.{decimals}f}"
    if share < 1 and float(shown) == 100:
        shown = f"{100 - 10**-decimals:.{decimals}f}"
    return shown


def counted(n: int, noun: str) -> str:
    """Such as "1 drawing" or "1,200 drawings"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """Such as "4s", "4s and 9s" or "0s, 4s and 9s"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def not_counted(n_doubted: int) -> str:
    """Such as "14 doubtful drawings are not counted": their labels are doubted, and nobody has reviewed them yet."""
    return f"{counted(n_doubted, 'doubtful drawing')} {'is' if n_doubted == 1 else 'are'} not counted"


def awaiting_review(n: int) -> str:
    """Say that so many drawings are to be reviewed, and what that means."""
    what = "its label may be" if n == 1 else "their labels may be"
    until = (
        "it does not count until you have reviewed it"
        if n == 1
        else "they do not count until you have reviewed them"
    )
    return f"{counted(n, 'drawing')} to review: {what} wrong, so {until}."
