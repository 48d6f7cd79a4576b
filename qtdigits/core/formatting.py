"""Figures in words that every surface says alike."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Such as 0:07, 12:30 or 1:02:03; "?" for NaN, when nobody knows."""
    if math.isnan(seconds):
        return "?"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent_digits(fraction: float, decimals: int = 1) -> str:
    """98.4, without the sign. What is not quite everything is never shown as 100."""
    shown = f"{100 * fraction:.{decimals}f}"
    if fraction < 1 and float(shown) == 100:
        shown = f"{100 - 10**-decimals:.{decimals}f}"
    return shown


def awaiting_review(n: int) -> str:
    """Such as: 3 drawings wait for your eye: …"""
    if n == 1:
        return "1 drawing waits for your eye: its label may be wrong, so it is not trained on until you have looked."
    return f"{n:,} drawings wait for your eye: their labels may be wrong, so they are not trained on until you have looked."
