"""Gathering: what a request names is found, and what must not be trained on is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGITS, Class, LabelSet
from qtdigits.core.drawing.raster import render, render_many
from qtdigits.core.drawing.samples import MNIST_TEST, MY_HOLD_OUT, Dataset, Sample, Suspicion
from qtdigits.core.drawing.synthetic import NO_CLASS, synthetic_digits
from qtdigits.core.run.control import Control
from qtdigits.errors import CancelledError, DataMissingError, InputError, TrainingError
from qtdigits.ml.training_data import NOT_ASKED, TrainingData
from qtdigits.store.data.csv_pair import write_csv_pair
from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import data_cache
from qtdigits.training.data_cache import DataCache
from qtdigits.training.gather import MOST_HOLD_OUT, TrainingInputs, gather, with_hold_out
from qtdigits.training.jobs import TrainingJob
from tiny_training import TINY_RECIPE, write_tiny_mnist


@pytest.fixture
def mnist(data_dir: Path) -> Path:
    return write_tiny_mnist(data_dir / "mnist.npz")


@pytest.fixture
def few_synthetic_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_cache, "REHEARSAL_DRAWINGS", 200)


def gathered(
    data_dir: Path,
    *,
    control: Control | None = None,
    progress: list[str] | None = None,
    known: LabelSet = DIGITS,
    **wanted: object,
) -> TrainingInputs:
    recipe = TINY_RECIPE.with_values(**wanted.pop("recipe", {}))  # type: ignore[arg-type]
    request = TrainingJob.new(recipe, data_dir=data_dir, **wanted)
    told = [] if progress is None else progress
    return gather(
        request,
        cache=DataCache(),
        control=control or Control(),
        progress=lambda what, done, total: told.append(what),
        known=known,
    )


def draw(data_dir: Path, n: int, *, writer: str = "me", labels: str = "") -> list[Sample]:
    """Store synthetic drawings; returns them with their hold-out flags."""
    inks, names = synthetic_digits(n, seed=4)
    rasters = render_many(inks)
    with SampleStore.open(data_dir) as store:
        store.add_samples(
            Sample(labels or name, raster, writer, ink)
            for ink, name, raster in zip(inks, names, rasters, strict=True)
        )
        return list(store.samples())


def images_in(found: TrainingInputs) -> set[bytes]:
    return {image.tobytes() for image in found.data.images}


def test_that_mnist_alone_is_taken_as_it_is(data_dir: Path, mnist: Path) -> None:
    found = gathered(data_dir)
    assert dict(found.data.sources) == {"MNIST": 270}
    assert (len(found.data.training), len(found.data.validation)) == (270, 30)
    assert list(found.tests) == [MNIST_TEST]
    assert found.label_set.labels == tuple("0123456789")
    assert not found.data.is_rehearsal


def test_that_mnists_test_images_are_not_trained_on(data_dir: Path, mnist: Path) -> None:
    found = gathered(data_dir)
    assert not images_in(found) & {image.tobytes() for image in found.tests[MNIST_TEST].images}


def test_that_fewer_mnist_images_are_chosen_by_the_seed(data_dir: Path, mnist: Path) -> None:
    first, again, other = (
        gathered(data_dir, recipe={"mnist_images": 100, "seed": seed}) for seed in (1, 1, 2)
    )
    assert len(first.data.images) == 100
    assert np.array_equal(first.data.images, again.data.images)
    assert not np.array_equal(first.data.images, other.data.images)


def test_that_held_out_drawings_are_scored_and_never_trained_on(data_dir: Path, mnist: Path) -> None:
    samples = draw(data_dir, 100)
    found = gathered(data_dir)
    held_out = {sample.raster.tobytes() for sample in samples if sample.held_out}
    drawn = {sample.raster.tobytes() for sample in samples if not sample.held_out}
    assert held_out == {image.tobytes() for image in found.tests[MY_HOLD_OUT].images}
    assert held_out == {image.tobytes() for image in found.data.hold_out_images}  # for the curves
    assert drawn <= images_in(found)
    assert not held_out & images_in(found)
    assert [r["weight"] for r in found.records] == [1, TINY_RECIPE.drawings_weight]


def test_that_a_held_out_drawing_whose_label_is_doubted_is_not_scored(data_dir: Path, mnist: Path) -> None:
    draw(data_dir, 100)
    with SampleStore.open(data_dir) as store:
        doubted, *others = store.ids(held_out=True).tolist()
        store.mark_suspects({doubted: Suspicion(0.9, "1", "looks like a 1")})
    found = gathered(data_dir)
    assert list(found.tests[MY_HOLD_OUT].ids) == others
    assert len(found.data.hold_out_images) == len(others)


def test_that_mnists_images_stay_those_of_a_renamed_digit_whatever_has_its_label_now(
    data_dir: Path, mnist: Path
) -> None:
    draw(data_dir, 4, labels="7")
    with SampleStore.open(data_dir) as store:
        store.class_table.rename("7", "seven")
        known = store.class_table.all().current(DIGITS)
    draw(data_dir, 5, writer="other", labels="7")
    found = gathered(data_dir, known=known)
    assert found.label_set.classes[7:] == (
        *(Class("7", "seven"), Class("8", "8"), Class("9", "9"), Class("7~2", "7")),
    )
    with SampleStore.open(data_dir) as store:
        new = {s.raster.tobytes() for s in store.samples(label="7", held_out=False)}
    targets = dict(zip((image.tobytes() for image in found.data.images), found.data.targets, strict=True))
    assert {targets[raster] for raster in new} == {10}
    assert (found.data.targets == 10).sum() == len(new)
    assert found.tests[MNIST_TEST].targets(found.label_set).max() == 9


def test_that_renaming_a_class_changes_nothing_that_is_trained(data_dir: Path, mnist: Path) -> None:
    draw(data_dir, 30)
    draw(data_dir, 5, writer="other", labels="♥")
    before = gathered(data_dir)
    with SampleStore.open(data_dir) as store:
        for old, new in (("♥", "heart"), ("3", "three")):
            store.class_table.rename(old, new)
        known = store.class_table.all().current(DIGITS)
    after = gathered(data_dir, known=known)
    assert after.records == before.records
    assert after.label_set.ids == before.label_set.ids
    for name in ("images", "targets", "training", "validation", "characters"):
        assert np.array_equal(getattr(after.data, name), getattr(before.data, name)), name
    assert after.data.character_labels == before.data.character_labels


def test_that_drawings_can_be_left_out(data_dir: Path, mnist: Path) -> None:
    draw(data_dir, 50)
    assert set(gathered(data_dir, use_drawings=False).data.sources) == {"MNIST"}
    without_weight = gathered(data_dir, recipe={"drawings_weight": 0})
    assert set(without_weight.data.sources) == {"MNIST"}
    assert MY_HOLD_OUT in without_weight.tests


def test_that_new_classes_get_outputs_after_the_digits(data_dir: Path, mnist: Path) -> None:
    draw(data_dir, 30, labels="π")
    draw(data_dir, 20, labels="A")
    found = gathered(data_dir)
    assert found.label_set.labels == (*"0123456789", "π", "A")
    assert found.label_set.classes[10] == Class("π", "π")
    assert found.data.targets.max() == 11


def test_that_files_are_read_and_weighed(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    inks, labels = synthetic_digits(60, seed=8)
    ink_file = tmp_path / "others.v2.jsonl.gz"
    write_ink_jsonl(
        ink_file,
        (
            LabelledInk(label, f"w{i % 6}", ink, {})
            for i, (ink, label) in enumerate(zip(inks, labels, strict=True))
        ),
    )
    csv = (tmp_path / "images.csv", tmp_path / "labels.csv")
    write_csv_pair(*csv, render_many(inks[:40]), labels[:40])
    found = gathered(
        data_dir,
        ink_files=(str(ink_file),),
        csv_pairs=((str(csv[0]), str(csv[1])),),
        score_on=(str(ink_file),),
        recipe={"drawings_weight": 7},
    )
    weights = {record["name"]: (record["weight"], record.get("n_writers")) for record in found.records}
    assert weights == {"MNIST": (1, None), "images.csv": (7, None), "others.v2.jsonl.gz": (1, 6)}
    assert len(found.tests["others"]) == 60


def test_that_raw_corrections_are_trained_on_as_they_are(data_dir: Path, tmp_path: Path) -> None:
    inks, labels = synthetic_digits(20, seed=8)
    off_centre = np.roll(render_many(inks), 4, axis=2)
    csv = (tmp_path / "images.csv", tmp_path / "labels.csv")
    write_csv_pair(*csv, off_centre, labels)
    wanted = {"csv_pairs": ((str(csv[0]), str(csv[1])),), "recipe": {"mnist_images": 0, "drawings_weight": 1}}
    raw = gathered(data_dir, csv_is_raw=True, **wanted).data.images
    assert np.array_equal(raw, off_centre)
    assert not np.array_equal(gathered(data_dir, **wanted).data.images, off_centre)


def test_that_a_file_can_be_scored_after_each_epoch(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    inks, labels = synthetic_digits(30, seed=8)
    file = tmp_path / "others.jsonl"
    write_ink_jsonl(file, (LabelledInk(label, "", ink, {}) for ink, label in zip(inks, labels, strict=True)))
    draw(data_dir, 40)
    found = gathered(data_dir, score_on=(str(file),), watches_file=True)
    assert np.array_equal(np.sort(found.data.hold_out_targets), np.sort([int(label) for label in labels]))
    assert set(found.tests) >= {"others", MY_HOLD_OUT}


def test_that_two_files_of_one_name_are_told_apart(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    files = []
    for seed in (1, 2):
        inks, labels = synthetic_digits(20, seed)
        file = tmp_path / str(seed) / "ink.jsonl"
        file.parent.mkdir()
        write_ink_jsonl(
            file, (LabelledInk(label, "", ink, {}) for ink, label in zip(inks, labels, strict=True))
        )
        files.append(str(file))
    assert set(gathered(data_dir, ink_files=tuple(files)).data.sources) == {
        "MNIST",
        "ink.jsonl",
        "ink.jsonl (2)",
    }


@pytest.mark.usefixtures("few_synthetic_digits")
def test_that_synthetic_ink_stands_in_for_mnist(data_dir: Path) -> None:
    progress: list[str] = []
    found = gathered(data_dir, progress=progress)
    assert found.data.is_rehearsal
    assert dict(found.data.sources) == {"synthetic ink": 180}
    assert not found.tests
    assert "Drawing synthetic ink" in progress


def test_that_no_mnist_is_wanted_when_the_recipe_wants_none(data_dir: Path) -> None:
    draw(data_dir, 60)
    found = gathered(data_dir, recipe={"mnist_images": 0})
    assert set(found.data.sources) == {"drawings"}
    assert not found.data.is_rehearsal


def test_that_nothing_at_all_is_refused_in_words(data_dir: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to train on"):
        gathered(data_dir, recipe={"mnist_images": 0})


def test_that_files_that_are_not_there_are_named(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"no-such\.npz"):
        gathered(data_dir, mnist=str(tmp_path / "no-such.npz"))
    with pytest.raises(InputError, match=r"no-such\.jsonl"):
        gathered(data_dir, ink_files=(str(tmp_path / "no-such.jsonl"),))


@pytest.mark.usefixtures("few_synthetic_digits")
@pytest.mark.parametrize("ask", [Control.stop, Control.cancel])
@pytest.mark.parametrize("moment", ["Loading MNIST", "Drawing synthetic ink", "Reading the drawings"])
def test_that_loading_is_given_up_when_asked(data_dir: Path, ask: object, moment: str) -> None:
    control = Control()

    def progress(what: str, done: int, total: int) -> None:
        if what == moment:
            ask(control)  # type: ignore[operator]

    with pytest.raises(CancelledError):
        gather(
            TrainingJob.new(TINY_RECIPE, data_dir=data_dir, ink_files=("never read",)),
            cache=DataCache(),
            control=control,
            progress=progress,
        )


def test_that_mnist_is_read_once_for_several_runs_and_again_when_it_changes(
    data_dir: Path, mnist: Path
) -> None:
    cache = DataCache()
    first = cache.mnist(folder=data_dir)
    assert cache.mnist(folder=data_dir) is first
    write_tiny_mnist(mnist, n_training=100)
    changed = cache.mnist(folder=data_dir)
    assert changed is not None
    assert len(changed.training) == 100


def test_that_synthetic_drawings_are_mixed_in_with_their_ink(data_dir: Path, mnist: Path) -> None:
    found = gathered(data_dir, recipe={"synthetic_images": 50})
    (record,) = (r for r in found.records if r["name"] == "synthetic ink")
    assert record["n_training"] + record["n_validation"] == 50
    assert sum(ink is not None for ink in found.data.inks) == 50
    assert len(found.data.inks) == len(found.data.targets)


def test_that_stored_drawings_bring_their_ink(data_dir: Path, mnist: Path) -> None:
    draw(data_dir, 20)
    assert any(ink is not None for ink in gathered(data_dir, recipe={"augmentation": 1.0}).data.inks)


def write_ink(path: Path, labels: str, writers: list[str]) -> Path:
    """One synthetic drawing for each label, by the writers in turn; letters look like digits here, which matters to nobody."""
    inks, _ = synthetic_digits(len(labels), seed=6)
    drawings = [
        LabelledInk(label, writers[i % len(writers)], ink)
        for i, (ink, label) in enumerate(zip(inks, labels, strict=True))
    ]
    write_ink_jsonl(path, drawings)
    return path


def test_that_ink_of_files_stays_ink_where_drawings_are_varied(
    data_dir: Path, mnist: Path, tmp_path: Path
) -> None:
    path = write_ink(tmp_path / "ink.jsonl", "0123456789" * 2, ["a", "b"])
    varied = gathered(data_dir, ink_files=(str(path),), recipe={"augmentation": 1.0})
    assert sum(ink is not None for ink in varied.data.inks) == 20
    assert not gathered(data_dir, ink_files=(str(path),)).data.inks


def test_that_writers_who_are_left_out_are_only_scored(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    path = write_ink(tmp_path / "ink.jsonl", "0123456789" * 3, ["site-1", "other-1", "other-2"])
    found = gathered(data_dir, ink_files=(str(path),), leave_out=("site-*",))
    left_out = found.tests["ink, left out"]
    assert set(left_out.writers) == {"site-1"}
    assert len(left_out) == 10
    assert found.data.sources["ink.jsonl"] <= 20
    assert not images_in(found) & {image.tobytes() for image in left_out.images}


def test_that_letters_shaped_like_no_digit_become_outliers(
    data_dir: Path, mnist: Path, tmp_path: Path
) -> None:
    path = write_ink(tmp_path / "letters.jsonl", "AAOOKKSSXXZZ", ["a"])
    found = gathered(data_dir, not_digits=(str(path),), recipe={"scribbles": 7})
    assert (found.data.targets == NO_CLASS).sum() == 6 + 7
    assert found.label_set.labels == tuple("0123456789")
    assert len(found.data.outliers) >= 1


def test_that_characters_are_for_the_second_head_alone(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    letters = write_ink(tmp_path / "letters.jsonl", "AAOO00", ["a"])
    signs = write_ink(tmp_path / "signs.jsonl", "∆∆", ["b"])
    files = {"characters": (str(letters),), "turned_characters": (str(signs),)}
    found = gathered(data_dir, **files, recipe={"characters_weight": 1.0})
    assert found.label_set.labels == tuple("0123456789")
    turns = ["", " turned 180°", " turned 270°", " turned 90°"]
    signs_seen = sorted(f"∆{side}{turn}" for side in ("", " mirrored") for turn in turns)
    assert found.data.character_labels == (*"0123456789AO", *signs_seen)
    is_character = found.data.targets == NOT_ASKED
    assert is_character.sum() == 6 + 8 * 2
    assert not is_character[found.data.validation].any()
    named = [found.data.character_labels[i] for i in found.data.characters[is_character]]
    assert named[:6] == list("AAOO00")
    digits = np.flatnonzero(~is_character)
    assert np.array_equal(found.data.characters[digits], found.data.targets[digits])
    assert [r.get("n_classes") for r in found.records] == [None, 3, 8]


def test_that_characters_that_are_no_digits_are_outliers_as_well(
    data_dir: Path, mnist: Path, tmp_path: Path
) -> None:
    path = str(write_ink(tmp_path / "letters.jsonl", "AAOO" * 5, ["a"]))
    found = gathered(data_dir, characters=(path,), not_digits=(path,), recipe={"characters_weight": 1.0}).data
    labels = np.array(found.character_labels)[found.characters]
    assert set(labels[found.targets == NO_CLASS]) == {"A"}
    assert set(labels[found.targets == NOT_ASKED]) == {"O"}
    assert len(found.images) == 300 + 20


def test_that_nothing_by_writers_of_the_validation_part_is_learned(
    data_dir: Path, mnist: Path, tmp_path: Path
) -> None:
    writers = [f"w{n}" for n in range(10)]
    digits = write_ink(tmp_path / "digits.jsonl", "0123456789" * 2, writers)
    letters = write_ink(tmp_path / "letters.jsonl", "ABCDEFGHIJ", writers)
    found = gathered(
        data_dir, ink_files=(str(digits),), characters=(str(letters),), recipe={"characters_weight": 1.0}
    )
    validated = len(set(found.tests["digits"].writers))
    assert validated
    assert found.data.sources["letters.jsonl"] == 10 - validated


def test_that_a_turned_drawing_is_mirrored_and_turned_clockwise(
    data_dir: Path, mnist: Path, tmp_path: Path
) -> None:
    stroke = [(0.0, 0.0), (10.0, 0.0), (10.0, 40.0)]  # right, then a long way down
    path = tmp_path / "sign.jsonl"
    write_ink_jsonl(path, [LabelledInk("7", "a", Ink.of([stroke]))])
    wanted = {"characters_weight": 1.0, "augmentation": 1.0}
    images = gathered(data_dir, turned_characters=(str(path),), recipe=wanted).data.images[-8:]
    mirrored = [(-x, y) for x, y in stroke]
    for points, turned in ((stroke, images[:4]), (mirrored, images[4:])):
        for image in turned:
            np.testing.assert_allclose(image.astype(float), render(Ink.of([points])), atol=2)
            points = [(-y, x) for x, y in points]  # y points down: right becomes down


def test_that_signs_make_up_their_share_of_an_epoch(data_dir: Path, mnist: Path, tmp_path: Path) -> None:
    path = write_ink(tmp_path / "signs.jsonl", "∆♠", ["a"])
    recipe = {"characters_weight": 1.0, "invented_characters": 4, "signs_share": 0.4}
    data = gathered(data_dir, turned_characters=(str(path),), recipe=recipe).data
    is_sign = data.targets[data.training] == NOT_ASKED
    assert is_sign.mean() == pytest.approx(0.4, abs=0.03)
    counts = np.bincount(data.training)[data.targets == NOT_ASKED]
    assert counts.max() - counts.min() <= 1
    assert {"invented 1", "invented 4", "∆ mirrored turned 90°"} <= set(data.character_labels)


DATA = TrainingData(np.zeros((2, 28, 28), np.uint8), np.array([0, 1]), np.array([0]), np.array([1]))


def hold_out(labels: list[str]) -> Dataset:
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(labels)) % 256
    return Dataset("my hold-out", images, tuple(labels))


def test_that_drawings_of_classes_the_network_does_not_have_are_left_out() -> None:
    data = with_hold_out(DATA, hold_out(["7", "π", "3"]), DIGITS)
    assert data.hold_out_targets.tolist() == [7, 3]
    assert data.hold_out_images[:, 0, 0].tolist() == [0, 2]


def test_that_of_a_large_hold_out_a_fair_part_is_looked_at_always_the_same() -> None:
    labels = [str(i % 10) for i in range(5 * MOST_HOLD_OUT)]
    data = with_hold_out(DATA, hold_out(labels), DIGITS)
    assert len(data.hold_out_targets) == MOST_HOLD_OUT
    assert set(np.bincount(data.hold_out_targets)) <= set(range(60, 140))
    again = with_hold_out(DATA, hold_out(labels), DIGITS)
    assert again.hold_out_targets.tolist() == data.hold_out_targets.tolist()


def test_that_without_a_hold_out_there_is_nothing_to_look_at() -> None:
    assert with_hold_out(DATA, None, DIGITS) is DATA
    assert len(with_hold_out(DATA, hold_out([]), DIGITS).hold_out_targets) == 0
    assert len(with_hold_out(DATA, hold_out(["π"]), DIGITS).hold_out_targets) == 0
