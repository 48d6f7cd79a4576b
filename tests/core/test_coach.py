from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.score.practice import LATEST, JudgedReading, advise

DIGITS = tuple("0123456789")


def read(truth, answer=None, times=1, model="m"):
    return [JudgedReading(truth, answer or truth, model)] * times


def all_right(times):
    return [reading for digit in DIGITS for reading in read(digit, times=times)]


def test_that_a_frequent_confusion_is_named_with_its_count():
    readings = all_right(LATEST) + read("7", "1", 3)
    advice = advise(readings, DIGITS)
    assert advice.labels == ("7",)
    assert advice.sentence == "Draw some 7s: 3 of your last 12 were read as 1."


def test_that_several_confusions_of_one_class_are_told_apart():
    readings = all_right(LATEST) + read("7", "1", 2) + read("7", "9")
    assert (
        advise(readings, DIGITS).sentence == "Draw some 7s: 3 of your last 12 were misread, 2 of them as 1."
    )


def test_that_a_single_error_is_not_made_plural():
    readings = all_right(LATEST) + read("4", "9")
    assert advise(readings, DIGITS).sentence == "Draw some 4s: 1 of your last 12 was read as 9."


def test_that_errors_of_earlier_models_are_called_theirs():
    readings = all_right(LATEST) + read("7", "1", 2, model="old")
    assert (
        "2 of your last 12 were read as 1, by earlier models." in advise(readings, DIGITS, model="m").sentence
    )


def test_that_what_the_model_in_use_has_read_right_since_is_said_too():
    readings = all_right(LATEST) + read("7", "1", 5, model="old") + read("7", "7", 4, model="m")
    said = advise(readings, DIGITS, model="m").sentence
    assert said.endswith("read as 1, by earlier models; the model in use has read 4 of 4 right since.")


def test_that_what_was_misread_long_ago_no_longer_counts():
    readings = read("7", "1", 5) + all_right(LATEST)
    assert "7s" not in advise(readings, DIGITS).sentence


@pytest.mark.parametrize(
    ("readings", "sentence"),
    [
        ([], "Draw each class a few times: nothing of yours has been judged yet."),
        (
            [r for r in all_right(6) if r.truth not in "49"],
            "Draw some 4s and 9s: none of each judged so far.",
        ),
        (
            [*[r for r in all_right(8) if r.truth != "5"], *read("5", times=2)],
            "Draw some 5s: only 2 judged so far.",
        ),
        (
            [*[r for r in all_right(12) if r.truth != "5"], *read("5", times=6)],
            "Draw some 5s: all 6 so far were read right.",
        ),
    ],
)
def test_that_with_little_data_the_classes_with_the_fewest_drawings_are_asked_for(readings, sentence):
    assert advise(readings, DIGITS).sentence == sentence


def test_that_with_nothing_wrong_the_class_drawn_longest_ago_is_named():
    readings = all_right(LATEST) + read("0")
    advice = advise(readings, DIGITS)
    assert advice.labels == ("1",)
    assert "read right the last 12 times; the 1 was drawn longest ago." in advice.sentence


def test_that_another_class_than_a_digit_is_quoted():
    assert (
        advise(read("A", "4", 6), ("A",)).sentence == "Draw some more “A”: 6 of your last 6 were read as 4."
    )


@given(st.lists(st.tuples(st.sampled_from(DIGITS), st.sampled_from(DIGITS)), max_size=200))
def test_that_there_is_always_one_sentence_and_a_class_to_draw(pairs):
    advice = advise([JudgedReading(*pair) for pair in pairs], DIGITS)
    assert advice.labels
    assert set(advice.labels) <= set(DIGITS)
    assert advice.sentence.endswith(".")


@given(st.lists(st.tuples(st.sampled_from(DIGITS), st.sampled_from(DIGITS)), max_size=200))
def test_that_a_class_without_errors_is_not_preferred_to_one_as_often_drawn_with_errors(pairs):
    readings = [JudgedReading(*pair) for pair in pairs]
    (first, *_) = advise(readings, DIGITS).labels
    latest = {digit: [r for r in readings if r.truth == digit][-LATEST:] for digit in DIGITS}
    wrong = {digit: sum(not r.is_right for r in latest[digit]) for digit in DIGITS}
    for digit in DIGITS:
        if len(latest[digit]) == len(latest[first]):
            assert wrong[digit] <= wrong[first]
