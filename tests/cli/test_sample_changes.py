from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cli.running import Run
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Sample, Suspicion
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.store.tables.samples import SampleStore
from store.values import NOON, StandingClock, a_sample, a_trial


@pytest.fixture
def stored(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ada's 1 to 3 (the third misread) and Bob's 4, which is doubted and counts five times; all drawn today."""
    monkeypatch.setattr("qtdigits.cli.samples.datetime", StandingClock)
    with SampleStore.open(data_dir) as store:
        for label, answer in (("1", "1"), ("2", "2"), ("3", "8")):
            store.judge(a_sample(label, drawn_at=NOON), a_trial(label, answer=answer))
        store.add_samples([a_sample("4", "Bob", drawn_at=NOON)])
        store.mark_suspects({4: Suspicion(0.75, "9", "it is closed")})
        store.set_weight([4], 5)
    return data_dir


def listed(run: Run, *options: str) -> list[str]:
    return sorted(sample["label"] for sample in run("samples", "list", *options, "--json").json["samples"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "1234"),
        (("--verdict", "corrected"), "3"),
        (("--model", "mlp", "--verdict", "confirmed"), "12"),
        (("--suspect",), "4"),
        (("--not-suspect",), "123"),
        (("--after", "today"), "1234"),
        (("--before", "today"), ""),
        (("--after", "2020-01-01", "--before", "2020-12-31T12:00"), ""),
        (("--deleted",), ""),
    ],
    ids=str,
)
def test_that_the_list_is_filtered(run: Run, stored: Path, options: tuple[str, ...], expected: str) -> None:
    assert listed(run, *options) == list(expected)


def test_that_held_out_drawings_can_be_told_from_the_others(run: Run, stored: Path) -> None:
    assert sorted(listed(run, "--held-out") + listed(run, "--not-held-out")) == list("1234")


def test_that_the_list_says_what_is_doubted_and_what_counts_more(run: Run, stored: Path) -> None:
    (sample,) = run("samples", "list", "--suspect", "--json").json["samples"]
    assert sample["suspicion"] == {"score": 0.75, "suggestion": "9", "reason": "it is closed"}
    assert (sample["weight"], sample["reviewed"]) == (5, False)
    assert "perhaps 9, counts 5 times" in run("samples", "list").out


@pytest.mark.parametrize("option", ["--after", "--before"])
def test_that_a_date_that_is_none_is_refused(run: Run, stored: Path, option: str) -> None:
    done = run("samples", "list", option, "last summer")
    assert done.code == 2
    assert "last summer" in done.complaint


def test_that_what_is_filtered_can_be_exported(run: Run, stored: Path, tmp_path: Path) -> None:
    assert run("samples", "export", tmp_path / "out.jsonl", "--verdict", "corrected").code == 0
    assert run("samples", "import", tmp_path / "out.jsonl", "--data-dir", tmp_path / "second").code == 0
    with SampleStore.open(tmp_path / "second") as store:
        assert [sample.label for sample in store.samples()] == ["3"]


def test_that_an_exported_pair_takes_doubtful_drawings_along(run: Run, stored: Path, tmp_path: Path) -> None:
    images, labels = tmp_path / "images.csv", tmp_path / "labels.csv"
    assert run("samples", "export", "--csv", images, labels, "--writer", "Bob").code == 0
    assert labels.read_text().split() == ["4"]


def test_that_drawings_are_relabelled_with_their_judgements(run: Run, stored: Path) -> None:
    done = run("samples", "relabel", "8", "3", "--json")
    assert (done.code, done.json) == (0, {"n": 1, "ids": [3]})
    assert listed(run) == list("1248")
    with SampleStore.open(stored) as store:
        assert store.running_accuracy(writer="Ada", model="mlp") == (3, 3)


def test_that_deleted_drawings_come_back(run: Run, stored: Path) -> None:
    assert run("samples", "delete", "1", "3").code == 0
    assert (listed(run), listed(run, "--deleted")) == (list("24"), list("13"))
    assert run("samples", "restore", "3").code == 0
    assert run("samples", "restore", "--all", "--json").json == {"n": 1, "ids": [1]}
    assert listed(run) == list("1234")


@pytest.mark.parametrize(
    "arguments",
    [
        ("delete", "1", "99"),
        ("relabel", "7", "99", "1"),
        ("restore", "1"),
        ("restore",),
        ("restore", "--all", "1"),
    ],
    ids=" ".join,
)
def test_that_a_mistyped_number_changes_nothing(run: Run, stored: Path, arguments: tuple[str, ...]) -> None:
    done = run("samples", *arguments)
    assert done.code == 2
    assert done.complaint
    assert listed(run) == list("1234")


def test_that_stores_are_merged_once(run: Run, stored: Path, tmp_path: Path) -> None:
    here = ("--data-dir", tmp_path / "second")
    done = run("samples", "merge", stored, stored / "samples.db", *here, "--json")
    assert done.code == 0
    assert (done.json["added"], done.json["skipped"], done.json["trials"]) == (4, 4, 3)
    assert [store["added"] for store in done.json["stores"]] == [4, 0]
    assert "4 already stored" in run("samples", "merge", stored, *here).out
    with SampleStore.open(tmp_path / "second") as store:
        assert store.writers() == ["Ada", "Bob"]
        assert store.sample(4).weight == 5


def test_that_a_store_that_is_missing_does_not_keep_the_others_out(
    run: Run, stored: Path, tmp_path: Path
) -> None:
    done = run(
        "samples", "merge", tmp_path / "nowhere.db", stored, "--data-dir", tmp_path / "second", "--json"
    )
    assert done.code == 2
    assert "nowhere.db" in done.complaint
    assert done.json["added"] == 4


def test_that_two_writers_become_one(run: Run, stored: Path) -> None:
    done = run("writers", "merge", "Bob", "Ada", "--json")
    assert (done.code, done.json) == (0, {"moved": 1, "doubles": 0})
    assert run("writers", "list", "--json").json["writers"][0]["samples"] == 4
    again = run("writers", "merge", "Bob", "Ada")
    assert again.code == 2
    assert "no writer 'Bob'" in again.complaint


def test_that_a_wrong_label_is_listed_and_waits(run: Run, data_dir: Path) -> None:
    inks, labels = synthetic_digits(10, 2)
    by_label = dict(zip(labels, inks, strict=True))
    with SampleStore.open(data_dir) as store:
        inks_in_turn = [leaning(by_label[DIGIT_LABELS[i % 10]], i / 200) for i in range(50)]
        store.add_samples(
            Sample("6" if i == 3 else DIGIT_LABELS[i % 10], render(ink), "Ada", ink, device=str(i))
            for i, ink in enumerate(inks_in_turn)
        )
        [doubted] = [i for i, sample in enumerate(store.samples(), 1) if sample.device == "3"]
    found = run("samples", "review", "--json").json
    assert [(row["id"], row["label"], row["suggestion"]) for row in found["waiting"]] == [(doubted, "6", "3")]
    assert "looks like a 3" in run("samples", "review", "--writer", "Ada").out
    assert "There is no writer 'Bo'" in run("samples", "review", "--writer", "Bo").err


def leaning(ink: Ink, lean: float) -> Ink:
    strokes = [np.array(stroke, np.float64) for stroke in ink.strokes]
    for stroke in strokes:
        stroke[:, 0] += stroke[:, 1] * lean
    return Ink.of(strokes)
