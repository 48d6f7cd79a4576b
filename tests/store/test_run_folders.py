"""Checkpoints on the disk: whole or not at all, and the one before when the last one cannot be read."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.run.checkpoints import Checkpoint
from qtdigits.core.run.history import History
from qtdigits.errors import InputError, StoreError
from qtdigits.store.run_files import RunFolder, prune
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
    assert folder.latest() is None
    folder.write(a_checkpoint())
    assert folder.has_checkpoint
    assert same(folder.latest(), a_checkpoint())


def test_that_a_run_without_a_best_epoch_yet_comes_back(folder: RunFolder) -> None:
    early = replace(a_checkpoint(), best=(), best_epoch=0, epochs=0, best_loss=math.inf, history=History())
    folder.write(early)
    assert same(folder.latest(), early)


def test_that_the_last_two_are_kept(folder: RunFolder) -> None:
    for step in (9, 18, 27):
        folder.write(a_checkpoint(step))
    assert len(list(folder.path.glob("*.npz"))) == 2
    assert same(folder.latest(), a_checkpoint(27))
    folder.trim()
    assert len(list(folder.path.glob("*.npz"))) == 1
    assert same(folder.latest(), a_checkpoint(27))


@pytest.mark.parametrize("harm", ["truncated", "empty", "flipped", "foreign"])
def test_that_a_damaged_checkpoint_is_passed_over_for_the_one_before(folder: RunFolder, harm: str) -> None:
    for step in (9, 18):
        folder.write(a_checkpoint(step))
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
    assert same(folder.latest(), a_checkpoint(9))


def test_that_what_a_killed_writer_leaves_is_no_checkpoint(folder: RunFolder) -> None:
    folder.write(a_checkpoint(9))
    (folder.path / ".checkpoint-0000000018.npz.0123456789ab.part").write_bytes(b"half")
    assert same(folder.latest(), a_checkpoint(9))
    folder.write(a_checkpoint(18))
    assert same(folder.latest(), a_checkpoint(18))


def test_that_a_failed_write_leaves_what_was_there(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(a_checkpoint(9))

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(StoreError, match="the disk is full"):
        folder.write(a_checkpoint(18))
    assert same(folder.latest(), a_checkpoint(9))
    assert sorted(path.suffix for path in folder.path.iterdir()) == [".npz"]


def test_that_a_request_comes_back_and_a_damaged_one_is_named(folder: RunFolder) -> None:
    with pytest.raises(InputError, match="not known any more"):
        folder.request()
    folder.write_request({"run": "r", "name": "π"})
    assert folder.has_request
    assert folder.request() == {"run": "r", "name": "π"}
    (folder.path / "request.json").write_text("[]")
    with pytest.raises(InputError, match="damaged"):
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
    here.write(a_checkpoint())
    assert here.lock.acquire()
    there.clear()
    assert there.has_checkpoint
    here.lock.release()
    there.clear()
    assert not there.has_checkpoint
    assert there.has_request


def test_that_the_latest_runs_keep_their_checkpoints_while_there_is_room(tmp_path: Path) -> None:
    folders = [RunFolder(tmp_path, name) for name in ("new", "older", "oldest", "unfinished")]
    for folder in folders:
        folder.write(a_checkpoint())
    size = folders[0].size_bytes()
    prune(tmp_path, ended=["new", "gone", "older", "oldest"], most_bytes=2 * size)
    assert [folder.has_checkpoint for folder in folders] == [True, True, False, True]
