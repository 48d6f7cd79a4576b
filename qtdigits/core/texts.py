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
