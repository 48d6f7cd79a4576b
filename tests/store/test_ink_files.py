from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtdigits.core.drawing.ink import Ink
from qtdigits.errors import InputError, StoreError
from qtdigits.store.data.ink_files import LabelledInk, read_ink_jsonl, read_unipen, write_ink_jsonl
from tests.store.values import a_sample, an_image

LINE = '{"label": "7", "writer": "w01", "source": "here", "strokes": [[[1, 2], [3, 4]], [], [[5, 6]]]}'

numbers = st.floats(-1e6, 1e6, width=32)
points = st.tuples(numbers, numbers, st.floats(0, 1e6, width=32), st.floats(0, 1, width=32))
inks = st.lists(st.lists(points, min_size=1, max_size=4), max_size=3).map(Ink.of)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ink.jsonl"


def test_that_a_line_is_read_with_its_other_keys(path: Path) -> None:
    path.write_text(LINE + "\n\n")
    (drawing,) = read_ink_jsonl(path)
    assert (drawing.label, drawing.writer, drawing.extra) == ("7", "w01", {"source": "here"})
    assert drawing.ink == Ink.of([[(1, 2), (3, 4)], [(5, 6)]])


@pytest.mark.parametrize(("label", "expected"), [('"A"', "A"), ("3", "3"), ("3.0", "3"), ('" π "', "π")])
def test_that_labels_are_text_or_numbers(path: Path, label: str, expected: str) -> None:
    path.write_text(f'{{"label": {label}, "strokes": [[[1, 2]]]}}')
    (drawing,) = read_ink_jsonl(path)
    assert (drawing.label, drawing.writer) == (expected, "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7", "Expected `object`, got `int`"),
        ('{"label": "7"', "line 2: it is not JSON: "),
        ("[" * 100_000, "Expected `object`, got `array`"),
        ("\x80", "is not JSON"),
        ('{"strokes": []}', "missing required field `label`"),
        ('{"label": true, "strokes": []}', "got `bool` - at `$.label`"),
        ('{"label": " ", "strokes": []}', "is not a label"),
        ('{"label": "7"}', "missing required field `strokes`"),
        ('{"label": "7", "strokes": 7}', "Expected `array`, got `int` - at `$.strokes`"),
        ('{"label": "7", "strokes": [[[1]]]}', "A point is not"),
        ('{"label": "7", "strokes": [[1, 2]]}', "Expected `array`, got `int` - at `$.strokes[0][0]`"),
        ('{"label": "7", "strokes": [[["a", 2]]]}', "Expected `float`, got `str`"),
        ('{"label": "7", "strokes": [[[NaN, 2]]]}', "it is not JSON"),
        ('{"label": "7", "strokes": [[[1e999, 2]]]}', "Number out of range"),
        ('{"label": "7", "writer": [], "strokes": []}', "got `array` - at `$.writer`"),
    ],
)
def test_that_a_bad_line_is_named(path: Path, line: str, message: str) -> None:
    path.write_bytes(f"{LINE}\n{line}\n".encode("latin-1"))
    with pytest.raises(InputError) as caught:
        list(read_ink_jsonl(path))
    assert "ink.jsonl, line 2" in caught.value.message
    assert message in caught.value.message
    assert caught.value.remedy


def test_that_a_packed_file_is_known_by_its_content(path: Path) -> None:
    path.write_bytes(gzip.compress(LINE.encode()))
    assert [drawing.writer for drawing in read_ink_jsonl(path)] == ["w01"]


def test_that_a_truncated_packed_file_is_reported(path: Path) -> None:
    path.write_bytes(gzip.compress("\n".join([LINE] * 100).encode())[:-20])
    with pytest.raises(InputError, match=r"ink\.jsonl is damaged"):
        list(read_ink_jsonl(path))


def test_that_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        list(read_ink_jsonl(path))


@settings(max_examples=50, deadline=None)
@given(drawings=st.lists(inks, max_size=3), packed=st.booleans())
def test_that_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, drawings: list[Ink], packed: bool
) -> None:
    path = tmp_path_factory.mktemp("ink") / ("ink.jsonl.gz" if packed else "ink.jsonl")
    written = [LabelledInk("π", "Ada", ink, {"n": number}) for number, ink in enumerate(drawings)]
    assert write_ink_jsonl(path, written) == len(written)
    read = list(read_ink_jsonl(path))
    assert [d.ink for d in read] == drawings
    assert all((d.label, d.writer, d.extra) == ("π", "Ada", {"n": n}) for n, d in enumerate(read))
    assert path.read_bytes().startswith(b"\x1f\x8b") == packed


def test_that_equal_drawings_make_equal_packed_files(tmp_path: Path) -> None:
    drawing = LabelledInk("7", "", Ink.of([[(1, 2)]]))
    contents = []
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_ink_jsonl(tmp_path / name, [drawing])
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_that_a_failed_export_leaves_the_old_file(path: Path) -> None:
    path.write_text("old")

    def drawings() -> object:
        yield LabelledInk("7", "", Ink.of([[(1, 2)]]))
        raise StoreError("the store is gone")

    with pytest.raises(StoreError, match="is gone"):
        write_ink_jsonl(path, drawings())
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_that_a_sample_goes_out_with_time_and_device(path: Path) -> None:
    sample = a_sample()
    drawing = LabelledInk.of(sample)
    write_ink_jsonl(path, [drawing])
    line = json.loads(path.read_text())
    assert line["device"] == "mouse"
    assert line["drawn_at"] == sample.drawn_at.isoformat(timespec="milliseconds")
    assert LabelledInk.of(an_image()) is None


UNIPEN = """.INCLUDE dene.doc
.LEXICON "0" "1"

.SEGMENT DIGIT    0 ? "8"
.COMMENT 8 12  224
.PEN_DOWN
 267  333
 267  336
.PEN_UP
.DT 100
.PEN_DOWN
 1  2
.PEN_UP

.SEGMENT DIGIT    1 ? "2"
.COMMENT 2 26   54
.PEN_DOWN
 5.5  -7
.PEN_UP
"""


def test_that_unipen_is_turned_upside_down(tmp_path: Path) -> None:
    path = tmp_path / "digits.tra"
    path.write_text(UNIPEN)
    first, second = read_unipen(path)
    assert (first.label, first.writer) == ("8", "12")
    assert first.ink == Ink.of([[(267, -333), (267, -336)], [(1, -2)]])
    assert (second.label, second.writer) == ("2", "26")
    assert np.array_equal(second.ink.points[:, :2], [[5.5, 7]])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('? "8"', "", "line 4: .SEGMENT names no label"),
        ('? "8"', '? ""', "line 4: '' is not a label"),
        (" 267  336", " 267", "line 8: '267' is not a point"),
        (" 267  336", " 267  x", "line 8: '267 x' is not a point"),
        (" 267  336", " 267  inf", "line 4: A point has a coordinate"),
        (".SEGMENT", ".segment", "has no .SEGMENT"),
    ],
)
def test_that_a_bad_unipen_line_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "digits.tra"
    path.write_text(UNIPEN.replace(old, new))
    with pytest.raises(InputError) as caught:
        list(read_unipen(path))
    assert message in " ".join(caught.value.message.split())


def test_that_pendigits_is_the_same_in_both_forms(ink_dir: Path) -> None:
    ours = list(read_ink_jsonl(ink_dir / "pendigits.jsonl.gz"))
    theirs = list(read_unipen(ink_dir / "pendigits-orig.tra"))
    assert len(ours) == 7494
    assert all(a.ink == b.ink and a.label == b.label for a, b in zip(ours, theirs, strict=True))
