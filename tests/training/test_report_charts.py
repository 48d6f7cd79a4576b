"""The charts of reports, as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.training.report.svg import Axis, Bar, Series, bars, chart

SHARE = Axis("right", is_share=True)
NUMBERS = st.floats(-1e9, 1e9) | st.just(float("nan"))


def read(svg: str) -> ET.Element:
    """The chart must be well-formed XML, and everything in it must have a place."""
    assert "nan" not in svg
    return ET.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [found.text or "" for found in read(svg).iter("text")]


def circles(svg: str) -> list[tuple[float, float]]:
    return [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in read(svg).iter("circle")]


def test_that_shares_end_at_100_per_cent_and_others_at_round_numbers() -> None:
    series = [Series("a", np.array([0.0, 50, 100]), np.array([0.91, 0.95, 0.99]))]
    found = texts(chart(series, title="t", x=Axis("drawings"), y=SHARE))
    assert {"90 %", "100 %", "0", "100", "drawings", "right"} <= set(found)
    assert "80 %" not in found


def test_that_a_logarithmic_axis_has_equal_steps_for_equal_factors() -> None:
    dots = Series("a", np.array([0.001, 0.01, 0.1]), np.array([0.5, 0.6, 0.7]), is_dotted=True)
    svg = chart([dots], title="t", x=Axis("rate", is_log=True), y=SHARE)
    (a, _), (b, _), (c, _) = circles(svg)
    assert b - a == pytest.approx(c - b, abs=0.2)
    assert {"0.001", "0.01", "0.1"} <= set(texts(svg))


def test_that_points_with_intervals_are_all_in_sight() -> None:
    y = np.array([0.5, 0.9])
    dots = Series("a", np.array([1.0, 2.0]), y, 1, y - 0.3, y + 0.05, is_dotted=True)
    svg = chart([dots], title="t", x=Axis("x"), y=SHARE)
    assert texts(svg)[0] == "20 %"
    assert re.search(r'class="s1 i" d="M[\d. ]+V[\d.]+M[\d. ]+V[\d.]+"', svg)


def test_that_a_line_of_many_points_stays_small_and_keeps_its_extremes() -> None:
    y = np.full(20_000, 0.9)
    y[7_777] = 0.5
    svg = chart([Series("a", np.arange(20_000.0), y)], title="t", x=Axis("x"), y=Axis("y", ends=(0.5, 1.0)))
    assert len(svg) < 40_000
    lowest = max(float(place) for place in re.findall(r"[\dM]+\.?\d* (\d+\.\d)", svg))
    assert lowest == pytest.approx(220, abs=0.5)  # the bottom of the plot


def test_that_texts_are_escaped_and_long_ones_cut() -> None:
    svg = bars([Bar("</svg><script>" + "a" * 90, 0.4, "40 %", (0.3, 0.5)), Bar("b", 7, "")], title='"<x>')
    assert "<script>" not in svg
    label, text, *_ = texts(svg)
    assert (label.startswith("</svg><script>"), label.endswith("…"), text) == (True, True, "40 %")
    assert read(svg).attrib["aria-label"] == '"<x>'


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20), st.booleans(), st.booleans())
def test_that_whatever_the_numbers_the_chart_is_whole(pairs, is_dotted, is_share):
    x, y = (np.array([pair[i] for pair in pairs], np.float64) for i in (0, 1))
    series = [Series("a", x, np.clip(y, 0, 1) if is_share else y, is_dotted=is_dotted)]
    read(chart(series, title="t", x=Axis("x"), y=Axis("y", is_share=is_share)))
    read(chart([*series, Series("b", x, x, 2, y, y)], title="t", x=Axis("x"), y=Axis("y")))
