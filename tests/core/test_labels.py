from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.drawing.labels import (
    DIGITS,
    LOOK_ALIKES,
    MAX_LABEL_LENGTH,
    Class,
    LabelSet,
    clean_label,
    look_alikes_of,
    with_article,
)
from qtdigits.errors import InputError


@pytest.mark.parametrize(
    ("text", "label"),
    [
        *(
            ("3.0", "3"),
            (" 7 ", "7"),
            ("10.0", "10"),
            ("π", "π"),
            ("3.5", "3.5"),
            (".0", ".0"),
            ("A.0", "A.0"),
        ),
        *(
            ("שלום\u200f", "שלום"),
            ("e\u0301", "é"),
            ("漢字", "漢字"),
            ("क्षि", "क्षि"),
            ("می\u200cخواهم", "می\u200cخواهم"),
        ),
        *(("❤️", "❤️"), ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"), ("\u200d a", "a")),
    ],
)
def test_that_a_label_is_cleaned(text: str, label: str) -> None:
    assert clean_label(text) == label


@pytest.mark.parametrize("text", ["", "  ", "\n", "\u200d", "a\tb", "\x00", "x" * (MAX_LABEL_LENGTH + 1)])
def test_that_what_cannot_be_a_label_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="label"):
        clean_label(text)


@given(st.text(max_size=MAX_LABEL_LENGTH))
def test_that_cleaning_twice_is_cleaning_once(text: str) -> None:
    try:
        label = clean_label(text)
    except InputError:
        return
    assert clean_label(label) == label


@pytest.mark.parametrize(
    "said",
    ["a 7", "an 8", "a 1", "an A", "an m", "a U", "an 18", "a 180", "an 80", "a heart", "an arrow", "a π"],
)
def test_that_a_label_has_the_article_that_it_is_said_with(said: str) -> None:
    assert with_article(said.split()[1]) == said


def test_that_the_digits_are_the_outputs_0_to_9() -> None:
    assert DIGITS.indices("9081").tolist() == [9, 0, 8, 1]
    assert len(DIGITS) == 10


def test_that_an_unknown_label_is_named() -> None:
    for ask in (lambda: DIGITS.index("A"), lambda: DIGITS.indices(["1", "A"])):
        with pytest.raises(InputError, match="'A' is not among 0, 1, 2"):
            ask()


def test_that_new_labels_come_after_the_known_ones_once() -> None:
    grown = DIGITS.with_labels(["B", "7", "A", "B"])
    assert grown.labels == (*DIGITS.labels, "B", "A")
    assert "A" in grown
    assert "A" not in DIGITS


@pytest.mark.parametrize("classes", [(Class("7", "x"), Class("7", "y")), (Class("a", "7"), Class("b", "7"))])
def test_that_ids_and_labels_are_unique(classes: tuple[Class, ...]) -> None:
    with pytest.raises(InputError, match="twice"):
        LabelSet(classes)


@given(st.lists(st.text("0123456789ABπ日", min_size=1, max_size=4), unique=True))
def test_that_a_label_set_comes_back_from_json(labels: list[str]) -> None:
    label_set = LabelSet.of(labels)
    assert LabelSet.from_json(label_set.to_json()) == label_set
    assert [label_set.index(c.label) for c in label_set] == list(range(len(label_set)))


def test_that_each_label_belongs_to_one_group_of_look_alikes_at_most() -> None:
    labels = [label for group in LOOK_ALIKES for label in group]
    assert len(labels) == len(set(labels))
    assert [look_alikes_of(label) for label in ("o", "7", "Oo")] == [("0", "O", "o"), ("7",), ("Oo",)]
