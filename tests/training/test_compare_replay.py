from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Origin, Sample, Suspicion
from qtdigits.core.model import Model
from qtdigits.core.score.metrics import Tally
from qtdigits.store.model_files import save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import compare as replay_module
from qtdigits.training.compare import Drawings, may_have_learned, parts_of_file, replay
from store.values import a_model, a_sample


class Sevens:
    """Reads every drawing as a 7."""

    label_set = DIGITS
    undecided_below = unlike_below = 0.0
    has_embedding = False

    def __init__(self, model: Model, *, classes: Classes = AS_TRAINED) -> None:
        self.model_name = model.name

    def show_as(self, classes: Classes) -> None:
        """It knows the digits only."""

    def meaning_of(self, label: str, *, is_id: bool = False) -> str:
        return label

    def read_many(self, images: np.ndarray, *, threads: int = 1) -> np.ndarray:
        return np.tile(np.eye(10, dtype=np.float32)[7], (len(images), 1))

    def read_and_compare(self, images: np.ndarray, *, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        return self.read_many(images), np.ones(len(images), np.float32)


@pytest.fixture
def store(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> SampleStore:
    """Twenty drawings of Ada's: ten sevens, then ten ones; two of each are held out. Five sevens of Bob's."""
    monkeypatch.setattr(replay_module, "Reader", Sevens)
    store = SampleStore.open(data_dir)
    store.add_samples([a_sample(label) for label in ("7", "1") for _ in range(10)])
    store.add_samples([a_sample("7", "Bob") for _ in range(5)])
    yield store
    store.close()


def saved(folder: Path, **provenance: object) -> Path:
    path = folder / "m.h5"
    save_model(a_model(name="m", provenance=provenance), path)
    return path


def of_nobody(_name: str) -> Model | None:
    """Models whose base is not there any more, or that have none."""
    return None


def only(found: Sequence[replay_module.Replayed]) -> replay_module.Replayed:
    (one,) = found
    return one


def test_that_hold_out_and_other_drawings_are_counted_apart(store: SampleStore, tmp_path: Path) -> None:
    found = only(replay([saved(tmp_path)], Drawings.of(store, writer="Ada"), header_of=of_nobody))
    assert (found.parts.hold_out, found.parts.not_learned, found.parts.learned) == (
        Tally(4, 2),
        Tally(16, 8),
        Tally(0, 0),
    )
    everybody = only(replay([saved(tmp_path)], Drawings.of(store), header_of=of_nobody))
    assert everybody.parts.hold_out == Tally(5, 3)


class RememberingSevens(Sevens):
    """Every drawing looks like those with the same shade in the corner, and like no other."""

    has_embedding = True

    def read_and_embed(self, images: np.ndarray, *, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        return 0.01 + 0.9 * self.read_many(images), np.eye(10, dtype=np.float32)[images[:, 0, 0]]


def test_that_each_drawing_is_read_with_a_memory_of_all_others_too(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "Reader", RememberingSevens)
    with SampleStore.open(data_dir) as store:
        for writer, labels in {"Cy": "7711π", "Di": "111"}.items():
            for number, label in enumerate(labels):
                raster = np.zeros((28, 28), np.uint8)
                raster[0, 0], raster[9, number] = "71π".index(label), 255
                store.add_samples([Sample(label, raster, writer)])
        drawings = Drawings.of(store)
    found = only(replay([saved(tmp_path)], drawings, header_of=of_nobody))
    assert found.with_memory is not None
    assert (found.parts.fair, found.with_memory.fair) == (Tally(8, 2), Tally(8, 7))  # the only π is not known
    assert found.to_json()["with_memory"]["learned"]["n"] == 0


def test_that_a_model_without_embedding_is_replayed_without_memory(
    store: SampleStore, tmp_path: Path
) -> None:
    found = only(replay([saved(tmp_path)], Drawings.of(store), header_of=of_nobody))
    assert (found.with_memory, found.to_json()["with_memory"]) == (None, None)


def test_that_doubted_drawings_are_not_replayed(store: SampleStore, tmp_path: Path) -> None:
    held_out, learnable = (int(store.ids(writer="Ada", held_out=flag)[0]) for flag in (True, False))
    store.mark_suspects(dict.fromkeys((held_out, learnable), Suspicion(0.9, "1", "looks like a 1")))
    drawings = Drawings.of(store, writer="Ada")
    found = only(replay([saved(tmp_path)], drawings, header_of=of_nobody))
    assert (found.parts.hold_out.n, found.parts.not_learned.n, drawings.n_doubted) == (3, 15, 2)


def test_that_drawings_up_to_the_last_one_trained_on_count_as_learned(
    store: SampleStore, tmp_path: Path
) -> None:
    path = saved(tmp_path, drawings={"last_sample": 10, "n": 8, "writer": "Ada"})
    found = only(replay([path], Drawings.of(store), header_of=of_nobody))
    assert found.parts.learned == Tally(8, 8)
    assert found.parts.not_learned == Tally(12, 4)
    assert found.parts.hold_out == Tally(5, 3)


def test_that_what_a_model_may_have_seen_is_never_called_unseen(store: SampleStore) -> None:
    dataset = store.dataset()
    assert not may_have_learned(a_model(), dataset).any()
    unknown = a_model(provenance={"sources": [{"name": "MNIST"}, {"name": "drawings"}]})
    assert may_have_learned(unknown, dataset).all()
    others_for_rehearsal = a_model(provenance={"drawings": {"last_sample": 22, "writer": "Bob"}})
    assert may_have_learned(others_for_rehearsal, dataset).tolist() == [True] * 22 + [False] * 3


INK_LEARNED = {"sources": [{"name": "MNIST"}, {"name": "pendigits.jsonl.gz"}]}
CSV_LEARNED = {"sources": [{"name": "images.csv (2)"}, {"name": "drawings of others"}, {"name": "scribbles"}]}


@pytest.mark.parametrize(
    ("origin", "provenance", "is_called_clean"),
    [
        (Origin.INK_FILE, INK_LEARNED, False),
        (Origin.IMAGE, INK_LEARNED, False),
        (Origin.CSV_PAIR, INK_LEARNED, True),
        (Origin.DRAWN, INK_LEARNED, True),
        (Origin.CSV_PAIR, CSV_LEARNED, False),
        (Origin.INK_FILE, CSV_LEARNED, True),
        (Origin.INK_FILE, {"sources": [{"name": "MNIST"}, {"name": "synthetic ink"}]}, True),
        (Origin.INK_FILE, {"base": "before.h5"}, False),
    ],
)
def test_that_what_may_be_of_a_file_that_was_learned_is_called_neither_clean_nor_held_out(
    store: SampleStore,
    tmp_path: Path,
    origin: Origin,
    provenance: dict[str, object],
    *,
    is_called_clean: bool,
) -> None:
    store.add_samples([replace(a_sample("7", "Eve"), origin=origin) for _ in range(10)])
    before = {"before": a_model(name="before", provenance=INK_LEARNED)}
    found = only(
        replay([saved(tmp_path, **provenance)], Drawings.of(store, writer="Eve"), header_of=before.get)
    ).parts
    assert found.n == 10
    assert (found.hold_out.n > 0, found.of_files.n) == ((True, 0) if is_called_clean else (False, 10))
    assert found.of_files.correct == found.of_files.n


def test_that_a_label_the_model_does_not_know_is_not_right(store: SampleStore, tmp_path: Path) -> None:
    store.class_table.add("A")
    store.add_samples([a_sample("A", "Eve")])
    found = only(replay([saved(tmp_path)], Drawings.of(store, writer="Eve"), header_of=of_nobody))
    assert found.parts.not_learned.correct + found.parts.hold_out.correct == 0
    assert found.parts.not_learned.n + found.parts.hold_out.n == 1


def test_that_a_broken_model_is_named_and_the_others_are_scored(store: SampleStore, tmp_path: Path) -> None:
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"no model")
    whole = saved(tmp_path)
    told: list[tuple[int, int]] = []
    found = replay(
        [broken, whole],
        Drawings.of(store),
        header_of=of_nobody,
        progress=lambda done, total: told.append((done, total)),
    )
    assert [one.name for one in found] == ["broken", "m"]
    assert "broken.h5" in found[0].error
    assert found[0].parts.hold_out == Tally(0, 0)
    assert (found[1].error, found[1].parts.hold_out) == ("", Tally(5, 3))
    assert told[-1] == (50, 50)


def test_that_a_store_of_somebody_else_is_not_told_apart_by_ids(store: SampleStore, tmp_path: Path) -> None:
    dataset, right = store.dataset(), np.ones(25, bool)
    learned = a_model(provenance={"drawings": {"last_sample": 10, "writer": "Ada"}})
    mine = parts_of_file(learned, dataset, right, path=store.path, own_store=store.path, header_of=of_nobody)
    assert (mine.hold_out.n, mine.not_learned.n, mine.learned.n) == (5, 12, 8)
    others = parts_of_file(
        learned, dataset, right, path=store.path, own_store=tmp_path / "mine.db", header_of=of_nobody
    )
    assert (others.hold_out.n, others.not_learned.n, others.learned.n) == (5, 0, 20)
    never = parts_of_file(
        a_model(), dataset, right, path=store.path.parent, own_store=tmp_path / "mine.db", header_of=of_nobody
    )
    assert (never.hold_out.n, never.not_learned.n, never.learned.n) == (5, 20, 0)


def test_that_progress_is_told_and_may_give_up(store: SampleStore, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = saved(tmp_path)
    replay(
        [path, path],
        Drawings.of(store),
        header_of=of_nobody,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(0, 50), (25, 50), (50, 50)]

    def give_up(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay([path], Drawings.of(store), header_of=of_nobody, progress=give_up)
