from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS, Class
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Origin, Sample, Verdict
from qtdigits.core.run.history import History
from qtdigits.errors import InputError, StoreError
from qtdigits.store.tables import rows
from qtdigits.store.tables.editing import Added
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from tests.store.statements import plans_of
from tests.store.values import a_history, a_sample, a_trial, an_image, same_sample


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    with SampleStore.open(tmp_path) as opened:
        yield opened


def test_that_a_new_store_has_the_ten_digits_and_nothing_else(store: SampleStore) -> None:
    assert store.classes() == DIGITS
    assert store.writers() == []
    assert store.count() == 0
    assert len(store.dataset()) == 0
    assert store.last_trial("Ada") is None
    assert store.running_accuracy(writer="Ada", model="mlp") == (0, 0)


def test_that_a_judgement_survives_closing(tmp_path: Path) -> None:
    sample, trial = a_sample(), a_trial()
    with SampleStore.open(tmp_path) as store:
        judged = store.judge(sample, trial)
    with SampleStore.open(tmp_path) as store:
        (stored,) = store.samples()
        assert same_sample(stored, sample)
        assert stored.id == judged.sample_id
        assert list(store.trials()) == [judged]
        assert store.writers() == ["Ada"]


def test_that_what_the_values_hold_comes_back_exactly(store: SampleStore) -> None:
    long_ago = datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC)
    elsewhere = datetime.fromisoformat("2024-02-29T12:00:00.001+05:30")
    for moment in (long_ago, elsewhere):
        store.judge(a_sample(drawn_at=moment), a_trial())
    assert [s.drawn_at for s in store.samples()] == [long_ago, elsewhere]


def test_that_a_skipped_drawing_is_a_trial_without_a_sample(store: SampleStore) -> None:
    judged = store.judge(None, a_trial(None))
    assert store.count() == 0
    assert store.last_trial("Ada") == judged
    assert store.take_back(judged) is None
    assert list(store.trials()) == []


def test_that_a_judgement_can_be_taken_back_once(store: SampleStore) -> None:
    sample = a_sample()
    judged = store.judge(sample, a_trial())
    back = store.take_back(judged)
    assert back is not None
    assert back.id is None
    assert same_sample(back, sample)
    assert store.count() == 0
    assert store.last_trial("Ada") is None
    with pytest.raises(StoreError, match="not in the store"):
        store.take_back(judged)


def test_that_the_last_trial_is_the_writers_own(store: SampleStore) -> None:
    first = store.judge(a_sample(writer="Ada"), a_trial(writer="Ada"))
    store.judge(a_sample(writer="Bob"), a_trial(writer="Bob"))
    assert store.last_trial("Ada") == first


def test_that_the_running_accuracy_counts_confirmed_among_judged(store: SampleStore) -> None:
    for truth in ("7", "7", "1", None):
        store.judge(None if truth is None else a_sample(truth), a_trial(truth))
    store.judge(a_sample(), a_trial(model="cnn"))
    store.judge(a_sample(writer="Bob"), a_trial(writer="Bob"))
    assert store.running_accuracy(writer="Ada", model="mlp") == (2, 3)
    assert store.running_accuracy(writer="Ada", model="cnn") == (1, 1)
    store.take_back(store.last_trial("Ada"))
    assert store.running_accuracy(writer="Ada", model="cnn") == (0, 0)


def test_that_what_is_asked_for_after_every_judgement_is_not_counted(
    connections: list[sqlite3.Connection], store: SampleStore
) -> None:
    for query in (
        lambda: store.running_accuracy(writer="Ada", model="mlp"),
        lambda: store.count(held_out=False),
        lambda: store.count(writer="Ada", label="7", held_out=True, is_suspect=False),
    ):
        plan = plans_of(connections[-1], query)
        assert plan
        for step in plan:  # the few drawings that do not count, as they are doubted or retired, are looked up
            lookups = (
                "USING INDEX trials_by_sample",
                "INDEX samples_in_doubt",
                "(writer_id=? AND class_id=?)",
            )
            is_lookup = any(lookup in step for lookup in lookups)
            assert is_lookup or not ("trials" in step or "samples" in step)


def test_that_counting_does_not_read_the_drawings(
    connections: list[sqlite3.Connection], store: SampleStore
) -> None:
    plan = plans_of(connections[-1], lambda: store.count(writer="Ada", label="7", origin=Origin.DRAWN))
    assert any("USING COVERING INDEX samples_by_class" in step for step in plan)


def test_that_a_deleted_drawing_still_counts_as_judged(store: SampleStore) -> None:
    judged = store.judge(a_sample(), a_trial())
    store.delete_samples([judged.sample_id])
    assert store.count() == 0
    assert store.running_accuracy(writer="Ada", model="mlp") == (1, 1)
    assert store.last_trial("Ada").sample_id is None
    assert store.delete_samples([judged.sample_id]).ids == ()


def test_that_one_in_five_drawings_of_a_class_is_held_out_for_good(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path) as store:
        for _ in range(20):
            for label in "07":
                store.judge(a_sample(label), a_trial(label))
        chosen = [sample.id for sample in store.samples(held_out=True)]
        for label in "07":
            assert store.count(label=label, held_out=True) == 4
        store.rename_writer("Ada", "Ada L.")
    with SampleStore.open(tmp_path) as store:
        assert [sample.id for sample in store.samples(held_out=True)] == chosen
        # Renaming does not disturb the balance of what comes after it.
        for _ in range(5):
            store.judge(a_sample("7", "Ada L."), a_trial(writer="Ada L."))
        assert store.count(label="7", held_out=True) == 5


def test_that_a_held_out_drawing_that_is_taken_back_leaves_its_place_to_the_next(store: SampleStore) -> None:
    flags = []
    for _ in range(5):
        first = store.judge(a_sample(), a_trial())
        store.take_back(first)
        store.judge(a_sample(), a_trial())
        flags.append(next(store.samples(newest_first=True)).held_out)
    assert sum(flags) == 1


def test_that_hold_out_and_training_data_are_disjoint_and_complete(store: SampleStore) -> None:
    store.add_samples(
        a_sample(label, writer) for label in "123" for writer in ("Ada", "Bob") for _ in range(7)
    )
    held_out, training = store.dataset(held_out=True), store.dataset(held_out=False)
    assert len(held_out) + len(training) == store.count() == 42
    # Told apart by their ids: when many tests have drawn before, two drawings may look alike in 28x28 pixels.
    assert {*held_out.ids} | {*training.ids} == {sample.id for sample in store.samples()}
    assert not {*held_out.ids} & {*training.ids}


def test_that_a_dataset_pairs_images_labels_and_writers(store: SampleStore) -> None:
    samples = [a_sample("1", "Ada"), an_image("2", "Bob"), a_sample("π", "Ada")]
    store.add_samples(samples)
    dataset = store.dataset()
    assert dataset.name == "drawings"
    assert dataset.labels == ("1", "2", "π")
    assert dataset.writers == ("Ada", "Bob", "Ada")
    assert all(np.array_equal(a, s.raster) for a, s in zip(dataset.images, samples, strict=True))
    assert dataset.ids == tuple(sample.id for sample in store.samples())
    assert store.dataset(writer="Bob").ids == dataset.ids[1:2]


def test_that_ink_of_an_older_preprocessing_is_rendered_anew(
    store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = np.full((28, 28), 9, np.uint8)
    store.add_samples([a_sample(raster=wrong), an_image(raster=wrong)])
    monkeypatch.setattr(rows, "PREPROCESSING_VERSION", rows.PREPROCESSING_VERSION + 1)
    drawn, image = store.samples()
    assert np.array_equal(drawn.raster, render(drawn.ink))
    assert np.array_equal(image.raster, wrong)
    assert np.array_equal(store.dataset().images, [drawn.raster, wrong])


def test_that_samples_are_listed_by_what_is_asked_for(store: SampleStore) -> None:
    store.add_samples([a_sample(str(i % 3), "Ada" if i < 6 else "Bob", device=str(i)) for i in range(10)])
    store.add_samples([an_image("1", "Bob", origin=Origin.CSV_PAIR, device="csv")])

    def devices(**what: object) -> list[str]:
        return [sample.device for sample in store.samples(**what)]

    assert devices(writer="Ada", label="1") == ["1", "4"]
    assert devices(origin=Origin.CSV_PAIR) == ["csv"]
    assert devices(newest_first=True, limit=2, offset=1) == ["9", "8"]
    assert devices(offset=9) == ["9", "csv"]
    assert devices(writer="nobody") == []
    assert store.count(writer="Bob", label="1") == 2


def test_that_importing_a_file_twice_counts_once(store: SampleStore) -> None:
    samples = [a_sample("1"), an_image("2"), a_sample("3")]
    assert store.add_samples(samples) == Added(added=3, skipped=0)
    assert store.add_samples([*samples, a_sample("4")]) == Added(added=1, skipped=3)
    assert store.count() == 4


def test_that_equal_drawings_within_one_import_are_kept(store: SampleStore) -> None:
    """The report's CSV pair holds the same image twice, and has to come in with all of its rows."""
    image = an_image()
    assert store.add_samples([image, image]) == Added(added=2, skipped=0)


def test_that_the_same_drawing_of_another_writer_or_label_is_another_sample(store: SampleStore) -> None:
    ink = a_sample().ink
    added = [
        store.add_samples([a_sample(label, writer, ink=ink)]).added
        for label in "17"
        for writer in ("Ada", "Bob")
    ]
    assert added == [1, 1, 1, 1]


def test_that_an_import_that_fails_adds_nothing(store: SampleStore) -> None:
    def samples() -> object:
        yield a_sample("A", "Bob")
        raise InputError("file, line 2: text")

    with pytest.raises(InputError, match="line 2"):
        store.add_samples(samples())
    with pytest.raises(InputError, match="not a label"):
        store.add_samples([a_sample("A", "Bob"), a_sample("\n")])
    assert (store.count(), store.writers(), store.classes()) == (0, [], DIGITS)


def test_that_new_classes_come_after_the_digits_in_their_order(store: SampleStore) -> None:
    store.add_samples([a_sample("π"), a_sample("A")])
    store.class_table.add(" B ")
    assert store.classes().labels == (*DIGITS.labels, "π", "A", "B")
    with pytest.raises(InputError, match="is not a label"):
        store.class_table.add(" ")


def test_that_a_class_gets_an_id_of_its_own_when_a_renamed_one_has_it(store: SampleStore) -> None:
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE classes SET label = 'seven' WHERE id = '7'")
        db.commit()
    assert store.class_table.add("7").id == "7~2"
    assert Class("7~2", "7") in store.classes().classes
    assert len(store.classes()) == 11


def test_that_writers_are_named_once(store: SampleStore) -> None:
    store.add_writer(" Ada ")
    store.add_writer("Bob")
    with pytest.raises(InputError, match="a writer 'Ada' already"):
        store.add_writer("Ada")
    with pytest.raises(InputError, match="a writer 'Ada' already"):
        store.rename_writer("Bob", "Ada")
    with pytest.raises(InputError, match=r"no writer 'Eve'.*Ada, Bob"):
        store.rename_writer("Eve", "Mallory")
    for name in ("", " ", "a\nb", "x" * 65):
        with pytest.raises(InputError, match="not a writer's name"):
            store.add_writer(name)
    store.rename_writer("Ada", "Ada")
    assert store.writers() == ["Ada", "Bob"]


def test_that_renaming_takes_drawings_and_judgements_along(store: SampleStore) -> None:
    store.judge(a_sample(), a_trial())
    store.rename_writer("Ada", "Ada L.")
    assert store.count(writer="Ada L.") == 1
    assert store.running_accuracy(writer="Ada L.", model="mlp") == (1, 1)
    store.add_writer("Ada")
    assert store.count(writer="Ada") == 0


def test_that_a_full_disk_loses_nothing_that_was_stored(
    connections: list[sqlite3.Connection], store: SampleStore
) -> None:
    judged = store.judge(a_sample(), a_trial())
    (pages,) = connections[-1].execute("PRAGMA page_count").fetchone()
    connections[-1].execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match=r"disk is full.*Make some room"):
        store.add_samples(a_sample() for _ in range(100))
    assert [sample.id for sample in store.samples()] == [judged.sample_id]
    assert store.check() == ()
    connections[-1].execute("PRAGMA max_page_count = 100000")
    assert store.add_samples(a_sample() for _ in range(100)).added == 100


def test_that_two_stores_on_one_file_write_in_turns(tmp_path: Path) -> None:
    failures = []

    def draw(writer: str) -> None:
        try:
            with SampleStore.open(tmp_path) as store:
                for _ in range(25):
                    store.judge(a_sample(writer=writer), a_trial(writer=writer))
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=draw, args=(name,)) for name in ("Ada", "Bob", "Eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with SampleStore.open(tmp_path) as store:
        assert Counter(trial.writer for trial in store.trials()) == {"Ada": 25, "Bob": 25, "Eve": 25}
        assert store.check() == ()


JUDGE_FOR_EVER = """
import sys
from pathlib import Path
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial

with SampleStore.open(Path(sys.argv[1])) as store:
    while True:
        judged = store.judge(a_sample(), a_trial())
        print(judged.id, judged.sample_id, flush=True)
"""


def test_that_a_killed_process_loses_no_judgement_that_it_reported(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", JUDGE_FOR_EVER, str(tmp_path)]
    reported = []
    for enough in (7, 60):
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
            lines = [process.stdout.readline() for _ in range(enough)]
            process.kill()
            lines += process.stdout.readlines()
        reported += [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]
    assert len(reported) >= 67
    with SampleStore.open(tmp_path) as store:
        stored = [(trial.id, trial.sample_id) for trial in store.trials()]
        assert set(reported) <= set(stored)
        assert store.count() == len(stored)
        assert store.check() == ()


def test_that_a_store_says_when_a_thread_uses_anothers(store: SampleStore) -> None:
    errors = []

    def use() -> None:
        try:
            store.count()
        except sqlite3.ProgrammingError as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_that_runs_are_kept_with_their_histories(tmp_path: Path) -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    history = a_history()
    with SampleStore.open(tmp_path) as store:
        store.runs.add(RunRecord("r1", {"epochs": 3}, started_at=start))
        store.runs.add(RunRecord("r2", {"epochs": 4}, started_at=start + timedelta(seconds=1)))
        store.runs.end("r1", state="completed", model="models/a.h5", history=history)
        with pytest.raises(StoreError, match="a run 'r1' already"):
            store.runs.add(RunRecord("r1", {}))
        with pytest.raises(StoreError, match="no run 'r3'"):
            store.runs.end("r3", state="failed")
    with SampleStore.open(tmp_path) as store:
        second, first = store.runs.records()
        kept = [store.runs.history(run.id) for run in (second, first)]
    assert (second.id, second.state, second.ended_at, kept[0]) == ("r2", "running", None, None)
    assert (first.recipe, first.state, first.model) == ({"epochs": 3}, "completed", "models/a.h5")
    assert isinstance(kept[1], History)
    assert kept[1].to_json() == history.to_json()


def test_that_a_raster_of_another_shape_is_a_fault_of_the_caller(store: SampleStore) -> None:
    with pytest.raises(ValueError, match="a raster is"):
        store.judge(Sample("7", np.zeros((28, 27), np.uint8), "Ada"), a_trial())
    assert store.writers() == []


def test_that_outcomes_are_in_the_order_of_judging_without_skipped_ones(store: SampleStore) -> None:
    truths = ("7", "1", None, "7", "7", "2", None, "7")
    for truth in truths:
        store.judge(None if truth is None else a_sample(truth), a_trial(truth))
    store.judge(a_sample("1"), a_trial("1", model="cnn"))
    store.judge(a_sample("1", "Bob"), a_trial("1", "Bob"))
    assert store.outcomes("Ada", "mlp").tolist() == [True, False, True, True, False, True]
    assert store.outcomes("Ada", "nothing").tolist() == []
    assert store.outcomes("nobody", "mlp").dtype == np.bool_


def test_that_outcomes_are_answered_from_an_index(
    connections: list[sqlite3.Connection], store: SampleStore
) -> None:
    plan = plans_of(connections[-1], lambda: store.outcomes("Ada", "mlp"))
    assert any("USING COVERING INDEX trials_by_model" in step for step in plan)


def test_that_thumbnails_come_in_the_order_that_is_asked_for(store: SampleStore) -> None:
    store.judge(a_sample("1"), a_trial("1"))
    store.add_samples([an_image("2"), a_sample("3")])
    store.set_weight([2], 5)
    store.delete_samples([3])
    three, one, two = store.thumbnails([3, 99, 1, 2])
    assert [t.label for t in (three, one, two)] == ["3", "1", "2"]
    assert (one.verdict, two.verdict) == (Verdict.CORRECTED, None)
    assert (two.weight, three.is_deleted, two.is_deleted) == (5, True, False)
    assert np.array_equal(two.raster, store.sample(2).raster)


def test_that_spellings_of_one_writer_share_one_row_of_ordinals(tmp_path: Path) -> None:
    with SampleStore.open(tmp_path) as store:
        store.add_samples([a_sample("7", writer) for writer in ("Ada", " Ada", "Ada ", "Ada") * 5])
        with contextlib.closing(sqlite3.connect(store.path)) as db:
            ordinals = [ordinal for (ordinal,) in db.execute("SELECT ordinal FROM samples ORDER BY id")]
        assert ordinals == list(range(20))
        assert store.count(held_out=True) == 4


def test_that_the_models_that_were_judged_are_known(store: SampleStore) -> None:
    for model in ("mlp", "cnn", "mlp"):
        store.judge(a_sample(), a_trial(model=model))
    assert store.judging_models() == ["cnn", "mlp"]


def test_that_the_revision_says_whether_stored_drawings_may_have_changed(
    store: SampleStore, tmp_path: Path
) -> None:
    first = store.revision
    judged = store.judge(a_sample(), a_trial())
    assert store.revision == first
    store.relabel([judged.sample_id], "1")
    second = store.revision
    assert second != first
    with SampleStore.open(tmp_path) as other:
        other.judge(a_sample(), a_trial())
    assert store.revision != second
