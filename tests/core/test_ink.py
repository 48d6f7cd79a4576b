"""Ink: building it, changing it, and keeping it as a blob or as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.drawing.ink import Ink, decode_ink, encode_ink
from qtdigits.errors import InputError

float32s = st.floats(width=32, allow_nan=False, allow_infinity=False)
points = st.tuples(float32s, float32s, st.floats(0, 1e6, width=32), st.floats(0, 1, width=32))
inks = st.lists(st.lists(points, max_size=6), max_size=5).map(Ink.of)


@given(inks)
def test_that_a_blob_gives_back_exactly_the_same_ink(ink: Ink) -> None:
    assert decode_ink(encode_ink(ink)) == ink


@given(inks)
def test_that_json_gives_back_exactly_the_same_ink(ink: Ink) -> None:
    assert Ink.of(json.loads(json.dumps(ink.to_lists()))) == ink


@given(inks)
def test_that_equal_ink_has_equal_blobs_and_hashes(ink: Ink) -> None:
    twin = Ink.of([np.array(stroke) for stroke in ink.strokes])

    assert twin == ink
    assert encode_ink(twin) == encode_ink(ink)
    assert hash(twin) == hash(ink)


@given(inks, st.data())
def test_that_a_shortened_blob_is_refused(ink: Ink, data: st.DataObject) -> None:
    blob = encode_ink(ink)
    kept = data.draw(st.integers(0, len(blob) - 1))

    with pytest.raises(InputError):
        decode_ink(blob[:kept])


@given(inks, st.data())
def test_that_a_blob_with_a_changed_byte_is_refused_or_harmless(ink: Ink, data: st.DataObject) -> None:
    blob = bytearray(encode_ink(ink))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        decoded = decode_ink(bytes(blob))
    except InputError:
        return
    assert decoded == ink


def test_that_a_blob_of_a_newer_version_says_what_to_do() -> None:
    with pytest.raises(InputError, match="newer version"):
        decode_ink(b"\x63" + encode_ink(Ink())[1:])


def test_that_empty_strokes_are_dropped() -> None:
    assert Ink.of([[], [[1, 2]], []]) == Ink.of([[[1, 2]]])
    assert Ink.of([[], []]).is_blank


def test_that_missing_time_is_zero_and_missing_pressure_is_full() -> None:
    ink = Ink.of([[[1, 2]], [[3, 4, 50]], [[5, 6, 70, 0.5]]])

    assert ink.points.tolist() == [[1, 2, 0, 1], [3, 4, 50, 1], [5, 6, 70, 0.5]]


def test_that_points_of_one_stroke_may_differ_in_length() -> None:
    ink = Ink.of([[[1, 2], [3, 4, 50], [5, 6, 70, 0.5]]])

    assert ink.points.tolist() == [[1, 2, 0, 1], [3, 4, 50, 1], [5, 6, 70, 0.5]]


def test_that_lists_carry_no_more_columns_than_the_ink_has() -> None:
    assert Ink.of([[[1, 2.5]]]).to_lists() == [[[1, 2.5]]]
    assert Ink.of([[[1, 2, 7]]]).to_lists() == [[[1, 2, 7]]]
    assert Ink.of([[[1, 2, 0, 0.5]]]).to_lists() == [[[1, 2, 0, 0.5]]]


@pytest.mark.parametrize(
    "strokes",
    [
        [[[1]]],
        [[[1, 2, 3, 4, 5]]],
        [[1, 2]],
        [[["a", "b"]]],
        [[[1, None]]],
        [[[1, float("nan")]]],
        [[[float("inf"), 2]]],
        [[[1e39, 2]]],
        [[[1, 2], [3]]],
        [5],
    ],
)
def test_that_a_point_that_is_none_is_refused(strokes: list[object]) -> None:
    with pytest.raises(InputError):
        Ink.of(strokes)  # type: ignore[arg-type]


def test_that_a_stroke_is_added_without_touching_the_old_ink() -> None:
    one = Ink.of([[[0, 0], [1, 1]]])
    two = one.with_stroke([[5, 5]])

    assert len(one.strokes) == 1
    assert len(two.strokes) == 2
    assert one.with_stroke([]) == one


def test_that_bounds_are_left_top_right_bottom() -> None:
    assert Ink.of([[[3, 4], [-1, 7]], [[2, -5]]]).bounds == (-1, -5, 3, 7)


def test_that_blank_ink_has_no_bounds() -> None:
    with pytest.raises(InputError):
        _ = Ink().bounds


def test_that_ink_is_not_equal_to_anything_else() -> None:
    assert Ink.of([[[1, 2]]]) != [[[1, 2]]]
    assert Ink.of([[[1, 2]], [[3, 4]]]) != Ink.of([[[1, 2], [3, 4]]])
