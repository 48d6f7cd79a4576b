from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.run.checkpoints import Checkpoint
from qtdigits.core.run.events import RunCancelled, RunFinished, encode_event
from qtdigits.core.run.history import History
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import InputError, StoreError
from qtdigits.store.run_files import (
    RunFolder,
    prune_checkpoints,
)
from store.values import a_checkpoint


def same(a: Checkpoint | None, b: Checkpoint) -> bool:
    assert a is not None
    parts = ("network", "optimizer", "metrics", "best")
    pairs = [pair for part in parts for pair in zip(getattr(a, part), getattr(b, part), strict=True)]
    told = ("step", "epochs", "best_epoch", "best_loss", "elapsed_s", "facts")
    return (
        all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in pairs)
        and all(getattr(a, name) == getattr(b, name) for name in told)
        and a.history.to_json() == b.history.to_json()
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path, "20260131-154500-3fa9c1")


def test_that_a_checkpoint_comes_back_to_the_last_bit(folder: RunFolder) -> None:
    assert not folder.has_checkpoint
    assert folder.latest_checkpoint() is None
    folder.write_checkpoint(a_checkpoint())
    assert folder.has_checkpoint
    assert same(folder.latest_checkpoint(), a_checkpoint())


def test_that_a_run_without_a_best_epoch_yet_comes_back(folder: RunFolder) -> None:
    early = replace(a_checkpoint(), best=(), best_epoch=0, epochs=0, best_loss=math.inf, history=History())
    folder.write_checkpoint(early)
    assert same(folder.latest_checkpoint(), early)


def test_that_the_last_two_are_kept(folder: RunFolder) -> None:
    for step in (9, 18, 27):
        folder.write_checkpoint(a_checkpoint(step))
    assert len(list(folder.path.glob("*.npz"))) == 2
    assert same(folder.latest_checkpoint(), a_checkpoint(27))
    folder.trim_checkpoints()
    assert len(list(folder.path.glob("*.npz"))) == 1
    assert same(folder.latest_checkpoint(), a_checkpoint(27))


@pytest.mark.parametrize("harm", ["truncated", "empty", "flipped", "foreign"])
def test_that_a_damaged_checkpoint_is_passed_over_for_the_one_before(folder: RunFolder, harm: str) -> None:
    for step in (9, 18):
        folder.write_checkpoint(a_checkpoint(step))
    latest = max(folder.path.glob("*.npz"))
    content = bytearray(latest.read_bytes())
    if harm == "truncated":
        content = content[: len(content) // 2]
    elif harm == "empty":
        content = bytearray()
    elif harm == "foreign":
        content = bytearray(b"something else altogether")
    else:
        weights = a_checkpoint(18).network[0].tobytes()
        content[content.index(weights) + 7] ^= 0x10
    latest.write_bytes(content)
    assert same(folder.latest_checkpoint(), a_checkpoint(9))


def test_that_what_a_killed_writer_leaves_is_no_checkpoint(folder: RunFolder) -> None:
    folder.write_checkpoint(a_checkpoint(9))
    (folder.path / ".checkpoint-0000000018.npz.0123456789ab.part").write_bytes(b"half")
    assert same(folder.latest_checkpoint(), a_checkpoint(9))
    folder.write_checkpoint(a_checkpoint(18))
    assert same(folder.latest_checkpoint(), a_checkpoint(18))


def test_that_a_failed_write_leaves_what_was_there(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_checkpoint(a_checkpoint(9))

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(StoreError, match="the disk is full"):
        folder.write_checkpoint(a_checkpoint(18))
    assert same(folder.latest_checkpoint(), a_checkpoint(9))
    assert sorted(path.suffix for path in folder.path.iterdir()) == [".npz"]


def test_that_a_request_comes_back_and_a_damaged_one_is_named(folder: RunFolder) -> None:
    with pytest.raises(InputError, match="not known any more"):
        folder.request()
    folder.write_request({"run": "r", "name": "π"})
    assert folder.has_request
    assert folder.request() == {"run": "r", "name": "π"}
    (folder.path / "request.json").write_text("[]")
    with pytest.raises(InputError, match="not known any more"):
        folder.request()


@pytest.mark.parametrize("run_id", ["", "..", "../other", "a/b"])
def test_that_an_id_cannot_lead_out_of_the_folder(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(InputError):
        RunFolder(tmp_path, run_id)


def test_that_one_at_a_time_holds_a_run(tmp_path: Path) -> None:
    here, there = RunFolder(tmp_path, "run"), RunFolder(tmp_path, "run")
    assert not there.lock.is_taken()
    assert here.lock.acquire()
    assert here.lock.acquire()
    assert there.lock.is_taken()
    assert not there.lock.acquire()
    here.lock.release()
    assert not there.lock.is_taken()
    assert there.lock.acquire()
    there.lock.release()


def test_that_checkpoints_are_not_taken_from_under_a_run_that_goes_on(tmp_path: Path) -> None:
    here, there = RunFolder(tmp_path, "run"), RunFolder(tmp_path, "run")
    here.write_request({"run": "run"})
    here.write_checkpoint(a_checkpoint())
    assert here.lock.acquire()
    there.remove_checkpoints()
    assert there.has_checkpoint
    here.lock.release()
    there.remove_checkpoints()
    assert not there.has_checkpoint
    assert there.has_request


def test_that_the_latest_runs_keep_their_checkpoints_while_there_is_room(tmp_path: Path) -> None:
    folders = [RunFolder(tmp_path, name) for name in ("new", "older", "oldest", "unfinished")]
    for folder in folders:
        folder.write_checkpoint(a_checkpoint())
    size = folders[0].checkpoints_bytes()
    prune_checkpoints(tmp_path, ended=["new", "gone", "older", "oldest"], most_bytes=2 * size)
    assert [folder.has_checkpoint for folder in folders] == [True, True, False, True]


def some_readings():
    images = np.random.default_rng(2).integers(0, 256, (3, 28, 28), np.uint8)
    return ReadDrawings(
        ("0", "π"), images, np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0.5, 0.9, 1], "f4")
    )


def test_that_the_drawings_of_a_file_whose_name_is_not_utf_8_are_kept(tmp_path: Path) -> None:
    images, number = np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.int64)
    drawings = ReadDrawings(("7",), images, number, number, np.ones(1, np.float32))
    run = RunFolder(tmp_path, "run-1")
    run.save_readings({"caf\udce9": drawings})
    assert list(run.readings()) == ["caf\udce9"]


def test_that_readings_come_back_by_the_name_of_their_set(tmp_path):
    kept = some_readings()
    RunFolder(tmp_path, "run-1").save_readings({"MNIST test": kept, "my hold-out": kept.take(np.array([1]))})
    found = RunFolder(tmp_path, "run-1").readings()
    assert list(found) == ["MNIST test", "my hold-out"]
    again = found["MNIST test"]
    assert again.classes == ("0", "π")
    for name in ("images", "truth", "answer", "confidence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kept, name))
    assert len(found["my hold-out"]) == 1


def test_that_a_run_without_readings_has_none(tmp_path):
    assert RunFolder(tmp_path, "run-1").readings() == {}


def test_that_a_run_cannot_reach_outside_its_folder(tmp_path):
    with pytest.raises(InputError, match="cannot be the id of a run"):
        RunFolder(tmp_path, "../other").readings()


@pytest.mark.parametrize("change", [{"truth": np.array([0, 1])}, {"answer": np.array([0, 0, 7])}])
def test_that_readings_that_do_not_fit_together_are_refused(tmp_path, change):
    kept = some_readings()
    fields = {name: getattr(kept, name) for name in ("images", "truth", "answer", "confidence")} | change
    RunFolder(tmp_path, "run-1").save_readings({"set": ReadDrawings(kept.classes, **fields)})
    with pytest.raises(InputError, match="damaged"):
        RunFolder(tmp_path, "run-1").readings()


def test_that_half_a_file_is_refused(tmp_path):
    RunFolder(tmp_path, "run-1").save_readings({"set": some_readings()})
    path = tmp_path / "runs" / "run-1" / "readings.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a usable"):
        RunFolder(tmp_path, "run-1").readings()


SCORES = {"MNIST test": {"accuracy": 0.9, "n": 10, "classes": ["0", "π"], "confusion": [[5, 1], [0, 4]]}}
FINISHED = RunFinished("run", "completed", "/models/n.h5", 3, 2, 9.5, SCORES, {"sentence": "97 → 99 %"})


def test_that_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    RunFolder(tmp_path, "run").save_result(FINISHED)
    assert RunFolder(tmp_path, "run").result() == FINISHED
    assert RunFolder(tmp_path, "another").result() is None


@pytest.mark.parametrize("content", ["", "junk", "{}", encode_event(RunCancelled("run")), "\xff"])
def test_that_a_file_that_is_no_result_is_said_to_be_damaged(tmp_path: Path, content: str) -> None:
    RunFolder(tmp_path, "run").save_result(FINISHED)
    (tmp_path / "runs" / "run" / "result.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match="damaged"):
        RunFolder(tmp_path, "run").result()
