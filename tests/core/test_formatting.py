"""Numbers as text."""

from __future__ import annotations

import math

import pytest

from qtdigits.core.formatting import (
    awaiting_review,
    counted,
    duration,
    percent,
    percent_range,
    printable,
    printable_lines,
)


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [(0.984, 1, "98.4 %"), (0.99999, 1, "99.9 %"), (0.999, 0, "99 %"), (1, 2, "100.00 %"), (0, 0, "0 %")],
)
def test_that_less_than_everything_is_never_shown_as_100_percent(
    share: float, decimals: int, text: str
) -> None:
    assert percent(share, decimals) == text


@pytest.mark.parametrize("share", [None, math.nan])
def test_that_an_unknown_share_is_a_dash(share: float | None) -> None:
    assert percent(share) == "–"


def test_that_an_interval_names_the_unit_once() -> None:
    assert percent_range(0.9111, 0.9968) == "91.1 to 99.7 %"


def test_that_one_of_a_thing_is_singular() -> None:
    assert [counted(n, "drawing") for n in (0, 1, 1200)] == ["0 drawings", "1 drawing", "1,200 drawings"]
    assert awaiting_review(1).startswith("1 drawing to review: its label may be wrong")
    assert awaiting_review(2).startswith("2 drawings to review: their labels may be wrong")


@pytest.mark.parametrize(
    ("seconds", "text"), [(7, "0:07"), (750.4, "12:30"), (3723, "1:02:03"), (math.nan, "?"), (-1, "0:00")]
)
def test_that_a_duration_has_hours_only_where_there_are_any(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("a\nb\rc\x85d\x9b2Je", "a\\nb\\rc\\x85d\\x9b2Je"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("\u2028\udc80", "\\u2028\\udc80"),
    ],
)
def test_that_what_commands_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "text", ["7", "Ä ö ß", "שלום", "سلام", "क्षि", "漢字", "👩🏽‍🏫 ❤️ 🇫🇷", "π ≤ 3", "a\u200fb"]
)
def test_that_letters_of_every_script_and_emoji_stay_readable(text: str) -> None:
    assert printable(text) == text


def test_that_lines_of_a_message_stay_lines() -> None:
    assert printable_lines("one\n\x1btwo") == "one\n\\x1btwo"
